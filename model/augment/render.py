"""Draw heatmaps of many people at once, as the build drew them, at a tenth of its cost.

N people, K joints, heatmaps of (h, w); points are (x, y) in heatmap pixels, pixel centres at .5.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cocoprep.model.augment.buffers import empty_pixels
from cocoprep.pose.affine import pixel_centres
from cocoprep.pose.heatmaps import PEAK


def render_heatmaps(
    points: NDArray[np.floating], labelled: NDArray[np.bool_], *, size: tuple[int, int], sigma_px: float
) -> NDArray[np.uint8]:
    """Draw what `quantise_heatmaps(encode_heatmaps(...))` draws for each person.

    Only the pixels around a joint whose value rounds to 1 or more are computed: at sigma 2 and 64 x 64, 1 in 18.

    Args:
        points: (N, K, 2) joints; any may lie outside the map.
        labelled: (N, K) true where the joint is labelled; the maps of the others are zero.
        size: (h, w) of a heatmap.
        sigma_px: standard deviation in heatmap pixels.

    Returns:
        (N, h, w, K) uint8, round(255 * value).
    """
    people, joints = labelled.shape
    height, width = size
    heatmaps = empty_pixels(people, height, width, joints)
    heatmaps[:] = 0
    person, joint = np.nonzero(labelled)
    at = np.asarray(points, np.float64)[person, joint]
    columns, across = _profile(at[:, 0], width, sigma_px)
    rows, down = _profile(at[:, 1], height, sigma_px)
    place = ((person[:, None] * height + rows)[:, :, None] * width + columns[:, None, :]) * joints
    values = down[:, :, None] * across[:, None, :]
    values *= PEAK
    heatmaps.reshape(-1)[place + joint[:, None, None]] = np.rint(values, out=values).astype(np.uint8)
    return heatmaps


def _profile(centre: NDArray[np.float64], length: int, sigma_px: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return pixels (M, n) of one axis around each centre (M,), all within the map, and the Gaussian's values there."""
    radius = sigma_px * math.sqrt(2 * math.log(2 * PEAK))  # where the value falls below half a level
    count = min(length, math.floor(2 * radius) + 1)
    first = np.clip(np.ceil(centre - radius - 0.5), 0, length - count).astype(np.intp)
    pixels = first[:, None] + np.arange(count)
    return pixels, np.exp(-np.square(pixel_centres(length)[pixels] - centre[:, None]) / (2 * sigma_px**2))
