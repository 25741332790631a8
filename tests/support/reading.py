"""A small built folder, and batches as NumPy arrays, for tests of reading."""

from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path

import numpy as np

from cocoprep.builder.config import SelectConfig
from cocoprep.pose.crop_config import CropConfig
from tests.support.building import build_folder
from tests.support.people import write_people


def build_people(root: Path, *, images: int = 30, shards: int = 4, size: tuple[int, int] = (64, 48)) -> Path:
    """Build a folder of two people an image; return it."""
    annotations, photographs = write_people(root / "coco", images=images)
    build_folder(
        root / "out", annotations=annotations, images=photographs,
        crop=CropConfig(input_size=size), select=SelectConfig(shards=shards),
    )  # fmt: skip
    return root / "out"


def copy_folder(folder: Path, to: Path) -> Path:
    """Copy a built folder, to damage it."""
    shutil.copytree(folder, to)
    return to


def take(dataset, count: int | None = None) -> list[dict[str, np.ndarray]]:
    """Return the first batches of a dataset, or all, as arrays by name."""
    return list(islice(dataset.as_numpy_iterator(), count))


def assert_same(ours, theirs) -> None:
    """Hold two lists of batches against each other, to the byte."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            assert value.dtype == other[name].dtype
            np.testing.assert_array_equal(value, other[name], err_msg=name)
