"""Keypoints to heatmaps and back: encoder and decoder side by side, sub-pixel both ways.

N people, K joints, heatmaps of (h, w); points are (x, y) in heatmap pixels, pixel centres at .5.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.pose.affine import crop_to_index, heatmap_to_crop, pixel_centres

PEAK = 255  # of a quantised heatmap
Decoder = Literal["argmax", "quarter", "taylor"]
MAX_SHIFT_PX = 2.0


def encode_heatmaps(
    points: ArrayLike, labelled: ArrayLike, *, size: tuple[int, int], sigma_px: float
) -> NDArray[np.float64]:
    """Draw a Gaussian of peak 1 at each labelled joint.

    Args:
        points: (K, 2) joints in heatmap pixels.
        labelled: (K,) true where the joint is labelled; the maps of the others are zero.
        size: (h, w) of a heatmap.
        sigma_px: standard deviation in heatmap pixels.

    Returns:
        (h, w, K) float64, exp(-((c + .5 - x)^2 + (r + .5 - y)^2) / (2 sigma^2)) at row r and column c, not truncated.
    """
    at = np.asarray(points, np.float64)
    height, width = size
    # The Gaussian is separable: h + w exponentials a joint instead of h * w.
    columns = np.exp(-np.square(pixel_centres(width)[:, None] - at[:, 0]) / (2 * sigma_px**2))
    rows = np.exp(-np.square(pixel_centres(height)[:, None] - at[:, 1]) / (2 * sigma_px**2))
    columns *= np.asarray(labelled, bool)
    return rows[:, None, :] * columns[None, :, :]


def quantise_heatmaps(heatmaps: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return round(255 * value) as uint8, same shape."""
    return np.rint(heatmaps * PEAK).astype(np.uint8)


def decode_heatmaps(
    heatmaps: ArrayLike, *, decoder: Decoder = "taylor"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the joint in each map.

    Args:
        heatmaps: (..., h, w, K) of any real type; a map is read relative to its own peak.
        decoder: `argmax`, the centre of the highest pixel; `quarter`, shifted by 0.25 towards the higher neighbour
            (Newell et al. 2016); `taylor`, the summit of a quadratic fitted to the logarithm (Zhang et al. 2020,
            "Distribution-Aware Coordinate Representation"), exact for a Gaussian.

    Returns:
        points (..., K, 2) float64 in heatmap pixels, and peaks (..., K), the highest value of each map in the
        maps' own units. A map whose peak is not positive gives point (0, 0).
    """
    maps = np.asarray(heatmaps)
    *lead, height, width, joints = maps.shape
    flat = maps.reshape(-1, height * width, joints)
    best = _highest_pixel(maps.reshape(-1, height, width, joints))
    peaks = np.take_along_axis(flat, best[:, None, :], axis=1)[:, 0].astype(np.float64)
    row, column = np.divmod(best, width)
    if decoder != "argmax":
        # The neighbours are read inside the map: at the border the centre moves in by one pixel.
        near_row, near_column = np.clip(row, 1, height - 2), np.clip(column, 1, width - 2)
        patches = _patches(maps.reshape(-1, height, width, joints), near_row, near_column)
    if decoder == "argmax":
        offset = np.zeros((*best.shape, 2))
    elif decoder == "quarter":
        interior = (near_row == row) & (near_column == column)
        offset = _quarter_offset(patches) * interior[..., None]
    else:
        row, column = near_row, near_column
        smallest = 0.5 if np.issubdtype(maps.dtype, np.integer) else 1e-6 * peaks[..., None, None]
        offset = _taylor_offset(np.log(np.maximum(patches, np.maximum(smallest, np.finfo(float).tiny))))
    points = np.stack([column, row], axis=-1) + 0.5 + offset
    points[~(peaks > 0)] = 0
    return points.reshape(*lead, joints, 2), peaks.reshape(*lead, joints)


def decode_in_image(
    heatmaps: ArrayLike,
    windows: ArrayLike,
    *,
    stride: int,
    input_size: tuple[int, int],
    decoder: Decoder = "taylor",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the joints of N people in their photographs: the whole way back from heatmaps.

    Args:
        heatmaps: (N, h, w, K), see `decode_heatmaps`.
        windows: (N, 4), the people's canonical crops in their photographs: x, y, width, height in pixels.
        stride: crop pixels per heatmap pixel.
        input_size: (H, W) of a crop.
        decoder: see `decode_heatmaps`.

    Returns:
        joints (N, K, 2) in COCO's frame, pixel indices, not rounded; and peaks (N, K), see `decode_heatmaps`.
    """
    points, peaks = decode_heatmaps(heatmaps, decoder=decoder)
    return crop_to_index(heatmap_to_crop(points, stride), windows, input_size), peaks


def _highest_pixel(maps: NDArray[np.generic]) -> NDArray[np.intp]:
    """Return (N, K) the place of each map's highest pixel, row by row, the first of equals, of maps (N, h, w, K).

    What `argmax` over (h * w) returns in a tenth of the time: the maps lie K apart in memory, but rows lie whole.
    """
    count, _, width, joints = maps.shape
    people, joint = np.arange(count)[:, None], np.arange(joints)
    of_columns = maps.max(axis=1)
    column = of_columns.argmax(axis=1)
    place: NDArray[np.intp] = maps[people, :, column, joint].argmax(axis=-1) * width + column
    # Of equals in several columns, another may be in an earlier row.
    peaks = np.take_along_axis(of_columns, column[:, None], axis=1)
    several = (np.count_nonzero(of_columns == peaks, axis=1) > 1) & (peaks[:, 0] > 0)  # an empty map has no joint
    for n, k in zip(*several.nonzero(), strict=True):
        place[n, k] = maps[n, :, :, k].argmax()
    return place


def _patches(maps: NDArray[np.generic], row: NDArray[np.intp], column: NDArray[np.intp]) -> NDArray[np.float64]:
    """Cut (N, K, 3, 3) patches around pixel (row, column), each (N, K), of maps (N, h, w, K)."""
    step = np.arange(-1, 2)
    people = np.arange(maps.shape[0])[:, None, None, None]
    joint = np.arange(maps.shape[3])[:, None, None]
    rows, columns = row[..., None, None] + step[:, None], column[..., None, None] + step
    patches: NDArray[np.float64] = maps[people, rows, columns, joint].astype(np.float64)
    return patches


def _quarter_offset(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.sign(patches[..., 1, 2] - patches[..., 1, 0])
    y = np.sign(patches[..., 2, 1] - patches[..., 0, 1])
    return 0.25 * np.stack([x, y], axis=-1)


def _taylor_offset(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (..., 2) from the centre of (..., 3, 3) logarithms to the summit of the quadratic through them."""
    centre, left, right = logs[..., 1, 1], logs[..., 1, 0], logs[..., 1, 2]
    up, down = logs[..., 0, 1], logs[..., 2, 1]
    dx, dy = (right - left) / 2, (down - up) / 2
    dxx, dyy = right - 2 * centre + left, down - 2 * centre + up
    dxy = (logs[..., 2, 2] - logs[..., 2, 0] - logs[..., 0, 2] + logs[..., 0, 0]) / 4
    determinant = dxx * dyy - dxy * dxy
    summit = (determinant > 1e-12) & (dxx < 0)
    safe = np.where(summit, determinant, 1.0)
    x = np.where(summit, (dxy * dy - dyy * dx) / safe, 0.0)
    y = np.where(summit, (dxy * dx - dxx * dy) / safe, 0.0)
    offset: NDArray[np.float64] = np.stack([x, y], axis=-1)
    return offset.clip(-MAX_SHIFT_PX, MAX_SHIFT_PX)
