"""Joints and limbs over a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from cocoprep.draw import ink
from cocoprep.draw.palette import OUTLINE, joint_colours, limb_colours
from cocoprep.pose.affine import CropWindow, distances, image_to_crop
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17

HIDDEN = 1
PICTURE_SHARE = 1 / 100  # a skeleton's unit, of the picture's shorter side
EXTENT_SHARE = 1 / 34  # ... but no more than this of the person's own extent, lest a small one become a blot
SMALLEST_UNIT_PX, LARGEST_UNIT_PX = 1.3, 10.0
DENSE_FROM = 30  # joints of a table: then some stand as close as those of a face or a hand, and are drawn smaller
CLOSE_SHARE, SMALLEST_SHARE = 0.3, 0.35  # of the distance to the nearest joint, and of the size of others


def draw_skeleton(
    picture: ink.Picture,
    points: ArrayLike,
    visibility: ArrayLike,
    *,
    table: KeypointTable = COCO_17,
    size: tuple[int, int] | None = None,
    unit_px: float | None = None,
) -> Image.Image:
    """Return a picture with a person's joints and limbs drawn over it.

    Left, right and central joints and limbs differ in colour; the sides are the person's own. A visible joint is a
    disc, a hidden one a ring, one that is not labelled is left out with its limbs.

    Args:
        picture: RGB, a PIL image or (H, W, 3) uint8; it is not changed.
        points: (K, 2) joints in pixels of `picture`; any may lie outside it.
        visibility: (K,) 0 not labelled, 1 hidden, 2 visible.
        table: the K joints.
        size: (H, W) of the result; the picture is resized and the points with it. None keeps the picture's own.
        unit_px: half a joint's width, about; None chooses one that suits picture and person.
    """
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    size = size or (image.height, image.width)
    at = image_to_crop(points, CropWindow(0, 0, image.width, image.height), size)
    canvas = ink.canvas_of(image if size == (image.height, image.width) else ink.enlarge(image, size))
    paint_skeleton(canvas, at, visibility, table=table, unit_px=unit_px)
    return ink.picture_of(canvas)


def paint_skeleton(
    canvas: ink.Canvas,
    points: ArrayLike,
    visibility: ArrayLike,
    *,
    table: KeypointTable = COCO_17,
    unit_px: float | None = None,
) -> None:
    """Paint a person into a canvas in place, points in its pixels; else as `draw_skeleton`."""
    at, seen = np.asarray(points, np.float64), np.asarray(visibility)
    drawn = (seen > 0) & np.isfinite(at).all(axis=-1)
    height, width = canvas.shape[:2]
    unit = suitable_unit(at[drawn], (height, width)) if unit_px is None else unit_px
    units = np.full(len(at), unit)
    if len(table) > DENSE_FROM:
        units[drawn] = _where_close(at[drawn], unit)
    _paint_limbs(canvas, at, drawn, table=table, units=units)
    _paint_joints(canvas, at, drawn, hidden=seen == HIDDEN, table=table, units=units)


def suitable_unit(points: NDArray[np.float64], size: tuple[int, int]) -> float:
    """Return the unit that joints and limbs are measured in, in pixels, for points (n, 2) on a picture (H, W)."""
    unit = min(size) * PICTURE_SHARE
    if len(points) > 1:
        unit = min(unit, max(float(np.ptp(points, axis=0).max()) * EXTENT_SHARE, unit / 2))
    return min(max(unit, SMALLEST_UNIT_PX), LARGEST_UNIT_PX)


def _where_close(points: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Return the unit of each of some points (n, 2): smaller where another is so near that they would be one blot."""
    apart = distances(points[:, None], points[None])
    np.fill_diagonal(apart, np.inf)
    units: NDArray[np.float64] = np.clip(CLOSE_SHARE * apart.min(axis=1, initial=np.inf), SMALLEST_SHARE * unit, unit)
    return units


def _paint_limbs(
    canvas: ink.Canvas,
    at: NDArray[np.float64],
    drawn: NDArray[np.bool_],
    *,
    table: KeypointTable,
    units: NDArray[np.float64],
) -> None:
    limbs = [
        (at[[a, b]], max(units[a], units[b]), colour)
        for (a, b), colour in zip(table.limb_index, limb_colours(table), strict=True)
        if drawn[a] and drawn[b]
    ]
    for ends, unit, _ in limbs:  # all outlines first, so that none cuts through another limb
        ink.line(canvas, ends, 1.1 * unit + 2 * _rim(unit), OUTLINE)
    for ends, unit, colour in limbs:
        ink.line(canvas, ends, 1.1 * unit, colour)


def _paint_joints(
    canvas: ink.Canvas,
    at: NDArray[np.float64],
    drawn: NDArray[np.bool_],
    *,
    hidden: NDArray[np.bool_],
    table: KeypointTable,
    units: NDArray[np.float64],
) -> None:
    colours = joint_colours(table)
    for k in np.flatnonzero(drawn):
        radius, rim, colour = 1.25 * units[k], _rim(units[k]), colours[k]
        ink.disc(canvas, at[k], radius + rim, OUTLINE)
        ink.disc(canvas, at[k], radius, colour)
        if hidden[k]:
            ink.disc(canvas, at[k], 0.62 * radius, OUTLINE)


def _rim(unit: float) -> float:
    """Return the width of the dark outline."""
    return max(min(0.7, 0.54 * unit), 0.32 * unit)  # as thin as the smallest dots
