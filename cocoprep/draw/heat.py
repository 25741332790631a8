"""Heatmaps as pictures: all of them blended over the crop, or one on its exact grid."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from cocoprep.draw import ink
from cocoprep.draw.palette import TEXT, distinct_colours, heat_colours, joint_colours
from cocoprep.pose.heatmaps import PEAK
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17

CROP_LIGHT = 0.55  # how bright the crop stays under the heatmaps
ZOOM_CELLS = 15  # heatmap pixels across the enlarged part
ZOOM_SHARE = 0.36  # of the picture's shorter side
GRID_FROM_PX = 4  # finer grid lines than this would hide the map


def heatmaps_overlay(
    canonical_crop: ink.Picture,
    heatmaps: NDArray[np.generic],
    *,
    table: KeypointTable = COCO_17,
    colours: Literal["side", "joint"] = "side",
    size: tuple[int, int] | None = None,
) -> Image.Image:
    """Return the canonical crop, dimmed, with all heatmaps blended over it.

    Args:
        canonical_crop: RGB, a PIL image or (H, W, 3) uint8; it is not changed.
        heatmaps: (h, w, K) uint8, value * 255, or floating, 0 to 1.
        table: the K joints.
        colours: one a side, or one a joint.
        size: (H, W) of the result; None keeps the crop's own.
    """
    image = canonical_crop if isinstance(canonical_crop, Image.Image) else Image.fromarray(canonical_crop)
    size = size or (image.height, image.width)
    canvas = _dimmed(ink.enlarge(image, size))
    hues = joint_colours(table) if colours == "side" else distinct_colours(len(table))
    weights, ink_sum, strongest = _blend(unit_values(heatmaps), hues, size)
    colour = ink_sum / np.maximum(weights, 1e-6)[..., None]
    # The square root lifts the flanks of a Gaussian, which would otherwise drown in the photograph.
    canvas += (0.92 * np.sqrt(strongest))[..., None] * (colour - canvas)
    return ink.picture_of(canvas)


def _blend(
    values: NDArray[np.float32], hues: NDArray[np.float32], size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return the sum of the maps, the sum of their colours, and the strongest map, each at `size`."""
    weights, strongest = np.zeros(size, np.float32), np.zeros(size, np.float32)
    coloured = np.zeros((*size, 3), np.float32)
    for k, hue in enumerate(hues):
        if not values[..., k].any():
            continue
        one = np.asarray(Image.fromarray(values[..., k]).resize(size[::-1], Image.Resampling.BILINEAR))
        weights += one
        coloured += one[..., None] * hue
        strongest = np.maximum(strongest, one)
    return weights, coloured, np.clip(strongest, 0, 1)


def joint_heatmap(
    heatmap: NDArray[np.generic],
    size: tuple[int, int],
    *,
    under: ink.Picture | None = None,
    mark: ArrayLike | None = None,
) -> Image.Image:
    """Return one heatmap enlarged on its exact grid: each of its pixels is one even tile.

    Args:
        heatmap: (h, w) uint8, value * 255, or floating, 0 to 1.
        size: (H, W) of the result.
        under: the canonical crop, to show dimly where the map is near zero.
        mark: (2,) a point in heatmap pixels to put a cross on.
    """
    values = unit_values(heatmap)
    height, width = values.shape
    rows = np.arange(size[0]) * height // size[0]
    columns = np.arange(size[1]) * width // size[1]
    tiles = values[np.ix_(rows, columns)]
    canvas = heat_colours(tiles)
    if under is not None:
        canvas += (0.7 * np.clip(1 - 4 * tiles, 0, 1))[..., None] * (_dimmed(ink.enlarge(under, size)) - canvas)
    _paint_grid(canvas, (height, width))
    if mark is not None:
        _paint_mark(canvas, np.asarray(mark, np.float64) * (size[1] / width, size[0] / height))
    return ink.picture_of(canvas)


def zoomed_heatmap(
    heatmap: NDArray[np.generic], size: tuple[int, int], *, under: ink.Picture, point: ArrayLike
) -> Image.Image:
    """Return `joint_heatmap` with the surroundings of a joint, (2,) in heatmap pixels, enlarged in a far corner."""
    height, width = heatmap.shape
    canvas = ink.canvas_of(joint_heatmap(heatmap, size, under=under))
    at = np.asarray(point, np.float64)
    across = min(ZOOM_CELLS, height, width)
    first = np.clip(np.floor(at).astype(int) - across // 2, 0, (width - across, height - across))
    cell = max(1, round(ZOOM_SHARE * min(size) / across))
    patch = heatmap[first[1] : first[1] + across, first[0] : first[0] + across]
    inset = np.asarray(joint_heatmap(patch, (cell * across, cell * across), mark=at - first), np.float32)
    x_step, y_step = size[1] / width, size[0] / height
    left, top, span = first[0] * x_step, first[1] * y_step, across
    ink.box(canvas, (left, top, left + span * x_step, top + span * y_step), TEXT, width_px=1)
    gap = 8
    x = gap if at[0] > width / 2 else size[1] - gap - inset.shape[1]
    y = gap if at[1] > height / 2 else size[0] - gap - inset.shape[0]
    canvas[y : y + inset.shape[0], x : x + inset.shape[1]] = inset
    ink.box(canvas, (x, y, x + inset.shape[1], y + inset.shape[0]), TEXT, width_px=2)
    return ink.picture_of(canvas)


def _paint_mark(canvas: ink.Canvas, at: NDArray[np.float64]) -> None:
    """Paint a small cross on a point."""
    for width_px, colour in ((4.0, (0, 0, 0)), (1.8, TEXT)):
        for arm in ((7.0, 0.0), (0.0, 7.0)):
            ink.line(canvas, [at - arm, at + arm], width_px, colour)


def unit_values(heatmaps: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return heatmaps as float32 from 0 to 1, whether they are quantised or not."""
    values = np.asarray(heatmaps, np.float32)
    return values / np.float32(PEAK) if np.issubdtype(heatmaps.dtype, np.integer) else values


def _paint_grid(canvas: ink.Canvas, cells: tuple[int, int]) -> None:
    for axis, count in enumerate(cells):
        length = canvas.shape[axis]
        if length < count * GRID_FROM_PX:
            continue
        starts = -(-np.arange(1, count) * length // count)
        lines = canvas[starts] if axis == 0 else canvas[:, starts]
        lines += 0.05 * (np.float32(255) - lines)
        if axis == 0:
            canvas[starts] = lines
        else:
            canvas[:, starts] = lines


def _dimmed(picture: ink.Picture) -> ink.Canvas:
    """Return a canvas with a picture darkened and half drained of colour, so that colours over it read."""
    canvas = ink.canvas_of(picture)
    grey = canvas.mean(axis=-1, keepdims=True)
    return np.asarray(CROP_LIGHT * (0.4 * canvas + 0.6 * grey), np.float32)
