"""The settings of a build by value, as a manifest keeps them: a reader needs no configs and tables of its own."""

from __future__ import annotations

import math

import msgspec

from cocoprep.crops.pixels import FILL_RGB
from cocoprep.errors import RecordError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17, MAX_JOINTS, MAX_NAME
from cocoprep.shards.record import features_of


class CropRecord(msgspec.Struct, frozen=True):
    """The crop's geometry and encoding, resolved. Sizes are (height, width) in pixels."""

    input_size: tuple[int, int]
    stored_size: tuple[int, int]
    heatmap_size: tuple[int, int]
    heatmap_stride: int
    sigma_px: float
    bbox_scale: float
    margin: int
    jpeg_quality: int
    fill_rgb: tuple[int, int, int]

    def config(self) -> CropConfig:
        """Return the config that made these numbers."""
        return CropConfig(
            input_size=self.input_size,
            heatmap_stride=self.heatmap_stride,
            sigma_px=self.sigma_px,
            bbox_scale=self.bbox_scale,
            margin=self.margin,
            jpeg_quality=self.jpeg_quality,
        )


class SelectRecord(msgspec.Struct, frozen=True):
    """Which people were kept, and how they were dealt to shards."""

    min_keypoints: int
    seed: int
    limit: int | None
    num_shards: int


class KeypointRecord(msgspec.Struct, frozen=True):
    """The keypoint table by value, so that a reader needs no table of its own.

    `head`, `torso` and `category` are None of version 0.1.
    """

    table: str
    names: tuple[str, ...]
    flip_index: tuple[int, ...]
    oks_sigmas: tuple[float, ...]
    limbs: tuple[tuple[int, int], ...]
    head: tuple[int, ...] | None = None
    torso: tuple[tuple[int, int], ...] | None = None
    category: str | None = None


class SourceRecord(msgspec.Struct, frozen=True):
    """One of the sources of a folder that is built of several, or of several categories.

    Attributes:
        name: what it is called.
        annotations: path of its annotation file.
        images: path of its photographs.
        categories: id and name of each category that is read.
        joints: names of the folder's joints that it labels; of the others it never says that they are not there.
        joint_map: what of its joints becomes what, in a sentence; empty where they are the folder's own.
        weight: how often one of its people is seen in training, against one of a source of weight 1.
        annotations_read: entries of its annotation file.
        people: of them kept.
        dropped: of them not kept, by reason.
    """

    name: str
    annotations: str
    images: str
    categories: tuple[tuple[int, str], ...]
    joints: tuple[str, ...]
    joint_map: str
    weight: float
    annotations_read: int
    people: int
    dropped: dict[str, int]


class FeatureRecord(msgspec.Struct, frozen=True):
    """One feature of the record: see `cocoprep.shards.record.FEATURES`."""

    name: str
    kind: str
    shape: tuple[int | str, ...]
    meaning: str


def crop_record(crop: CropConfig) -> CropRecord:
    """Resolve a crop config into what the manifest keeps."""
    return CropRecord(
        input_size=crop.input_size,
        stored_size=crop.stored_size,
        heatmap_size=crop.heatmap_size,
        heatmap_stride=crop.heatmap_stride,
        sigma_px=float(crop.sigma_px),
        bbox_scale=float(crop.bbox_scale),
        margin=crop.margin_px,
        jpeg_quality=crop.jpeg_quality,
        fill_rgb=FILL_RGB,
    )


def keypoint_record(table: KeypointTable) -> KeypointRecord:
    """Return a keypoint table by value."""
    sigmas = tuple(float(sigma) for sigma in table.oks_sigmas)
    place = {name: k for k, name in enumerate(table.names)}
    return KeypointRecord(
        table=table.name,
        names=table.names,
        flip_index=table.flip_index,
        oks_sigmas=sigmas,
        limbs=table.limb_index,
        head=tuple(place[name] for name in table.head),
        torso=tuple((place[a], place[b]) for a, b in table.torso),
        category=table.category,
    )


def table_of(record: KeypointRecord) -> KeypointTable:
    """Return the keypoint table that a manifest, or a run, holds by value.

    Raises:
        RecordError: it is none.
    """
    fault = _table_fault(record)
    if fault:
        raise RecordError(f"keypoints: {fault}")
    names = record.names
    head, torso = record.head, record.torso
    if head is None:
        head = tuple(names.index(name) for name in COCO_17.head if name in names)
    if torso is None:
        torso = tuple((names.index(a), names.index(b)) for a, b in COCO_17.torso if {a, b} <= set(names))
    return KeypointTable(
        name=record.table,
        joints=tuple(
            Joint(name, record.names[partner], sigma)
            for name, partner, sigma in zip(record.names, record.flip_index, record.oks_sigmas, strict=True)
        ),
        limbs=tuple((names[a], names[b]) for a, b in record.limbs),
        head=tuple(names[k] for k in head),
        torso=tuple((names[a], names[b]) for a, b in torso),
        category=record.category or COCO_17.category,
    )


def _table_fault(record: KeypointRecord) -> str | None:
    names, count = record.names, len(record.names)
    if not names or len(set(names)) != count:
        return "expected names of joints, each once"
    if count > MAX_JOINTS or max(map(len, (record.table, *names))) > MAX_NAME:
        return f"expected at most {MAX_JOINTS} joints, and names of at most {MAX_NAME} characters"
    if len(record.flip_index) != count or len(record.oks_sigmas) != count:
        return f"expected a mirror partner and a sigma for each of {count} joints"
    if any(not 0 <= k < count or record.flip_index[k] != own for own, k in enumerate(record.flip_index)):
        return "expected mirror partners that are each other's"
    if not all(0 < sigma < math.inf for sigma in record.oks_sigmas):
        return "expected sigmas above 0"
    pairs = (*record.limbs, *(record.torso or ()), *((k, k) for k in record.head or ()))
    if any(not 0 <= joint < count for pair in pairs for joint in pair):
        return f"expected limbs, head and torso of {count} joints"
    return None


def feature_records(*, has_origin: bool = False) -> tuple[FeatureRecord, ...]:
    """Return the record's schema by value: see `features_of`."""
    return tuple(FeatureRecord(f.name, f.kind, f.shape, f.meaning) for f in features_of(has_origin=has_origin))
