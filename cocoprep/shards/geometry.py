"""What two folders must agree on where one network takes, or learns from, the crops of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cocoprep.errors import ConfigError
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.manifest import Manifest, records_digest
from cocoprep.shards.settings import CropRecord, table_of
from cocoprep.storage.paths import real_path


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


def check_one_network(folders: Sequence[str], manifests: Sequence[Manifest], option: str = "--data") -> None:
    """Refuse folders that one network cannot learn from together.

    Args:
        folders: their paths, which messages name.
        manifests: of each.
        option: that names the folders.

    Raises:
        ConfigError: their crops or joints differ, naming what, where, and the cure; or one is there twice.
    """
    first = manifests[0]
    for path, manifest in zip(folders[1:], manifests[1:], strict=True):
        found = geometry_differences(first.crop, table_of(first.keypoints), manifest)
        for name, ours, theirs in (*found, *_stored_differences(first.crop, manifest.crop)):
            raise ConfigError(
                f"{option}: the {name} of {path} is {theirs!s:.300}, that of {folders[0]} is {ours!s:.300}. One "
                "network takes one kind of crop and the same joints: build both with the same options and "
                "--keypoints, or both as the sources of one folder."
            )
    seen: dict[str, int] = {}
    for number, (path, manifest) in enumerate(zip(folders, manifests, strict=True)):
        for mark in (real_path(path), records_digest(manifest)):
            if seen.setdefault(mark, number) != number:
                raise ConfigError(
                    f"{option}: {path} holds the same records as {folders[seen[mark]]}. Name each folder once; "
                    "--weight says how often its people are seen."
                )


def _stored_differences(ours: CropRecord, theirs: CropRecord) -> Iterator[tuple[str, Any, Any]]:
    """Yield (what, here, there) of what augmentation needs to be equal besides."""
    for name, here, there in (("margin", ours.margin, theirs.margin), ("fill", ours.fill_rgb, theirs.fill_rgb)):
        if here != there:
            yield name, here, there
