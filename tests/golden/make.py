"""Write the digests of what is built now: `python -m tests.golden.make`, in the repository's root.

It draws the sample, builds it, and enters the digests in `digests.json` for the versions that are installed; those of
other versions stay. It writes nothing where a folder and a zip of the same photographs give different bytes. The rest
of the module is what the test takes too: the command line and the files it writes, nothing of the package, so that
code can move and the digests stay.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

STORED = Path(__file__).with_name("digests.json")
SPLIT = "train2017"
IMAGES = 40
SHARDS = 3
SIZES = ("128", "256", "256x192")
SOURCES = ("folder", "zip")
ANNOTATIONS = f"annotations/person_keypoints_{SPLIT}.json"
DRAWN = (ANNOTATIONS, *(f"{SPLIT}/{image:012d}.jpg" for image in (1, 2)))


def draw_sample(folder: Path) -> None:
    """Draw the sample, and make the zip of its photographs."""
    _cocoprep("sample", folder, "--images", IMAGES)
    with zipfile.ZipFile(folder / f"{SPLIT}.zip", "w") as archive:
        for path in sorted((folder / SPLIT).iterdir()):
            archive.write(path, f"{SPLIT}/{path.name}")


def build(sample: Path, out: Path, size: str, source: str) -> None:
    """Build the sample as a user does."""
    images = sample / (SPLIT if source == "folder" else f"{SPLIT}.zip")
    _cocoprep(
        "build", "--annotations", sample / ANNOTATIONS, "--images", images, "--out", out, "--split", SPLIT,
        "--input-size", size, "--shards", SHARDS, "--workers", 1, "--no-ceiling",
    )  # fmt: skip


def drawn_digests(sample: Path) -> dict[str, str]:
    """Return the digests of a few drawn files: where these change, everything built from them does."""
    return {name: _sha256((sample / name).read_bytes()) for name in DRAWN}


def built_digests(out: Path) -> dict[str, str]:
    """Return the digests of the shards, of the ledger's rows and of the ground truth."""
    shards = sorted(out.glob("*.tfrecord-?????-of-?????"))
    # The rows, not the file: another pyarrow writes the same rows in other bytes.
    rows = [
        json.dumps(_first_columns(row), sort_keys=True) for row in pq.read_table(out / "ledger.parquet").to_pylist()
    ]
    return {
        **{shard.name: _sha256(shard.read_bytes()) for shard in shards},
        "ledger": _sha256("\n".join(rows).encode()),
        "ground_truth.json": _sha256((out / "ground_truth.json").read_bytes()),
    }


def _first_columns(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the ledger without the column that came later, which is of numbers their text."""
    assert row.pop("source_id") == str(row["annotation_id"])
    return row


def deciding_versions(out: Path) -> dict[str, str]:
    """Return the versions of all that decides bytes but cocoprep: its own may rise, the bytes stay."""
    versions = json.loads((out / "manifest.json").read_bytes())["versions"]
    return {name: version for name, version in versions.items() if name != "cocoprep"}


def key(versions: Mapping[str, str]) -> str:
    """Return what an entry of `digests.json` is found by."""
    return ", ".join(f"{name} {versions[name]}" for name in sorted(versions))


def stored() -> dict[str, Any]:
    """Return the entries of `digests.json`."""
    entries: dict[str, Any] = json.loads(STORED.read_bytes()) if STORED.exists() else {}
    return entries


def main() -> None:
    """Enter the digests of the versions that are installed."""
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "coco"
        draw_sample(sample)
        builds = {}
        for size in SIZES:
            outs = [Path(folder) / f"{size}-{source}" for source in SOURCES]
            for out, source in zip(outs, SOURCES, strict=True):
                build(sample, out, size, source)
            builds[size], other = map(built_digests, outs)
            if other != builds[size]:
                sys.exit(f"{size}: the folder and the zip give different bytes; nothing was written")
        name = key(deciding_versions(outs[0]))
        entries = {**stored(), name: {"drawn": drawn_digests(sample), "built": builds}}
    STORED.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n")
    print(f"{STORED}: {name}")


def _cocoprep(*arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cocoprep", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    main()
