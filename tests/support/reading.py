"""Batches as NumPy arrays, for tests of reading."""

from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path

import numpy as np


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
