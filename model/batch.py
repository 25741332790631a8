"""What happens to batches in a tf.data graph: B people, K joints. `model.dataset` lists a batch's tensors."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cocoprep import affine
from cocoprep.manifest import CropRecord
from model.augment import Augmenter
from model.render import render_heatmaps

People = dict[str, tf.Tensor]  # tensors by name, of one person or of a batch


def augment(people: People, epochs: tf.Tensor, augmenter: Augmenter) -> tuple[People, tf.Tensor]:
    """Vary a batch of people (B, ...) whose `image` is the stored crop, in their epochs (B,).

    Returns:
        The people with `image`, `heatmaps`, `keypoints` and `visibility` as they came out, and (B,) float32 the size
        of each window as a multiple of the canonical one.
    """
    names = ("image", "keypoints", "visibility", "annotation_id")
    kinds = (tf.uint8, tf.uint8, tf.float32, tf.int32, tf.float32)
    image, heatmaps, keypoints, visibility, zoom = tf.numpy_function(
        augmenter, [*(people[name] for name in names), epochs], kinds
    )
    crop, batch = augmenter.crop, people["image"].shape[0]
    varied = {
        "image": tf.ensure_shape(image, (batch, *crop.input_size, 3)),
        "heatmaps": tf.ensure_shape(heatmaps, (batch, *crop.heatmap_size, people["keypoints"].shape[1])),
        "keypoints": tf.ensure_shape(keypoints, people["keypoints"].shape),
        "visibility": tf.ensure_shape(visibility, people["visibility"].shape),
    }
    return people | varied, tf.ensure_shape(zoom, (batch,))


def draw_heatmaps(people: People, crop: CropRecord) -> People:
    """Add the `heatmaps` of a batch whose pictures are the canonical crops."""

    def draw(keypoints: NDArray[np.float32], visibility: NDArray[np.int64]) -> NDArray[np.uint8]:
        points = affine.crop_to_heatmap(keypoints, crop.heatmap_stride)
        return render_heatmaps(points, visibility > 0, size=crop.heatmap_size, sigma_px=crop.sigma_px)

    drawn = tf.numpy_function(draw, [people["keypoints"], people["visibility"]], tf.uint8)
    batch, joints = people["visibility"].shape
    return people | {"heatmaps": tf.ensure_shape(drawn, (batch, *crop.heatmap_size, joints))}


def add_units(people: People, crop: CropRecord, zoom: tf.Tensor | float = 1.0) -> People:
    """Add `weights`, `box_side` and `valid` to a batch; `zoom` (B,) is that of `augment`, 1 for canonical crops."""
    height, width = crop.input_size
    x, y = tf.unstack(people["keypoints"], axis=-1)
    visibility = tf.cast(people["visibility"], tf.int32)
    counts = (visibility > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    crop_width = people["crop_window"][:, 2]
    # Nobody, who only fills up a batch, has no window.
    scale = tf.math.divide_no_nan(tf.cast(width, tf.float32), crop_width * zoom)
    return {
        "valid": tf.ones(crop_width.shape, tf.bool),
        **people,
        "visibility": visibility,
        "weights": tf.cast(counts, tf.float32),
        "box_side": tf.reduce_max(people["bbox"][:, 2:], axis=-1) * scale,
    }
