"""Balls, posts, rails and bushes that stand before people and hide some of their joints."""

from __future__ import annotations

import numpy as np

from cocoprep.sample.background import clutter_colour
from cocoprep.sample.figure import ROUND
from cocoprep.sample.layer import Layer, draw_tubes
from cocoprep.sample.outfit import cover, hue_colour, mix
from cocoprep.sample.raster import STEPS, Tube

Light = tuple[float, float, float]


def _post(start: tuple[float, float], end: tuple[float, float], thick: float, inks: tuple[int, int]) -> Tube:
    """Return a pole with a band of the second ink."""
    widths = np.full(STEPS, thick, np.float32)
    ink = cover(inks[0], (0.35, 0.5, inks[1]))
    return Tube(np.array([*start, 0.0]), np.array([*end, 0.0]), widths, widths, ROUND, ink, ink)


def _ball(rng: np.random.Generator, x: float, foot: float, s: float) -> list[Tube]:
    radius = float(rng.uniform(0.08, 0.2)) * s
    return [_post((x, foot - radius - 1), (x, foot - radius), radius, (0, 1))]


def _pole(rng: np.random.Generator, x: float, foot: float, s: float) -> list[Tube]:
    top = x + 0.02 * s, foot - float(rng.uniform(0.4, 1.2)) * s
    return [_post((x, foot), top, float(rng.uniform(0.02, 0.05)) * s, (0, 1))]


def _rail(rng: np.random.Generator, x: float, foot: float, s: float) -> list[Tube]:
    reach, bar = float(rng.uniform(0.3, 0.8)) * s, foot - float(rng.uniform(0.25, 0.5)) * s
    legs = [_post((leg, foot), (leg, bar), 0.025 * s, (1, 1)) for leg in (x - 0.9 * reach, x + 0.9 * reach)]
    return [*legs, _post((x - reach, bar), (x + reach, bar), float(rng.uniform(0.03, 0.06)) * s, (0, 0))]


def _bush(rng: np.random.Generator, x: float, foot: float, s: float) -> list[Tube]:
    tubes, tall = [], float(rng.uniform(0.2, 0.45)) * s
    for _ in range(18):
        offset = np.array([rng.normal(0, 0.5), rng.uniform(-0.8, 0), rng.normal(0, 0.2)])
        place = offset * tall + np.array([x, foot, 0])
        widths = np.full(STEPS, rng.uniform(0.14, 0.26) * tall, np.float32)
        ink = cover(int(rng.integers(2)))
        tubes.append(Tube(place, place, widths, widths, ROUND, ink, ink))
    return tubes


def draw_object(
    rng: np.random.Generator, size: tuple[int, int], *, x: float, foot: float, stature_px: float, light: Light
) -> Layer | None:
    """Draw a ball, pole, rail or bush that stands at (x, foot), measured against a person of `stature_px`.

    Returns:
        The layer in an image of `size` (width, height); None if nothing of it is inside.
    """
    form = (_ball, _pole, _rail, _bush)[int(rng.integers(4))]
    colours = [clutter_colour(rng), clutter_colour(rng)]
    if form is _bush:
        green = hue_colour(rng, (0.22, 0.36), (0.35, 0.7), (0.35, 0.6))
        colours = [green, mix(green, (240, 250, 160), 0.12)]
    drawn = draw_tubes(
        form(rng, x, foot, stature_px),
        np.array(colours, np.float32),
        scale=1.0,
        origin=np.zeros(3),
        size=size,
        light=light,
    )
    return drawn[0] if drawn else None
