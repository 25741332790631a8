"""A drawn thing, cut out: colours and coverage of its box, and for a person the joints that show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from cocoprep.sample.figure import figure_tubes
from cocoprep.sample.joints import COCO_JOINTS, FigureJoints, joint_points
from cocoprep.sample.outfit import Outfit
from cocoprep.sample.raster import Canvas, Floats, Tube, Vector, draw_tube, shrink_canvas
from cocoprep.sample.skeleton import Body, Skeleton


@dataclass(frozen=True, slots=True)
class Layer:
    """One thing to lay on the image.

    `colours` float32 (h, w, 3), 0 to 255 times coverage, and `coverage` float32 (h, w) belong at column
    `left` and row `top`. A person has `points` (K, 2), image pixels from the image's top left corner, and
    `shown` (K,), whether no other part of the same body hides the joint.
    """

    left: int
    top: int
    colours: Floats
    coverage: Floats
    points: NDArray[np.float64] | None = None
    shown: NDArray[np.bool_] | None = None


def _place(tube: Tube, scale: float, shift: Vector) -> Tube:
    """Move a tube from statures to canvas pixels."""
    return replace(
        tube,
        start=tube.start * scale + shift,
        end=tube.end * scale + shift,
        wide=tube.wide * np.float32(scale),
        deep=tube.deep * np.float32(scale),
    )


def _window(tubes: list[Tube], scale: float, origin: Vector, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the part of the image that the tubes can touch."""
    ends = np.array([end[:2] for tube in tubes for end in (tube.start, tube.end)])
    reach = np.repeat([max(tube.wide.max(), tube.deep.max()) for tube in tubes], 2)[:, None]
    low, high = (ends - reach).min(0) * scale + origin[:2], (ends + reach).max(0) * scale + origin[:2]
    left, top = max(0, floor(low[0])), max(0, floor(low[1]))
    return left, top, min(size[0], ceil(high[0])), min(size[1], ceil(high[1]))


def draw_tubes(
    tubes: list[Tube],
    palette: Floats,
    *,
    scale: float,
    origin: Vector,
    size: tuple[int, int],
    light: tuple[float, float, float],
    factor: int = 2,
) -> tuple[Layer, Canvas] | None:
    """Draw tubes, `scale` pixels to their unit, as far as they are in an image of `size` (width, height).

    Returns:
        The layer and the canvas, `factor` times as fine, from which it was made; None if nothing is inside.
    """
    left, top, right, bottom = _window(tubes, scale, origin, size)
    if left >= right or top >= bottom:
        return None
    canvas = Canvas((bottom - top) * factor, (right - left) * factor, light)
    shift = (origin - np.array([left, top, 0])) * factor
    for tube in tubes:
        draw_tube(canvas, _place(tube, scale * factor, shift))
    colours, coverage = shrink_canvas(canvas, palette, factor)
    return Layer(left, top, colours, coverage), canvas


def draw_person(
    skeleton: Skeleton,
    body: Body,
    outfit: Outfit,
    *,
    stature_px: float,
    origin: Vector,
    size: tuple[int, int],
    light: tuple[float, float, float],
    joints: FigureJoints = COCO_JOINTS,
) -> Layer | None:
    """Draw a person with its pelvis at `origin` (3,), image pixels; None if nothing of it is in the image."""
    factor = 2 if stature_px > 110 else 3
    tubes = figure_tubes(skeleton, body, outfit, face=stature_px > 45)
    drawn = draw_tubes(tubes, outfit.palette, scale=stature_px, origin=origin, size=size, light=light, factor=factor)
    if drawn is None:
        return None
    layer, canvas = drawn
    points = joint_points(joints, skeleton, body) * stature_px + origin
    places = (points - np.array([layer.left, layer.top, 0])) * factor
    reach = np.array([joint.reach for joint in joints])
    shown = _shown(canvas, places, reach * stature_px * factor * max(1.0, body.build))
    return replace(layer, points=points[:, :2], shown=shown)


def _shown(canvas: Canvas, places: NDArray[np.float64], within: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which joints (K, 3), canvas pixels, have nothing more than `within` (K,) before them."""
    columns, rows = (places[:, i].astype(int) for i in (0, 1))
    inside = (columns >= 0) & (rows >= 0) & (columns < canvas.width) & (rows < canvas.height)
    surface = np.full(len(places), -np.inf)
    surface[inside] = canvas.depth[rows[inside], columns[inside]]
    return inside & (surface - places[:, 2] <= within)
