"""Offline preprocessing of COCO person keypoints into sharded TFRecords.

`cocoprep.open_dataset(folder)` reads a built folder without TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cocoprep.version import __version__

__all__ = ["__version__", "open_dataset"]

if TYPE_CHECKING:
    from cocoprep.shards.dataset import open_dataset


def __getattr__(name: str) -> Any:
    # Loaded on first use: `cocoprep --help` must not wait for NumPy and Pillow.
    if name == "open_dataset":
        from cocoprep.shards.dataset import open_dataset

        return open_dataset
    raise AttributeError(f"module 'cocoprep' has no attribute {name!r}")
