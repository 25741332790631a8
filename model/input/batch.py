"""People to batches, by NumPy and OpenCV: on a CPU they are faster at it than TensorFlow's operations.

A batch is a dict of arrays of B people, K joints each, pictures of (H, W), heatmaps of (h, w). The frame of points and
sizes in pixels is the picture that the batch holds, augmented or not.

    image          (B, H, W, 3) uint8    RGB
    heatmaps       (B, h, w, K) uint8    round(255 * value)
    keypoints      (B, K, 2)    float32  x, y in pixels, not clipped; 0, 0 where not labelled
    visibility     (B, K)       int32    0 not labelled, 1 labelled but hidden, 2 visible
    weights        (B, K)       float32  1 where labelled and within the picture, else 0
    looked_for     (B, K)       bool     whether the person's source labels the joint: else nothing says it is not there
    box_side       (B,)         float32  the longer side of the person's box in pixels: PCK's unit
    annotation_id  (B,)         int64
    image_id       (B,)         int64
    source         (B,)         int32    place among the sources of all folders that are read together; 0 of one
    crop_window    (B, 4)       float32  as stored: the canonical crop in the photograph
    bbox           (B, 4)       float32  as stored
    area           (B,)         float32  as stored
    valid          (B,)         bool     false for nobody: zeros that fill up the last batch of an evaluation
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cocoprep.errors import RecordError
from cocoprep.model.augment.augmenter import Augmenter, Varied, canonical_part
from cocoprep.model.augment.buffers import empty_pixels
from cocoprep.model.augment.pixels import decode_crop
from cocoprep.model.draws import Purpose, hash_keys
from cocoprep.model.input.records import PersonRecord
from cocoprep.pose import affine
from cocoprep.pose.boxes import longer_side
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.record import unpack_heatmaps
from cocoprep.shards.settings import CropRecord

Batch = dict[str, NDArray[Any]]


def batch_spec(manifest: Manifest, batch_size: int) -> dict[str, tuple[tuple[int, ...], DTypeLike]]:
    """Return the shape and type of a batch's arrays by name."""
    crop, joints = manifest.crop, len(manifest.keypoints.names)
    spec: dict[str, tuple[tuple[int, ...], DTypeLike]] = {
        "image": ((*crop.input_size, 3), np.uint8),
        "heatmaps": ((*crop.heatmap_size, joints), np.uint8),
        "keypoints": ((joints, 2), np.float32),
        "visibility": ((joints,), np.int32),
        "weights": ((joints,), np.float32),
        "looked_for": ((joints,), np.bool_),
        "box_side": ((), np.float32),
        "annotation_id": ((), np.int64),
        "image_id": ((), np.int64),
        "source": ((), np.int32),
        "crop_window": ((4,), np.float32),
        "bbox": ((4,), np.float32),
        "area": ((), np.float32),
        "valid": ((), np.bool_),
    }
    return {name: ((batch_size, *shape), kind) for name, (shape, kind) in spec.items()}


def augmented_batch(people: Sequence[PersonRecord], epoch: int, augmenter: Augmenter) -> Batch:
    """Return people as their augmentation in an epoch makes them.

    Raises:
        RecordError: a crop cannot be decoded; names its annotation.
    """
    keypoints = np.stack([person.keypoints for person in people])
    visibility = np.stack([person.visibility for person in people])
    keys = turn_keys(people)
    varied = augmenter(_decoded(people, augmenter.crop), keypoints, visibility, keys, np.full(len(keys), epoch))
    return _labelled(people, varied, augmenter.crop, augmenter.mirrored(looked_for(people), varied.flipped))


def turn_keys(people: Sequence[PersonRecord]) -> NDArray[np.int64]:
    """Return (N,) what people's augmentation is drawn by: the annotation id, of a first turn and the first folder.

    Other folders may have the same ids, and a person's second turn must differ from its first.
    """
    ids = np.array([person.annotation_id for person in people], np.int64)
    folders = np.array([person.folder for person in people], np.int64)
    occurrences = np.array([person.occurrence for person in people], np.int64)
    if not (folders.any() or occurrences.any()):
        return ids
    keys = hash_keys(Purpose.TURN, ids, folders, occurrences).view(np.int64)
    return np.where((folders > 0) | (occurrences > 0), keys, ids)


def looked_for(people: Sequence[PersonRecord]) -> NDArray[np.bool_]:
    """Return (N, K), which joints each person's source labels."""
    return np.stack([person.looked_for for person in people])


def stored_batch(people: Sequence[PersonRecord], batch_size: int, manifest: Manifest) -> Batch:
    """Return people as they were stored, canonical crops and stored heatmaps, filled up with nobody to a whole batch.

    Raises:
        RecordError: a crop or its heatmaps cannot be decoded; names the annotation.
    """
    crop, joints = manifest.crop, len(manifest.keypoints.names)
    pictures = empty_pixels(len(people), *crop.input_size, 3)
    for n, stored in enumerate(_decoded(people, crop)):
        pictures[n] = canonical_part(stored, crop)
    heatmaps = empty_pixels(len(people), *crop.heatmap_size, joints)
    for n, person in enumerate(people):
        with _naming(person):
            heatmaps[n] = unpack_heatmaps(person.packed_heatmaps, (*crop.heatmap_size, joints))
    keypoints = np.stack([person.keypoints for person in people])
    visibility = np.stack([person.visibility for person in people]).astype(np.int32)
    unchanged, never = np.ones(len(people), np.float32), np.zeros(len(people), np.bool_)
    same = Varied(pictures, heatmaps, keypoints, visibility, unchanged, never)
    batch = _labelled(people, same, crop, looked_for(people))
    return batch if len(people) == batch_size else _filled_up(batch, batch_size)


def _labelled(people: Sequence[PersonRecord], varied: Varied, crop: CropRecord, searched: NDArray[np.bool_]) -> Batch:
    """Add to what was made of people all that a batch says of them."""
    bbox = np.stack([person.bbox for person in people])
    windows = np.stack([person.crop_window for person in people])
    counts = (varied.visibility > 0) & affine.inside(varied.keypoints, crop.input_size)
    pixel_scale = crop.input_size[1] / (windows[:, 2] * varied.zoom)
    return {
        "image": varied.image,
        "heatmaps": varied.heatmaps,
        "keypoints": varied.keypoints,
        "visibility": varied.visibility,
        "weights": counts.astype(np.float32),
        "looked_for": searched,
        "box_side": (longer_side(bbox) * pixel_scale).astype(np.float32),
        "annotation_id": np.array([person.annotation_id for person in people], np.int64),
        "image_id": np.array([person.image_id for person in people], np.int64),
        "source": np.array([person.source for person in people], np.int32),
        "crop_window": windows,
        "bbox": bbox,
        "area": np.array([person.area for person in people], np.float32),
        "valid": np.ones(len(people), np.bool_),
    }


def _filled_up(batch: Batch, batch_size: int) -> Batch:
    """Append zeros to every array up to `batch_size`."""
    missing = batch_size - len(batch["valid"])
    return {
        name: np.concatenate([array, np.zeros((missing, *array.shape[1:]), array.dtype)])
        for name, array in batch.items()
    }


def _decoded(people: Sequence[PersonRecord], crop: CropRecord) -> Iterator[NDArray[np.uint8]]:
    for person in people:
        with _naming(person):
            picture = decode_crop(person.jpeg, crop.stored_size)
        yield picture


@contextmanager
def _naming(person: PersonRecord) -> Iterator[None]:
    try:
        yield
    except RecordError as error:
        raise RecordError(
            f"annotation {person.annotation_id}: {error}. Build the folder again; training can leave it out, "
            "by --on-bad-record skip."
        ) from error
