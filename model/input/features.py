"""Parse records in a tf.data graph, by the schema that the manifest carries."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cocoprep.shards.manifest import Manifest

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
    raw = tf.io.decode_raw(tf.io.decode_compressed(features["heatmaps"], "ZLIB"), tf.uint8)
    heatmaps = tf.reshape(raw, (*manifest.crop.heatmap_size, len(manifest.keypoints.names)))
    return {**features, "image": image, "heatmaps": heatmaps}
