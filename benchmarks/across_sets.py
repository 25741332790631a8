"""Train on one data set, on another, and on both; score every network on each, over the joints that they share.

`python -m benchmarks.across_sets COCO LSPET [--mpii FILE] [--out DIR] [--epochs N]`. COCO and LSPET are folders in
COCO's layout (for LSPET see `benchmarks.yardstick`); of MPII a JSON file, whose people are scored only. Both are built
together twice: under COCO's 17 joints, and under those that both label. Run again with the same `--out`, it goes on
where it stopped. The settings are the yardstick's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.yardstick import LAST_DIGITS, RECIPES, SPLIT, cocoprep, write_part
from cocoprep.pose.joint_map import map_joints, subset_table
from cocoprep.pose.table_text import table_toml
from cocoprep.pose.tables import COCO_17, named_table

SHARED = "body.toml"
FIGURES = ("PCK@0.1", "PCK@0.2", "OKS AP")


@dataclass(frozen=True)
class Sets:
    """Where the parts of both data sets lie, as `--source` takes them."""

    out: Path
    coco: Path
    lspet: Path

    def source(self, name: str, part: str) -> str:
        """Return a source: `name` is coco or lsp, `part` is train or score."""
        if name == "lsp":
            return f"lsp={self.out}/lsp-{part}.json,{self.lspet}/{SPLIT}"
        split = SPLIT if part == "train" else "val2017"
        return f"coco={self.coco}/annotations/person_keypoints_{split}.json,{self.coco}/{split}"


def build(out: Path, sources: list[str], keypoints: object) -> None:
    """Build sources into a folder, of which the name is that of the split."""
    named = [part for source in sources for part in ("--source", source)]
    cocoprep(
        "build", *named, "--split", out.name, "--keypoints", keypoints, "--out", out, "--no-ceiling",
        *RECIPES["plain"].build,
    )  # fmt: skip


def build_all(sets: Sets, mpii: Path | None) -> dict[str, Path]:
    """Build what is trained on; return the folders that are scored on, all under the joints that are shared."""
    out = sets.out
    shared = subset_table(COCO_17, map_joints(named_table("lsp-14"), COCO_17).shared, "body-12")
    (out / SHARED).write_text(table_toml(shared))
    for part, last_digits in LAST_DIGITS.items():
        write_part(sets.lspet, last_digits, out / f"lsp-{part}.json")
    for part in ("train", "score"):  # of which the second chooses the epoch, as in the yardstick
        coco, lsp = sets.source("coco", part), sets.source("lsp", part)
        build(out / part / "coco", [coco], "coco-17")
        build(out / part / "lsp", [lsp], "lsp-14")
        build(out / part / "both_17", [coco, lsp], "coco-17")
        build(out / part / "both_12", [coco, lsp], "shared")
    scored = {name: [sets.source(name, "score")] for name in ("coco", "lsp")}
    if mpii is not None:
        cocoprep("convert", mpii, "--from", "mpii", "--out", out / "mpii")
        (labels,) = (out / "mpii" / "annotations").iterdir()
        scored["mpii"] = [f"mpii={labels},{mpii.parent}"]
    for name, sources in scored.items():
        build(out / "shared" / name, sources, out / SHARED)
    return {name: out / "shared" / name for name in scored}


def figures(path: Path) -> Iterator[str]:
    """Yield `FIGURES` of an evaluation."""
    found = json.loads(path.read_bytes())
    at = found["pck"]["box"]["at"]
    yield from (f"{at[threshold]['total']:.3f}" for threshold in ("0.1", "0.2"))
    yield f"{found['oks']['AP']:.3f}"


def main() -> None:
    """Build, train, score, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("coco", type=Path)
    parser.add_argument("lspet", type=Path)
    parser.add_argument("--mpii", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/across"))
    parser.add_argument("--epochs", type=int, help="fewer or more than the settings say")
    parser.add_argument("--coco-epochs", type=int, default=100, help="of the few people of COCO alone")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    scored = build_all(Sets(chosen.out, chosen.coco, chosen.lspet), chosen.mpii)
    table = Table("trained on", *(f"{name}: {figure}" for name in scored for figure in FIGURES))
    for network in ("coco", "lsp", "both_17", "both_12"):
        run = chosen.out / "runs" / network
        epochs = chosen.coco_epochs if network == "coco" else chosen.epochs
        cocoprep(
            "train", "--data", chosen.out / "train" / network, "--val", chosen.out / "score" / network,
            "--run-dir", run, "--config", RECIPES["plain"].config, "--resume",
            *(("--epochs", epochs) if epochs else ()),
        )  # fmt: skip
        row: list[str] = []
        for name, folder in scored.items():
            path = run / f"on-{name}.json"
            cocoprep("evaluate", "--run", run, "--data", folder, "--json", path)
            row += figures(path)
        table.add_row(network, *row)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
