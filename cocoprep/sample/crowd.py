"""A crowd far away: many tiny figures, annotated as one region."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from cocoprep.sample.background import pixel
from cocoprep.sample.layer import Layer
from cocoprep.sample.outfit import SKINS, random_colour

_FINER = 3


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
    return Layer(left, top, np.asarray(small[0], np.float32), np.asarray(small[1], np.float32) / np.float32(255))


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
