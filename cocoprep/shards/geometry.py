"""What two folders must agree on where one network takes, or learns from, the crops of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.settings import CropRecord


def geometry_differences(crop: CropRecord, table: KeypointTable, other: Manifest) -> Iterator[tuple[str, Any, Any]]:
    """Yield (what, here, in the other folder) of all that must agree where one network learns from both."""
    yield from crop_differences(crop, other)
    for name, ours, theirs in (
        ("keypoints", table.names, other.keypoints.names),
        ("mirror partners of keypoints", table.flip_index, other.keypoints.flip_index),
    ):
        if ours != theirs:
            yield name, ours, theirs


def crop_differences(crop: CropRecord, other: Manifest) -> Iterator[tuple[str, Any, Any]]:
    """Yield (what, here, in the other folder) of all that must agree where one network takes the crops of both."""
    for name, ours, theirs in (
        ("input size", crop.input_size, other.crop.input_size),
        ("heatmap stride", crop.heatmap_stride, other.crop.heatmap_stride),
        ("sigma", crop.sigma_px, other.crop.sigma_px),
        ("box scale", crop.bbox_scale, other.crop.bbox_scale),
    ):
        if ours != theirs:
            yield name, ours, theirs
