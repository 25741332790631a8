"""What a person wears: a palette of colours, and which of them lies where along each part of the body.

Left and right are told apart by the clothes, not by the side of the image: whatever the garment's colour, it
is cool and dark on the person's own left and warm and light on the right, like a two-coloured tracksuit. Pads and
bands in cool and warm colours mark the joints, as athletes wear them. Front and back differ too, so that left and
right can still be known where a mirror has exchanged the colours.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cocoprep.sample.raster import STEPS, Bytes

Rgb = tuple[float, float, float]

SKINS: tuple[Rgb, ...] = (
    (244, 208, 182), (232, 184, 152), (214, 160, 122), (186, 130, 94), (146, 98, 70), (108, 72, 52),
    (84, 56, 42),
)  # fmt: skip
_HAIRS: tuple[Rgb, ...] = (
    (38, 30, 28), (70, 48, 34), (112, 74, 44), (168, 122, 66), (214, 182, 116), (150, 66, 36),
    (150, 148, 146),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outfit:
    """Colours (N, 3) float32, 0 to 255, and the cut of clothes and hair.

    `sleeve` and `leg` are how far cloth covers the limb: 0 not at all, 1 to elbow or knee, 2 to wrist or
    ankle.
    """

    palette: NDArray[np.float32]
    sleeve: float
    leg: float
    skirt: bool
    stripes: int
    hair: str
    beard: bool


# Palette entries. Those of the two sides are pairs: left, right.
SKIN, HAIR, EYEBALL, PUPIL, MOUTH, NECKLINE, CAP, BELT, BIB, YOKE, PATCH, SEAT = range(12)
SHIRT, SLEEVE, STRIPE, TROUSERS, LEG = ((i, i + 1) for i in range(12, 22, 2))
SHOULDER, ELBOW, WRIST, KNEE, SHOE, SOCK, EARRING, LOCK = ((i, i + 1) for i in range(22, 38, 2))


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """Return the colour `share` of the way from `a` to `b`."""
    red, green, blue = (x + (y - x) * share for x, y in zip(a, b, strict=True))
    return red, green, blue


def hue_colour(
    rng: np.random.Generator,
    hue: tuple[float, float],
    saturation: tuple[float, float],
    value: tuple[float, float],
) -> Rgb:
    """Draw a colour, 0 to 255, evenly from ranges of hue, saturation and value, each of 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(rng.uniform(*hue), rng.uniform(*saturation), rng.uniform(*value))
    return red * 255, green * 255, blue * 255


def random_colour(
    rng: np.random.Generator,
    saturation: tuple[float, float] = (0.1, 0.8),
    value: tuple[float, float] = (0.3, 0.95),
) -> Rgb:
    """Draw a colour of any hue, 0 to 255."""
    return hue_colour(rng, (0.0, 1.0), saturation, value)


MARK_HUES = {
    "elbow": ((0.46, 0.51), (0.13, 0.16)),
    "wrist": ((0.57, 0.62), (0.05, 0.085)),
    "knee": ((0.70, 0.77), (0.95, 1.0)),
}
"""Hues of left and right pads and bands: teal and yellow, blue and orange, violet and red."""


def side_marks(rng: np.random.Generator, joint: str) -> tuple[Rgb, Rgb]:
    """Draw the colours of what is worn on the left and right joint, which is one of `MARK_HUES`."""
    left, right = MARK_HUES[joint]
    return hue_colour(rng, left, (0.65, 0.95), (0.6, 0.95)), hue_colour(rng, right, (0.75, 1.0), (0.85, 1.0))


def _sides(colour: Rgb, share: float) -> tuple[Rgb, Rgb]:
    """Return a garment's colour on the left, cool and dark, and on the right, warm and light."""
    return mix(colour, (28, 46, 104), share), mix(colour, (255, 206, 138), share)


def random_outfit(rng: np.random.Generator) -> Outfit:
    """Draw clothes, skin and hair."""
    skin = SKINS[int(rng.integers(len(SKINS)))]
    hair = _HAIRS[int(rng.integers(len(_HAIRS)))]
    shirt, trousers = random_colour(rng), random_colour(rng, (0.05, 0.6), (0.2, 0.75))
    elbows, wrists, knees = (side_marks(rng, joint) for joint in MARK_HUES)
    blue, orange = wrists
    stripe = random_colour(rng, (0.0, 0.5), (0.6, 1.0))
    share = float(rng.uniform(0.36, 0.52))
    colours: dict[int, Rgb] = {
        SKIN: skin, HAIR: hair, EYEBALL: (250, 250, 250), PUPIL: (24, 18, 18), MOUTH: (164, 58, 60),
        NECKLINE: mix(shirt, (20, 20, 30), 0.45), CAP: random_colour(rng, (0.4, 0.9)), BELT: (62, 46, 38),
        BIB: mix(stripe, (255, 255, 250), 0.75), YOKE: mix(shirt, (24, 22, 30), 0.75),
        PATCH: mix(trousers, (250, 250, 245), 0.6), SEAT: mix(trousers, (24, 22, 30), 0.6),
    }  # fmt: skip
    for pair, values in (
        (SHIRT, _sides(shirt, 0.35 * share)),
        (SLEEVE, _sides(shirt, share)),
        (STRIPE, _sides(stripe, 0.35 * share)),
        (TROUSERS, _sides(trousers, 0.5 * share)),
        (LEG, _sides(trousers, share)),
        (SHOULDER, (mix(elbows[0], (215, 235, 255), 0.45), mix(elbows[1], (255, 240, 205), 0.45))),
        (ELBOW, elbows),
        (WRIST, wrists),
        (KNEE, knees),
        (SHOE, (mix(blue, (20, 20, 40), 0.25), mix(orange, (255, 240, 220), 0.15))),
        (SOCK, (mix(blue, (235, 235, 245), 0.55), mix(orange, (250, 240, 225), 0.5))),
        (EARRING, (blue, orange)),
        (LOCK, (mix(hair, blue, 0.18), mix(hair, orange, 0.15))),
    ):
        colours |= dict(zip(pair, values, strict=True))
    skirt = bool(rng.random() < 0.16)
    return Outfit(
        palette=np.array([colours[i] for i in sorted(colours)], np.float32),
        sleeve=float(rng.choice((0.0, 0.55, 0.9, 2.0, 2.0, 2.0))),
        leg=0.4 if skirt else float(rng.choice((0.5, 0.85, 1.3, 2.0, 2.0, 2.0, 2.0))),
        skirt=skirt,
        stripes=int(rng.choice((0, 0, 0, 3, 5))),
        hair=str(rng.choice(("short", "short", "short", "long", "bun", "tail", "cap", "bald"))),
        beard=bool(rng.random() < 0.12),
    )


@lru_cache(maxsize=4096)
def cover(first: int, *bands: tuple[float, float, int]) -> Bytes:
    """Return (STEPS,) uint8 inks along an axis: `first`, with each (from, to, ink) of 0 to 1 laid over it."""
    inks = np.full(STEPS, first, np.uint8)
    places = np.linspace(0, 1, STEPS)
    for start, stop, ink in bands:
        inks[(places >= start) & (places <= stop)] = ink
    inks.flags.writeable = False  # it is handed out again
    return inks
