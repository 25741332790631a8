"""What a network to begin with is worth where few people are labelled: 200 sports photographs, some starts and seeds.

`python -m benchmarks.few_people LSPET [--out DIR] [--seeds N] [--epochs N]`. LSPET is that of `benchmarks.yardstick`,
and so are those who are scored. Of the 5,000 that it trains on, one in 25 is learned from here. The others train one of
the networks to begin with; the drawn sample of `make train`, whose joints have 12 of the 14 names, trains the other.
All have the yardstick's plain settings; a network to begin with is gone on with at its learning rate, at a quarter of
it, and with its stem frozen. Run again with the same `--out`, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import NamedTuple

from benchmarks.yardstick import LAST_DIGITS, RECIPES, SPLIT, cocoprep, write_images

BUILD, CONFIG = RECIPES["plain"]
SAMPLE_CONFIG = CONFIG.parent.parent / "model/configs/sample.toml"
SAMPLE_IMAGES = 1250  # as in `make train`
ONE_IN = 25
RATE = 0.004


class Start(NamedTuple):
    """What a run begins with: the network's run, None for none; the learning rate; more options of `train`."""

    network: str | None
    rate: float = RATE
    options: tuple[str, ...] = ()


STARTS = {
    "nothing": Start(None),
    "nothing, half the rate": Start(None, RATE / 2),
    "the drawn sample": Start("sample"),
    "the drawn sample, a quarter of the rate": Start("sample", RATE / 4),
    "the 4,800 others": Start("others"),
    "the 4,800 others, a quarter of the rate": Start("others", RATE / 4),
    "the 4,800 others, stem frozen": Start("others", RATE / 4, ("--freeze", "stem")),
}


def is_few(image_id: int) -> bool:
    """Tell whether a photograph is one of the few."""
    return image_id % 10 in LAST_DIGITS["train"] and image_id // 10 % ONE_IN == 0


def is_other(image_id: int) -> bool:
    """Tell whether a photograph may be learned from, and is none of the few."""
    return image_id % 10 in LAST_DIGITS["train"] and not is_few(image_id)


def is_scored(image_id: int) -> bool:
    """Tell whether a photograph is scored."""
    return image_id % 10 in LAST_DIGITS["score"]


def build_all(lspet: Path, out: Path) -> None:
    """Build the few, the others and those who are scored, and the drawn sample."""
    for part, wanted in (("few", is_few), ("others", is_other), ("score", is_scored)):
        labels = out / f"{part}.json"
        print(f"{part}: {write_images(lspet, wanted, labels)} images", flush=True)
        cocoprep(
            "build", "--split", part, "--annotations", labels, "--images", lspet / SPLIT, "--out", out / part, *BUILD
        )
    cocoprep("sample", out / "drawn", "--images", SAMPLE_IMAGES)
    cocoprep("build", "--data-dir", out / "drawn", "--split", SPLIT, "--out", out / "sample", *BUILD)


def train(run: Path, data: Path, *options: object) -> None:
    """Train a network, or go on with it."""
    cocoprep("train", "--data", data, "--run-dir", run, "--resume", *options)


def score(out: Path, name: str, seed: int, epochs: int) -> tuple[float, float, float]:
    """Train on the few by one start and seed; return PCK@0.2 and PCK@0.1 by box, and OKS AP."""
    start = STARTS[name]
    run = out / "runs" / f"{list(STARTS).index(name)}-{seed}"
    figures = run / "figures.json"
    if not figures.exists():
        begin = ("--init", out / "runs" / start.network) if start.network else ()
        train(
            run, out / "few", "--config", CONFIG, "--epochs", epochs, "--seed", seed, "--learning-rate", start.rate,
            *begin, *start.options,
        )  # fmt: skip
        cocoprep("evaluate", "--run", run, "--data", out / "score", "--json", figures)
    found = json.loads(figures.read_bytes())
    at = found["pck"]["box"]["at"]
    return at["0.2"]["total"], at["0.1"]["total"], found["oks"]["AP"]


def main() -> None:
    """Build, train the networks to begin with, then each start with each seed; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lspet", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/few-people"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=40, help="on the few")
    chosen = parser.parse_args()
    out = chosen.out
    out.mkdir(parents=True, exist_ok=True)
    build_all(chosen.lspet, out)
    train(out / "runs" / "sample", out / "sample", "--config", SAMPLE_CONFIG)
    train(out / "runs" / "others", out / "others", "--config", CONFIG)
    rows = {name: list[tuple[float, float, float]]() for name in STARTS}
    for seed in range(chosen.seeds):
        for name, found in rows.items():
            found.append(score(out, name, seed, chosen.epochs))
    print(f"{'begun with':<42}{'PCK@0.2':>16}{'PCK@0.1':>16}{'AP':>16}")
    for name, found in rows.items():
        cells = (f"{statistics.mean(k):.3f} +- {statistics.pstdev(k):.3f}" for k in zip(*found, strict=True))
        print(f"{name:<42}" + "".join(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    main()
