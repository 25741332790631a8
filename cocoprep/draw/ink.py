"""Marks on a canvas: discs, rings, lines and boxes, antialiased.

A canvas is (H, W, 3) float32 RGB that belongs to the function which made it with `canvas_of`; marks are painted into it
in place. Coordinates are those of `pose.affine`: continuous, pixel centres at .5. Each mark looks at the distance
from the pixel centres around it, and only there, so it lies where its coordinates say to a fraction of a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from cocoprep.draw.palette import OUTLINE
from cocoprep.pose.affine import pixel_centres

Canvas = NDArray[np.float32]
Picture = Image.Image | NDArray[np.uint8]
Bounds = tuple[float, float, float, float]  # left, top, right, bottom


def canvas_of(picture: Picture) -> Canvas:
    """Return a canvas with a copy of an RGB picture."""
    return np.array(picture.convert("RGB") if isinstance(picture, Image.Image) else picture, np.float32)


def picture_of(canvas: Canvas) -> Image.Image:
    """Return a canvas as an 8-bit RGB picture."""
    return Image.fromarray(np.rint(np.clip(canvas, 0, 255)).astype(np.uint8))


def enlarge(picture: Picture, size: tuple[int, int]) -> Image.Image:
    """Return a picture resized to `size` (H, W): its edges stay its edges."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    return image.convert("RGB").resize(size[::-1], Image.Resampling.LANCZOS)


def line(canvas: Canvas, ends: ArrayLike, width_px: float, colour: ArrayLike) -> None:
    """Paint a line with round ends between two points, (2, 2)."""
    start, end = np.asarray(ends, np.float64)
    _stroke(canvas, start, end, inner=0.0, outer=width_px / 2, colour=colour)


def disc(canvas: Canvas, centre: ArrayLike, radius_px: float, colour: ArrayLike) -> None:
    """Paint a disc around a point, (2,)."""
    at = np.asarray(centre, np.float64)
    _stroke(canvas, at, at, inner=0.0, outer=radius_px, colour=colour)


def ring(canvas: Canvas, centre: ArrayLike, radii_px: tuple[float, float], colour: ArrayLike) -> None:
    """Paint what lies between two circles around a point, (2,); what is within the inner one shows through."""
    at = np.asarray(centre, np.float64)
    _stroke(canvas, at, at, inner=radii_px[0], outer=radii_px[1], colour=colour)


def _stroke(
    canvas: Canvas,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    *,
    inner: float,
    outer: float,
    colour: ArrayLike,
) -> None:
    """Paint the pixels whose centre is `inner` to `outer` pixels away from a segment."""
    limit = np.array(canvas.shape[1::-1])
    low = np.clip(np.floor(np.minimum(start, end) - outer - 1), 0, limit).astype(int)
    high = np.clip(np.ceil(np.maximum(start, end) + outer + 1), 0, limit).astype(int)
    if (high <= low).any():
        return
    x = pixel_centres(limit[0])[low[0] : high[0]][None, :] - start[0]
    y = pixel_centres(limit[1])[low[1] : high[1]][:, None] - start[1]
    along = end - start
    length2 = float(along @ along)
    at = np.clip((x * along[0] + y * along[1]) / length2, 0, 1) if length2 else 0.0
    distance = np.hypot(x - at * along[0], y - at * along[1])
    coverage = np.clip(outer + 0.5 - distance, 0, 1)
    if inner > 0:
        coverage = np.minimum(coverage, np.clip(distance - inner + 0.5, 0, 1))
    patch = canvas[low[1] : high[1], low[0] : high[0]]
    patch += coverage.astype(np.float32)[..., None] * (np.asarray(colour, np.float32) - patch)


def fill(canvas: Canvas, bounds: Bounds, colour: ArrayLike, opacity: float = 1.0) -> None:
    """Paint the whole pixels of a rectangle, its edges rounded to pixels, as far as they lie on the canvas."""
    left, top, right, bottom = (max(0, round(edge)) for edge in bounds)
    patch = canvas[top:bottom, left:right]
    patch += np.float32(opacity) * (np.asarray(colour, np.float32) - patch)


def box(canvas: Canvas, bounds: Bounds, colour: ArrayLike, *, width_px: int = 2, dash_px: int | None = None) -> None:
    """Paint a rectangle's outline, crisp, over a soft dark one that parts it from any background."""
    for edge in _edges(bounds, width_px + 2):
        fill(canvas, edge, OUTLINE, 0.45)
    for edge in _edges(bounds, width_px):
        for piece in _dashes(edge, canvas.shape, dash_px) if dash_px else [edge]:
            fill(canvas, piece, colour)


def _edges(bounds: Bounds, width_px: int) -> list[Bounds]:
    """Return four rectangles `width_px` wide, centred on the edges of a rectangle, that do not overlap."""
    left, top, right, bottom = (round(edge - width_px / 2) for edge in bounds)
    return [
        (left, top, right + width_px, top + width_px),
        (left, bottom, right + width_px, bottom + width_px),
        (left, top + width_px, left + width_px, bottom),
        (right, top + width_px, right + width_px, bottom),
    ]


def _dashes(edge: Bounds, shape: Sequence[int], dash_px: int) -> list[Bounds]:
    """Cut the part of an edge that lies on the canvas into dashes with gaps as long."""
    left, top, right, bottom = edge
    period = 2 * dash_px
    if right - left >= bottom - top:
        starts = np.arange(left + max(0, -left) // period * period, min(right, shape[1]), period)
        return [(x, top, min(x + dash_px, right), bottom) for x in starts.tolist()]
    starts = np.arange(top + max(0, -top) // period * period, min(bottom, shape[0]), period)
    return [(left, y, right, min(y + dash_px, bottom)) for y in starts.tolist()]
