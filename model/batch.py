"""Batches of records to batches of people, in a tf.data graph: B people, K joints. `model.dataset` lists the tensors.

Pixels and heatmaps are made by OpenCV and NumPy, a batch a call: on a CPU they are faster at it than TensorFlow's
operations, and let other batches be made meanwhile.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cocoprep.errors import RecordError
from cocoprep.manifest import CropRecord, Manifest
from model.augment import Augmenter, Varied, canonical_part
from model.features import feature_specs, parse_batch
from model.memory import empty_pixels
from model.pixels import decode_crop

People = dict[str, tf.Tensor]
LABELS = ("annotation_id", "area", "bbox", "crop_window", "image_id", "keypoints", "visibility")


def augmented_people(records: tf.Tensor, epoch: tf.Tensor, augmenter: Augmenter, manifest: Manifest) -> People:
    """Return the people of records (B,) as their augmentation in an epoch, a scalar, makes them."""
    features = parse_batch(records, manifest, *LABELS, "image")

    def vary(jpegs: Any, keypoints: Any, visibility: Any, ids: NDArray[np.int64], epoch: np.int64) -> Varied:
        return augmenter(_decoded(jpegs, ids, manifest.crop), keypoints, visibility, ids, np.full(len(ids), epoch))

    inputs = [features[name] for name in ("image", "keypoints", "visibility", "annotation_id")]
    varied = Varied(*tf.numpy_function(vary, [*inputs, epoch], [tf.uint8, tf.uint8, tf.float32, tf.int32, tf.float32]))
    return _finished({**features, **varied._asdict()}, manifest)


def stored_people(records: tf.Tensor, manifest: Manifest) -> People:
    """Return the people of records (B,) as they were stored: canonical crops and stored heatmaps."""
    features = parse_batch(records, manifest, *LABELS, "image", "heatmaps")
    crop = manifest.crop

    def unpack(jpegs: Any, packed: Any, ids: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        images = empty_pixels(len(ids), *crop.input_size, 3)
        heatmaps = empty_pixels(len(ids), *crop.heatmap_size, len(manifest.keypoints.names))
        for n, stored in enumerate(_decoded(jpegs, ids, crop)):
            images[n] = canonical_part(stored, crop)
            heatmaps[n].reshape(-1)[:] = np.frombuffer(zlib.decompress(packed[n]), np.uint8) if packed[n] else 0
        return images, heatmaps

    inputs = [features[name] for name in ("image", "heatmaps", "annotation_id")]
    images, heatmaps = tf.numpy_function(unpack, inputs, [tf.uint8, tf.uint8])
    visibility = tf.cast(features["visibility"], tf.int32)
    made = {"image": images, "heatmaps": heatmaps, "visibility": visibility, "zoom": tf.ones(records.shape)}
    return _finished({**features, **made}, manifest)


def nobodys_record(manifest: Manifest) -> bytes:
    """Return a record of zeros, that fills up a batch."""
    example = tf.train.Example()
    for name, spec in feature_specs(manifest).items():
        count = int(np.prod(spec.shape))
        feature = example.features.feature[name]
        values = {tf.string: feature.bytes_list, tf.float32: feature.float_list, tf.int64: feature.int64_list}[spec.dtype]
        values.value.extend([b"" if spec.dtype == tf.string else 0] * count)
    data: bytes = example.SerializeToString()
    return data


def _decoded(jpegs: Iterable[bytes], annotation_ids: NDArray[np.int64], crop: CropRecord) -> Iterator[NDArray[np.uint8]]:
    for jpeg, annotation_id in zip(jpegs, annotation_ids, strict=True):
        try:
            # Only nobody has no picture.
            yield decode_crop(jpeg, crop.stored_size) if jpeg else np.zeros((*crop.stored_size, 3), np.uint8)
        except RecordError as error:
            raise RecordError(f"annotation {annotation_id}: {error}. Build the folder again.") from error


def _finished(people: People, manifest: Manifest) -> People:
    """Give the tensors their shapes; add `valid` and `weights`, and `box_side` in place of `zoom`."""
    crop, joints = manifest.crop, len(manifest.keypoints.names)
    (batch,), (height, width) = people["annotation_id"].shape, crop.input_size
    shapes = {
        "image": (batch, height, width, 3),
        "heatmaps": (batch, *crop.heatmap_size, joints),
        "keypoints": (batch, joints, 2),
        "visibility": (batch, joints),
        "zoom": (batch,),
    }
    shaped = people | {name: tf.ensure_shape(people[name], shape) for name, shape in shapes.items()}
    x, y = tf.unstack(shaped["keypoints"], axis=-1)
    counts = (shaped["visibility"] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    crop_width = shaped["crop_window"][:, 2]  # 0 for nobody
    scale = tf.math.divide_no_nan(tf.constant(width, tf.float32), crop_width * shaped.pop("zoom"))
    return shaped | {
        "valid": crop_width > 0,
        "weights": tf.cast(counts, tf.float32),
        "box_side": tf.reduce_max(shaped["bbox"][:, 2:], axis=-1) * scale,
    }
