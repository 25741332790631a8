"""Joints and limbs over a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from cocoprep.draw import ink
from cocoprep.draw.palette import OUTLINE, joint_colours, limb_colours
from cocoprep.pose.affine import CropWindow, image_to_crop
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17

HIDDEN = 1
PICTURE_SHARE = 1 / 100  # a skeleton's unit, of the picture's shorter side
EXTENT_SHARE = 1 / 34  # ... but no more than this of the person's own extent, lest a small one become a blot
SMALLEST_UNIT_PX, LARGEST_UNIT_PX = 1.3, 10.0


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
    _paint_limbs(canvas, at, drawn, table=table, unit=unit)
    _paint_joints(canvas, at, drawn, hidden=seen == HIDDEN, table=table, unit=unit)


def suitable_unit(points: NDArray[np.float64], size: tuple[int, int]) -> float:
    """Return the unit that joints and limbs are measured in, in pixels, for points (n, 2) on a picture (H, W)."""
    unit = min(size) * PICTURE_SHARE
    if len(points) > 1:
        unit = min(unit, max(float(np.ptp(points, axis=0).max()) * EXTENT_SHARE, unit / 2))
    return min(max(unit, SMALLEST_UNIT_PX), LARGEST_UNIT_PX)


def _paint_limbs(
    canvas: ink.Canvas, at: NDArray[np.float64], drawn: NDArray[np.bool_], *, table: KeypointTable, unit: float
) -> None:
    limbs = [
        (at[[a, b]], colour)
        for (a, b), colour in zip(table.limb_index, limb_colours(table), strict=True)
        if drawn[a] and drawn[b]
    ]
    for ends, _ in limbs:  # all outlines first, so that none cuts through another limb
        ink.line(canvas, ends, 1.1 * unit + 2 * _rim(unit), OUTLINE)
    for ends, colour in limbs:
        ink.line(canvas, ends, 1.1 * unit, colour)


def _paint_joints(
    canvas: ink.Canvas,
    at: NDArray[np.float64],
    drawn: NDArray[np.bool_],
    *,
    hidden: NDArray[np.bool_],
    table: KeypointTable,
    unit: float,
) -> None:
    radius, rim = 1.25 * unit, _rim(unit)
    for k in np.flatnonzero(drawn):
        colour = joint_colours(table)[k]
        ink.disc(canvas, at[k], radius + rim, OUTLINE)
        ink.disc(canvas, at[k], radius, colour)
        if hidden[k]:
            ink.disc(canvas, at[k], 0.62 * radius, OUTLINE)


def _rim(unit: float) -> float:
    """Return the width of the dark outline."""
    return max(0.7, 0.32 * unit)
