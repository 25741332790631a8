"""A small depth-buffered rasteriser of tubes: round, tapered, shaded limbs, drawn larger and averaged down.

A tube is swept along a straight axis with an elliptic cross-section whose half-widths follow tables; with a
short axis it is an egg, with none a ball. That one form draws every part of a figure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil, floor, hypot

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Vector = NDArray[np.float64]

STEPS = 64
"""Entries of a table along a tube, from its start to its end."""


@dataclass(frozen=True, slots=True)
class Tube:
    """One part: axis from `start` to `end` (3,), half-widths `wide` and `deep` (STEPS,), in canvas pixels.

    `frame` (3, 3) has the part's left, up and forward as columns: `wide` is measured along its left, `deep`
    along its forward. `ink_left` and `ink_right` (STEPS,) uint8 are palette entries along the axis, on the
    two halves that the plane through up and forward divides; `panels` are those of the middle of front and
    back. Ends are round, but with `flat_end` the far one is cut off.
    """

    start: Vector
    end: Vector
    wide: Floats
    deep: Floats
    frame: NDArray[np.float64]
    ink_left: Bytes
    ink_right: Bytes
    panels: tuple[Bytes, Bytes] | None = None
    flat_end: bool = False


@dataclass(slots=True)
class Canvas:
    """A figure while it is drawn: (H, W) depth, brightness and palette entry of the nearest part."""

    height: int
    width: int
    light: tuple[float, float, float]
    depth: Floats = field(init=False)
    shade: Floats = field(init=False)
    ink: Bytes = field(init=False)

    def __post_init__(self) -> None:
        shape = self.height, self.width
        self.depth = np.full(shape, -np.inf, np.float32)
        self.shade = np.zeros(shape, np.float32)
        self.ink = np.zeros(shape, np.uint8)


@dataclass(frozen=True, slots=True)
class _Axis:
    """A tube's axis in the image: unit vector, length, and the sine and cosine of its tilt to the camera."""

    x: float
    y: float
    length: float
    tilt_sin: float
    tilt_cos: float


def _axis(tube: Tube) -> _Axis:
    dx, dy, dz = (float(d) for d in tube.end - tube.start)
    length = hypot(dx, dy)
    if length < 1e-3:
        return _Axis(0.0, 1.0, 1e-3, 0.0, 1.0)
    slant = hypot(length, dz)
    return _Axis(dx / length, dy / length, length, dz / slant, length / slant)


def _seen_widths(tube: Tube, axis: _Axis) -> tuple[Floats, Floats]:
    """Return (STEPS,) half-widths across the axis in the image and towards the camera."""
    left, forward = tube.frame[:, 0], tube.frame[:, 2]
    across = [float(-axis.y * v[0] + axis.x * v[1]) for v in (left, forward)]
    widths = np.hypot(tube.wide * across[0], tube.deep * across[1])
    depths = np.hypot(tube.wide * float(left[2]), tube.deep * float(forward[2]))
    # Seen along its axis a part shows neither half-width; it is nowhere thinner than the smaller one.
    least = np.minimum(tube.wide, tube.deep)
    return np.maximum(widths, least).astype(np.float32), np.maximum(depths, least).astype(np.float32)


def draw_tube(canvas: Canvas, tube: Tube) -> None:
    """Draw one tube, hidden where something nearer was drawn before."""
    axis = _axis(tube)
    _draw_swept(canvas, tube, axis)
    if abs(axis.tilt_sin) > 0.45 and not tube.flat_end:
        # Seen nearly along its axis, a tube is mostly its near end, which the sweep leaves half empty.
        _draw_swept(canvas, _near_end(tube), _Axis(0.0, 1.0, 1e-3, 0.0, 1.0))


def _near_end(tube: Tube) -> Tube:
    """Return the ball at the end nearer to the camera."""
    near, entry = (tube.end, -1) if tube.end[2] > tube.start[2] else (tube.start, 0)
    entries = np.full(STEPS, entry)
    left = tube.ink_left[entries]
    return replace(
        tube,
        start=near,
        end=near,
        wide=tube.wide[entries],
        deep=tube.deep[entries],
        ink_left=left,
        ink_right=left if tube.ink_right is tube.ink_left else tube.ink_right[entries],
        panels=tube.panels and (tube.panels[0][entries], tube.panels[1][entries]),
    )


def _draw_swept(canvas: Canvas, tube: Tube, axis: _Axis) -> None:
    widths, depths = _seen_widths(tube, axis)
    reach = float(widths.max()) + 1
    (ax, ay, az), (bx, by, bz) = (tuple(map(float, p)) for p in (tube.start, tube.end))
    left, right = max(0, floor(min(ax, bx) - reach)), min(canvas.width, ceil(max(ax, bx) + reach))
    top, bottom = max(0, floor(min(ay, by) - reach)), min(canvas.height, ceil(max(ay, by) + reach))
    if left >= right or top >= bottom:
        return
    xs = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5 - ax)
    ys = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - ay)
    along = ys * np.float32(axis.y) + xs * np.float32(axis.x)
    across = ys * np.float32(axis.x) - xs * np.float32(axis.y)
    far = np.float32(axis.length if tube.flat_end else axis.length + reach)
    # A slanted tube fills little of its box: drop the rest before the costly steps.
    near = np.flatnonzero((np.abs(across) < reach) & (along > -reach) & (along < far))
    along, across = along.ravel()[near], across.ravel()[near]
    step = np.clip(along * np.float32((STEPS - 1) / axis.length), 0, STEPS - 1)
    over = along - step * np.float32(axis.length / (STEPS - 1))
    entry = (step + np.float32(0.5)).astype(np.intp)
    thin = (1 / widths)[entry]
    across *= thin
    over *= thin
    rest = 1 - across * across - over * over

    depth = np.sqrt(np.maximum(rest, 0)) * depths[entry]
    depth += step * np.float32((bz - az) / (STEPS - 1)) + np.float32(az)
    rows, columns = np.divmod(near, right - left)
    places = (rows + top) * canvas.width + (columns + left)
    seen = np.flatnonzero((rest > 0) & (depth > canvas.depth.ravel()[places]))
    surface = _Surface(across[seen], over[seen], np.sqrt(rest[seen]), entry[seen])
    places = places[seen]
    canvas.depth.reshape(-1)[places] = depth[seen]
    canvas.shade.reshape(-1)[places] = _shade(canvas.light, axis, surface)
    canvas.ink.reshape(-1)[places] = _ink(tube, axis, surface)


@dataclass(frozen=True, slots=True)
class _Surface:
    """Hold the visible points (N,) of a tube.

    `across` the axis, `over` its end and `facing` the camera are a vector of length 1, in the tube's
    half-widths; `entry` is the place along the axis.
    """

    across: Floats
    over: Floats
    facing: Floats
    entry: NDArray[np.intp]


def _shade(light: tuple[float, float, float], axis: _Axis, surface: _Surface) -> Floats:
    """Return the brightness of surface points: light from one side, softer all round, edges darker."""
    lx, ly, lz = light
    lit_along = lx * axis.x + ly * axis.y
    lit = (
        surface.across * np.float32(-lx * axis.y + ly * axis.x)
        + surface.over * np.float32(lit_along)
        + surface.facing * np.float32(axis.tilt_cos * lz - axis.tilt_sin * lit_along)
    )
    brightness = np.float32(0.66) + np.float32(0.46) * np.maximum(lit, 0)
    edges = np.float32(0.70) + np.float32(0.30) * np.sqrt(surface.facing)
    return np.asarray(brightness * edges, np.float32)


def _ink(tube: Tube, axis: _Axis, surface: _Surface) -> Bytes:
    """Return the palette entries of surface points, by their place along and around the axis."""
    entry = surface.entry
    if tube.panels is None and tube.ink_left is tube.ink_right:
        return tube.ink_left[entry]
    left, forward = (
        surface.across * np.float32(-axis.y * v[0] + axis.x * v[1]) + surface.facing * np.float32(v[2])
        for v in (tube.frame[:, 0], tube.frame[:, 2])
    )
    inks = np.where(left > 0, tube.ink_left[entry], tube.ink_right[entry])
    if tube.panels is not None:
        front, back = tube.panels
        middle = np.abs(left) < np.float32(0.42)
        inks = np.where(middle, np.where(forward > 0, front[entry], back[entry]), inks)
    return inks


def shrink_canvas(canvas: Canvas, palette: Floats, factor: int) -> tuple[Floats, Floats]:
    """Average `factor` x `factor` canvas pixels into one.

    Returns:
        float32 (H, W, 3) colours 0 to 255, already multiplied by their coverage, and float32 (H, W)
        coverage 0 to 1.
    """
    drawn = np.flatnonzero(canvas.depth > -np.inf)
    colours = np.zeros((canvas.height * canvas.width, 4), np.uint8)
    bright = palette[canvas.ink.ravel()[drawn]] * canvas.shade.ravel()[drawn][:, None]
    colours[drawn, :3] = np.minimum(bright, 255)
    colours[drawn, 3] = 255
    # Four plain channels: as "RGBA", Pillow would undo the multiplication by coverage.
    picture = Image.frombytes("CMYK", (canvas.width, canvas.height), colours.tobytes())
    small = np.asarray(picture.reduce(factor), np.float32)
    return small[..., :3], small[..., 3] / np.float32(255)
