"""A drawn stand-in for COCO: person-keypoint images and annotations, made here, with nothing to download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["SampleSummary", "write_sample"]

if TYPE_CHECKING:
    from cocoprep.sample.dataset import SampleSummary, write_sample


def __getattr__(name: str) -> Any:
    # Loaded on first use: `cocoprep --help` must not wait for NumPy and Pillow.
    if name in __all__:
        from cocoprep.sample import dataset

        return getattr(dataset, name)
    raise AttributeError(f"module 'cocoprep.sample' has no attribute {name!r}")
