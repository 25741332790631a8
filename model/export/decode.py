"""`cocoprep.pose.heatmaps.decode_heatmaps` by `taylor`, as operations of a graph: what an exported network ends in.

N people, K joints, heatmaps of (h, w).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from cocoprep.pose.heatmaps import MAX_SHIFT_PX

TINY = 1e-30  # far below any peak; ONNX's converter takes logarithms in float32, which must not be of zero


def decode_taylor(heatmaps: Any) -> tuple[Any, Any]:
    """Find the joint in each map, sub-pixel.

    Args:
        heatmaps: (N, h, w, K) float32; h, w and K are known, N need not be.

    Returns:
        points (N, K, 2) in heatmap pixels, and peaks (N, K): float64, equal to those of `decode_heatmaps`. The offset
        is a quotient of small differences of logarithms: in float32 a broad peak would lose its third decimal.
    """
    _, height, width, joints = heatmaps.shape
    flat = ops.reshape(heatmaps, (-1, height * width, joints))
    best = tf.argmax(flat, axis=1, output_type=tf.int32)  # (N, K); Keras's own has operations that ONNX lacks
    peaks = ops.cast(ops.max(flat, axis=1), "float64")
    row = ops.clip(best // width, 1, height - 2)
    column = ops.clip(best % width, 1, width - 2)
    around = np.array([r * width + c for r in (-1, 0, 1) for c in (-1, 0, 1)], np.int32)
    place = (row * width + column)[:, None, :] + around[None, :, None]  # (N, 9, K)
    patches = ops.cast(ops.take_along_axis(flat, place, axis=1), "float64")
    smallest = ops.maximum(1e-6 * peaks, TINY)
    offset = _offset(ops.log(ops.maximum(patches, smallest[:, None, :])))
    points = ops.cast(ops.stack([column, row], axis=-1), "float64") + 0.5 + offset
    return ops.where((peaks > 0)[..., None], points, ops.zeros_like(points)), peaks


def _offset(logs: Any) -> Any:
    """Return (N, K, 2) from the centre of (N, 9, K) logarithms, row by row, to the summit of their quadratic."""
    above_left, up, above_right, left, centre, right, below_left, down, below_right = (logs[:, n] for n in range(9))
    dx, dy = (right - left) / 2, (down - up) / 2
    dxx, dyy = right - 2 * centre + left, down - 2 * centre + up
    dxy = (below_right - below_left - above_right + above_left) / 4
    determinant = dxx * dyy - dxy * dxy
    summit = ops.logical_and(determinant > 1e-12, dxx < 0)
    safe = ops.where(summit, determinant, ops.ones_like(determinant))
    x = ops.where(summit, (dxy * dy - dyy * dx) / safe, ops.zeros_like(safe))
    y = ops.where(summit, (dxy * dx - dxx * dy) / safe, ops.zeros_like(safe))
    return ops.clip(ops.stack([x, y], axis=-1), -MAX_SHIFT_PX, MAX_SHIFT_PX)
