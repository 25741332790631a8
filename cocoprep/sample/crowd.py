"""Things beside the people one by one: a crowd far away, and objects that stand before people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from cocoprep.sample.background import clutter_colour, pixel
from cocoprep.sample.figure import ROUND
from cocoprep.sample.layer import Layer, draw_tubes
from cocoprep.sample.outfit import SKINS, cover, random_colour
from cocoprep.sample.raster import STEPS, Tube

_FINER = 3
Light = tuple[float, float, float]


def draw_crowd(rng: np.random.Generator, size: tuple[int, int], horizon: int) -> Layer:
    """Draw a band of some dozen to a hundred tiny figures that stand along the horizon."""
    width, height = size
    band = int(rng.uniform(0.45, 1.0) * width)
    left = int(rng.integers(0, width - band + 1))
    tall = float(rng.uniform(12, 26))
    top = max(0, int(horizon - 1.3 * tall))
    shape = band * _FINER, min(height - top, int(3.4 * tall)) * _FINER
    colours, mask = Image.new("RGB", shape), Image.new("L", shape)
    pens = ImageDraw.Draw(colours), ImageDraw.Draw(mask)
    for row in range(int(rng.integers(2, 4))):
        foot = (1.25 + 0.5 * row) * tall * _FINER
        for x in np.arange(0.3, band / tall, float(rng.uniform(0.3, 0.55))) * tall * _FINER:
            _draw_far_figure(rng, pens, float(x + rng.normal(0, 2)), foot + rng.normal(0, 3), tall * _FINER)
    small = colours.reduce(_FINER), mask.reduce(_FINER)
    return Layer(left, top, np.asarray(small[0], np.float32), np.asarray(small[1], np.float32) / 255)


def _draw_far_figure(
    rng: np.random.Generator, pens: tuple[ImageDraw.ImageDraw, ...], x: float, foot: float, tall: float
) -> None:
    tall *= float(rng.uniform(0.85, 1.1))
    shirt, legs = random_colour(rng), random_colour(rng, (0, 0.5), (0.15, 0.6))
    skin = SKINS[int(rng.integers(len(SKINS)))]
    hip, neck, r = foot - 0.48 * tall, foot - 0.82 * tall, 0.085 * tall
    for pen, mask in zip(pens, (False, True), strict=True):

        def fill(colour: tuple[float, float, float], mask: bool = mask) -> int | tuple[int, int, int]:
            return 255 if mask else pixel(colour)

        for leg in (x - 0.075 * tall, x + 0.075 * tall):
            pen.line([x, hip, leg, foot], fill=fill(legs), width=max(1, int(0.1 * tall)))
        body = [x - 0.13 * tall, neck, x + 0.13 * tall, hip + 0.04 * tall]
        pen.rounded_rectangle(body, 0.06 * tall, fill=fill(shirt))
        pen.ellipse([x - r, neck - 1.9 * r, x + r, neck + 0.2 * r], fill=fill(skin))


def _post(start: tuple[float, float], end: tuple[float, float], thick: float, inks: tuple[int, int]) -> Tube:
    """Return a pole with a band of the second ink."""
    widths = np.full(STEPS, thick, np.float32)
    ink = cover(inks[0], (0.35, 0.5, inks[1]))
    return Tube(np.array([*start, 0.0]), np.array([*end, 0.0]), widths, widths, ROUND, ink, ink)


def _bush(rng: np.random.Generator, x: float, foot: float, tall: float) -> Iterator[Tube]:
    for _ in range(18):
        place = np.array([rng.normal(0, 0.5), rng.uniform(-0.8, 0), rng.normal(0, 0.2)]) * tall + (x, foot, 0)
        widths = np.full(STEPS, rng.uniform(0.14, 0.26) * tall, np.float32)
        ink = cover(int(rng.integers(2)))
        yield Tube(place, place, widths, widths, ROUND, ink, ink)


def draw_object(
    rng: np.random.Generator, size: tuple[int, int], *, x: float, foot: float, stature_px: float, light: Light
) -> Layer | None:
    """Draw a ball, post, rail or bush that stands at (x, foot), measured against a person of `stature_px`."""
    colours = np.array([clutter_colour(rng), clutter_colour(rng)], np.float32)
    kind, s = rng.random(), stature_px
    if kind < 0.25:
        radius = rng.uniform(0.08, 0.2) * s
        tubes = [_post((x, foot - radius - 1), (x, foot - radius), radius, (0, 1))]
    elif kind < 0.5:
        tubes = [_post((x, foot), (x + 0.02 * s, foot - rng.uniform(0.4, 1.2) * s), rng.uniform(0.02, 0.05) * s, (0, 1))]
    elif kind < 0.75:
        reach, rise = rng.uniform(0.3, 0.8) * s, rng.uniform(0.25, 0.5) * s
        tubes = [_post((x + d * reach, foot), (x + d * reach, foot - rise), 0.025 * s, (1, 1)) for d in (-0.9, 0.9)]
        tubes.append(_post((x - reach, foot - rise), (x + reach, foot - rise), rng.uniform(0.03, 0.06) * s, (0, 0)))
    else:
        green = (rng.uniform(50, 110), rng.uniform(95, 150), rng.uniform(40, 80))
        colours = np.array([green, [1.15 * c for c in green]], np.float32)
        tubes = list(_bush(rng, x, foot, rng.uniform(0.2, 0.45) * s))
    drawn = draw_tubes(tubes, colours, scale=1.0, origin=np.zeros(3), size=size, light=light)
    return drawn[0] if drawn else None
