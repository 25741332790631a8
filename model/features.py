"""Parse records in a tf.data graph, by the schema that the manifest carries."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cocoprep.manifest import Manifest

LABELS = ("annotation_id", "area", "bbox", "crop_window", "image_id", "keypoints", "visibility")
# JPEG spreads colour over neighbouring pixels: with so many decoded along, a part equals the same part of the whole.
_CONTEXT_PX = 2
_DTYPES = {"bytes": tf.string, "float32": tf.float32, "int64": tf.int64}


def feature_specs(manifest: Manifest) -> dict[str, Any]:
    """Return what `tf.io.parse_single_example` and `parse_example` take."""
    joints = len(manifest.keypoints.names)
    return {
        feature.name: tf.io.FixedLenFeature(
            [joints if side == "K" else side for side in feature.shape], _DTYPES[feature.kind]
        )
        for feature in manifest.features
    }


def parse_record(record: tf.Tensor, manifest: Manifest) -> dict[str, tf.Tensor]:
    """Parse one serialized record.

    Args:
        record: scalar string.
        manifest: of the folder the record comes from.

    Returns:
        Tensors by feature name: `image` (H, W, 3) uint8, the stored crop; `heatmaps` (h, w, K) uint8, value * 255; the
        rest in the schema's shapes and types.
    """
    features = tf.io.parse_single_example(record, feature_specs(manifest))
    height, width = manifest.crop.stored_size
    image = tf.ensure_shape(
        tf.io.decode_jpeg(features["image"], channels=3, dct_method="INTEGER_ACCURATE"), (height, width, 3)
    )
    return {**features, "image": image, "heatmaps": _unpack_heatmaps(features["heatmaps"], manifest)}


def parse_stored(record: tf.Tensor, manifest: Manifest) -> dict[str, tf.Tensor]:
    """Parse one serialized record as far as augmentation needs it: the labels, and the stored crop as `image`."""
    features = _parse(record, manifest, *LABELS, "image")
    image = tf.io.decode_jpeg(features["image"], channels=3, dct_method="INTEGER_ACCURATE")
    return features | {"image": tf.ensure_shape(image, (*manifest.crop.stored_size, 3))}


def parse_canonical(record: tf.Tensor, manifest: Manifest) -> dict[str, tf.Tensor]:
    """Parse one serialized record: the labels, and the canonical crop as `image`.

    Only that part of the JPEG is decoded; its pixels are those of the centre of the whole.
    """
    features = _parse(record, manifest, *LABELS, "image")
    crop = manifest.crop
    (height, width), context = crop.input_size, min(crop.margin, _CONTEXT_PX)
    start = crop.margin - context
    part = [start, start, height + 2 * context, width + 2 * context]
    decoded = tf.io.decode_and_crop_jpeg(features["image"], part, channels=3, dct_method="INTEGER_ACCURATE")
    image = tf.ensure_shape(decoded[context : context + height, context : context + width], (height, width, 3))
    return features | {"image": image}


def parse_heatmaps(record: tf.Tensor, manifest: Manifest) -> tf.Tensor:
    """Return the stored heatmaps (h, w, K) uint8 of one serialized record."""
    return _unpack_heatmaps(_parse(record, manifest, "heatmaps")["heatmaps"], manifest)


def _parse(record: tf.Tensor, manifest: Manifest, *names: str) -> dict[str, tf.Tensor]:
    specs = feature_specs(manifest)
    parsed: dict[str, tf.Tensor] = tf.io.parse_single_example(record, {name: specs[name] for name in names})
    return parsed


def _unpack_heatmaps(packed: tf.Tensor, manifest: Manifest) -> tf.Tensor:
    raw = tf.io.decode_raw(tf.io.decode_compressed(packed, "ZLIB"), tf.uint8)
    return tf.reshape(raw, (*manifest.crop.heatmap_size, len(manifest.keypoints.names)))
