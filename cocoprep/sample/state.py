"""The state of a sample's folder: what it is to hold, what it holds, and how far an interrupted run came."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

from cocoprep.checks import require_number
from cocoprep.errors import OutputError
from cocoprep.sample.labels import Annotation

MARKER = "sample.json"
PROGRESS = "sample-progress.jsonl"
DRAWING_REVISION = 1
"""Rises when the same seed draws other pictures, so that no folder is finished by another revision."""

MAX_IMAGES = 400_000
SPLITS = ("train2017", "val2017")
_FIRST_IDS = {"train2017": 1, "val2017": 500_001}
IDS_PER_IMAGE = 100


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """The parameters that decide every byte of a sample."""

    images: int
    seed: int
    val_fraction: float
    revision: int = DRAWING_REVISION
    joints: tuple[str, ...] | None = None  # other than COCO's

    def __post_init__(self) -> None:
        require_number("--images", self.images, 1, MAX_IMAGES, whole=True)
        require_number("--seed", self.seed, 0, whole=True)
        require_number("--val-fraction", self.val_fraction, 0, 1)

    def record(self) -> dict[str, Any]:
        """Return what the marker keeps."""
        kept = asdict(self)
        joints = kept.pop("joints")
        return kept if joints is None else {**kept, "joints": list(joints)}

    def count(self, split: str) -> int:
        """Return how many images a split has."""
        return self.images if split == "train2017" else max(1, round(self.images * self.val_fraction))

    def pictures(self) -> Iterator[tuple[str, int]]:
        """Yield (split, index) of every image."""
        for split in SPLITS:
            for index in range(self.count(split)):
                yield split, index


class ImageEntry(TypedDict):
    """One entry of "images"."""

    license: int
    file_name: str
    height: int
    width: int
    date_captured: str
    id: int


class Drawn(TypedDict):
    """What is noted of one finished image: a line of the progress file."""

    split: str
    image: ImageEntry
    annotations: list[Annotation]


Done = dict[tuple[str, int], Drawn]


def image_id(split: str, index: int) -> int:
    """Return the id of an image of a split, "train2017" or "val2017"; no two images share one."""
    return _FIRST_IDS[split] + index


def image_path(folder: Path, split: str, index: int) -> Path:
    """Return where an image is."""
    return folder / split / f"{image_id(split, index):012d}.jpg"


def annotation_path(folder: Path, split: str) -> Path:
    """Return where the annotations of a split are."""
    return folder / "annotations" / f"person_keypoints_{split}.json"


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = _temporary(path)
    temporary.write_bytes(data)
    os.replace(temporary, path)


def encode_json(value: object) -> bytes:
    """Return compact JSON, one line."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def read_marker(folder: Path, plan: SamplePlan) -> dict[str, Any] | None:
    """Return the marker of a sample with this plan, None for an empty folder.

    Raises:
        OutputError: the folder holds something else.
    """
    try:
        marker = json.loads((folder / MARKER).read_bytes())
        found = marker["plan"]
    except FileNotFoundError:
        # A run that was killed at once may have left no more than the marker's beginning.
        if set(folder.iterdir()) - {_temporary(folder / MARKER)}:
            raise OutputError(
                f"{folder}: the folder holds files that are no cocoprep sample (it has no {MARKER}); "
                "name a new or an empty folder"
            ) from None
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise OutputError(f"{folder / MARKER}: not a marker of a cocoprep sample; name another folder") from error
    if found != plan.record():
        raise OutputError(
            f"{folder}: holds another sample, expected {plan.record()}, found {found!s:.2000}; "
            "name another folder or delete this one"
        )
    return dict(marker)


def is_whole(folder: Path, plan: SamplePlan) -> bool:
    """Tell whether every file of a sample is there."""
    for split in SPLITS:
        if not annotation_path(folder, split).is_file() or not (folder / split).is_dir():
            return False
        names = {entry.name for entry in os.scandir(folder / split)}
        if any(image_path(folder, split, index).name not in names for index in range(plan.count(split))):
            return False
    return True


def read_progress(folder: Path) -> Done:
    """Return what an interrupted run finished; a line that it wrote half is left out."""
    done: Done = {}
    path = folder / PROGRESS
    if not path.is_file():
        return done
    for line in path.read_bytes().splitlines():
        try:
            drawn: Drawn = json.loads(line)
            index = drawn["image"]["id"] - _FIRST_IDS[drawn["split"]]
        except (ValueError, TypeError, KeyError):
            break
        if image_path(folder, drawn["split"], index).is_file():
            done[drawn["split"], index] = drawn
    return done
