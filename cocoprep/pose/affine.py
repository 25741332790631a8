"""Maps between image, crop and heatmap: the one home of the half-pixel.

Coordinates are continuous with the origin at the top left corner of the top left pixel; pixel (row r, column c)
covers [c, c + 1) x [r, r + 1) and its centre is (c + 0.5, r + 0.5). Points are (x, y). Sizes are (H, W).
The build's maps are axis-aligned, so scale and offset per axis say all; augmentation turns, and takes affines (2, 3).
All work in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]


class CropWindow(NamedTuple):
    """A rectangle of the image, in image pixels, that a crop shows."""

    x0: float
    y0: float
    width: float
    height: float


def distances(points: ArrayLike, others: ArrayLike) -> Points:
    """Return (...) how far points (..., 2) lie from others (..., 2) of the same frame."""
    apart = np.asarray(points, np.float64) - np.asarray(others, np.float64)
    lengths: Points = np.hypot(apart[..., 0], apart[..., 1])
    return lengths


def pixel_centres(count: int) -> Points:
    """Return (count,) centres of the pixels along one axis."""
    return np.arange(count, dtype=np.float64) + 0.5


def index_to_point(pixel_index: ArrayLike) -> Points:
    """Turn COCO pixel indices (..., 2) into points at the pixels' centres."""
    return np.asarray(pixel_index, np.float64) + 0.5


def point_to_index(points: ArrayLike) -> Points:
    """Turn points (..., 2) into COCO pixel indices, not rounded."""
    return np.asarray(points, np.float64) - 0.5


def crop_scale(window: CropWindow, input_size: tuple[int, int]) -> Points:
    """Return (2,) crop pixels per image pixel, x first."""
    height, width = input_size
    return np.array([width / window.width, height / window.height])


def image_to_crop(points: ArrayLike, window: CropWindow, input_size: tuple[int, int]) -> Points:
    """Map image points (..., 2) to points of the canonical crop of `input_size`."""
    origin = np.array([window.x0, window.y0], np.float64)
    return (np.asarray(points, np.float64) - origin) * crop_scale(window, input_size)


def crop_to_image(points: ArrayLike, window: CropWindow, input_size: tuple[int, int]) -> Points:
    """Map points (..., 2) of the canonical crop back to the image.

    The window's numbers may be arrays that broadcast against (...): one window for each person of a batch.
    """
    at, (height, width) = np.asarray(points, np.float64), input_size
    x = at[..., 0] * (np.asarray(window.width) / width) + window.x0
    y = at[..., 1] * (np.asarray(window.height) / height) + window.y0
    return np.stack([x, y], axis=-1)


def crop_to_index(points: ArrayLike, windows: ArrayLike, input_size: tuple[int, int]) -> Points:
    """Map points (N, K, 2) of N people's crops to COCO's pixel indices in their photographs, not rounded.

    The windows (N, 4) are the crops in the photographs: x, y, width, height in pixels.
    """
    window = CropWindow(*np.asarray(windows, np.float64).reshape(-1, 4).T[:, :, None])
    return point_to_index(crop_to_image(points, window, input_size))


def crop_to_heatmap(points: ArrayLike, stride: int) -> Points:
    """Map crop points (..., 2) to heatmap points."""
    return np.asarray(points, np.float64) / stride


def heatmap_to_crop(points: ArrayLike, stride: int) -> Points:
    """Map heatmap points (..., 2) to crop points."""
    return np.asarray(points, np.float64) * stride


def crop_to_stored(points: ArrayLike, margin: int) -> Points:
    """Map points of the canonical crop to the stored crop, which has `margin` pixels more on every side."""
    return np.asarray(points, np.float64) + margin


def flip_points(points: ArrayLike, width: float, flip_index: Sequence[int]) -> Points:
    """Mirror points (..., K, 2) of a picture `width` wide, and swap left and right joints."""
    mirrored = np.array(points, np.float64)
    mirrored[..., 0] = width - mirrored[..., 0]
    return np.ascontiguousarray(mirrored[..., list(flip_index), :])


def inside(points: ArrayLike, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell which points (..., 2) lie within a picture of `size` (H, W)."""
    at = np.asarray(points, np.float64)
    height, width = size
    within: NDArray[np.bool_] = (at >= 0).all(axis=-1) & (at[..., 0] < width) & (at[..., 1] < height)
    return within


def apply_affine(points: ArrayLike, affine: ArrayLike) -> Points:
    """Map points (..., K, 2) by affines (..., 2, 3): the last column is added to the product with the others."""
    at, matrix = np.asarray(points, np.float64), np.asarray(affine, np.float64)
    # Written out, not as a matrix product: a product's order of sums may differ from machine to machine.
    x = at[..., 0] * matrix[..., 0, 0, None] + at[..., 1] * matrix[..., 0, 1, None] + matrix[..., 0, 2, None]
    y = at[..., 0] * matrix[..., 1, 0, None] + at[..., 1] * matrix[..., 1, 1, None] + matrix[..., 1, 2, None]
    return np.stack([x, y], axis=-1)


def invert_affine(affine: ArrayLike) -> Points:
    """Return the affines (..., 2, 3) that undo `affine` (..., 2, 3)."""
    (a, b, c), (d, e, f) = np.moveaxis(np.asarray(affine, np.float64), (-2, -1), (0, 1))
    determinant = a * e - b * d
    rows = [[e, -b, b * f - c * e], [-d, a, c * d - a * f]]
    adjugate: Points = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    inverse: Points = adjugate / determinant[..., None, None]
    return inverse


def affine_of_pixels(affine: ArrayLike) -> Points:
    """Turn maps of points (..., 2, 3) into the same maps of pixel indices, whole numbers at the pixels' centres."""
    matrix = np.array(affine, np.float64)
    matrix[..., 2] += 0.5 * (matrix[..., 0] + matrix[..., 1]) - 0.5
    return matrix
