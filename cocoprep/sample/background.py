"""Backgrounds: a sky or wall, a ground, and clutter in the colours of clothes, slightly out of focus."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from cocoprep.sample.outfit import MARK_HUES, Rgb, hue_colour, mix, random_colour, side_marks

Rng = np.random.Generator
Size = tuple[int, int]
Painter = Callable[[Rng, ImageDraw.ImageDraw, Size, int], None]


def pixel(colour: Rgb) -> tuple[int, int, int]:
    """Return the colour as Pillow takes it."""
    red, green, blue = (int(min(255, max(0, c))) for c in colour)
    return red, green, blue


def shaded(colour: Rgb, factor: float) -> tuple[int, int, int]:
    """Return the colour, `factor` times as bright."""
    return pixel((colour[0] * factor, colour[1] * factor, colour[2] * factor))


def clutter_colour(rng: Rng) -> Rgb:
    """Draw the colour of a thing; often one that people wear too, so that no colour gives a person away."""
    kind = rng.random()
    if kind < 0.30:
        return side_marks(rng, str(rng.choice(list(MARK_HUES))))[int(rng.integers(2))]
    if kind < 0.42:
        return (rng.uniform(170, 240), rng.uniform(130, 190), rng.uniform(95, 160))
    return random_colour(rng, (0.05, 0.75), (0.2, 0.95))


def _gradient(rng: Rng, size: Size, top: Rgb, bottom: Rgb) -> Image.Image:
    """Return a soft field of colour from top to bottom, uneven from left to right."""
    grid = np.linspace(0, 1, 4)[:, None, None] * (np.array(bottom) - top) + top
    grid = grid + rng.normal(0, 7, (4, 4, 1)) + rng.normal(0, 4, (4, 4, 3))
    return Image.fromarray(grid.clip(0, 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)


def noise_field(rng: Rng, size: Size, grains: tuple[tuple[int, float], ...]) -> Image.Image:
    """Return an "L" image around 128: a sum of smooth noises, each (grain in pixels, standard deviation)."""
    width, height = size
    total: Image.Image | None = None
    for grain, deviation in grains:
        shape = height // grain + 2, width // grain + 2
        cells = (128 + rng.normal(0, deviation, shape)).clip(0, 255).astype(np.uint8)
        field = Image.fromarray(cells).resize(size, Image.Resampling.BILINEAR)
        total = field if total is None else ImageChops.add(total, field, 1, -128)
    if total is None:
        return Image.new("L", size, 128)
    return total


def _hills(rng: Rng, draw: ImageDraw.ImageDraw, size: Size, horizon: int) -> None:
    width, height = size
    green = (rng.uniform(50, 120), rng.uniform(90, 150), rng.uniform(50, 110))
    for depth in range(int(rng.integers(1, 4))):
        xs = np.linspace(0, width, 24)
        phase, wave = rng.uniform(0, 6.3, 2), rng.uniform(0.006, 0.02, 2)
        ys = horizon - rng.uniform(8, 0.25 * height) * (1 + 0.5 * np.sin(xs * wave[0] + phase[0]))
        ys = ys + 6 * np.sin(xs * 4 * wave[1] + phase[1])
        outline = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
        draw.polygon([*outline, (width, height), (0, height)], fill=shaded(green, 1.25 - 0.2 * depth))


def _buildings(rng: Rng, draw: ImageDraw.ImageDraw, size: Size, horizon: int) -> None:
    width, height = size
    x = float(-rng.uniform(0, 60))
    while x < width:
        wide, tall = rng.uniform(50, 150), rng.uniform(0.15, 0.95) * horizon
        wall = random_colour(rng, (0.05, 0.45), (0.4, 0.85))
        top = horizon - tall
        draw.rectangle([x, top, x + wide, height], fill=pixel(wall))
        draw.rectangle([x + 0.86 * wide, top, x + wide, height], fill=shaded(wall, 0.8))
        step, pane = rng.uniform(14, 30), random_colour(rng, (0.1, 0.4), (0.3, 0.95))
        for wy in np.arange(top + 8, horizon - 10, step * 1.3):
            for wx in np.arange(x + 7, x + 0.8 * wide, step):
                draw.rectangle([wx, wy, wx + 0.55 * step, wy + 0.75 * step], fill=shaded(pane, rng.uniform(0.7, 1.1)))
        x += wide + rng.uniform(-4, 30)


def _trees(rng: Rng, draw: ImageDraw.ImageDraw, size: Size, horizon: int) -> None:
    width, height = size
    for _ in range(int(rng.integers(2, 8))):
        x, base = rng.uniform(0, width), horizon + rng.uniform(0, 0.12 * height)
        tall = rng.uniform(0.2, 0.6) * height
        trunk = (rng.uniform(70, 120), rng.uniform(50, 85), rng.uniform(35, 65))
        draw.rectangle([x - 0.03 * tall, base - tall / 2, x + 0.03 * tall, base], fill=pixel(trunk))
        leaf = (rng.uniform(50, 190), rng.uniform(90, 160), rng.uniform(30, 90))
        for _ in range(16):
            dx, dy, r = rng.normal(0, 0.13 * tall), rng.normal(0, 0.12 * tall), rng.uniform(0.06, 0.16) * tall
            cx, cy = x + dx, base - 0.7 * tall + dy
            draw.ellipse([cx - r, cy - r, cx + r, cy + r], fill=shaded(leaf, 1 - 0.9 * dy / tall + rng.normal(0, 0.06)))


def _wall(rng: Rng, draw: ImageDraw.ImageDraw, size: Size, horizon: int) -> None:
    """Paint wallpaper stripes, pictures, a window or a curtain."""
    width, _ = size
    if rng.random() < 0.5:
        stripe, step = clutter_colour(rng), float(rng.uniform(16, 60))
        for x in np.arange(rng.uniform(0, step), width, step):
            draw.rectangle([x, 0, x + 0.4 * step, horizon], fill=pixel(stripe))
    for _ in range(int(rng.integers(1, 5))):
        x, y, w, h = (
            rng.uniform(0, width),
            rng.uniform(0, 0.6 * horizon),
            rng.uniform(30, 130),
            rng.uniform(30, 130),
        )
        frame, inside = clutter_colour(rng), clutter_colour(rng)
        draw.rectangle([x, y, x + w, y + h], fill=pixel(frame))
        draw.rectangle([x + 5, y + 5, x + w - 5, y + h - 5], fill=pixel(inside))
        draw.line([x + w / 2, y, x + w / 2, y + h], fill=pixel(frame), width=4)
    draw.rectangle([0, horizon - 7, width, horizon], fill=pixel(random_colour(rng, (0, 0.3), (0.3, 0.9))))


def _furniture(rng: Rng, draw: ImageDraw.ImageDraw, size: Size, horizon: int) -> None:
    width, height = size
    for _ in range(int(rng.integers(2, 6))):
        colour, x = clutter_colour(rng), rng.uniform(-40, width)
        wide, tall = rng.uniform(40, 190), rng.uniform(0.1, 0.45) * height
        base = horizon + rng.uniform(-4, 0.2 * height)
        if rng.random() < 0.5:  # a cupboard or sofa
            draw.rounded_rectangle([x, base - tall, x + wide, base], rng.uniform(2, 16), fill=pixel(colour))
            for share in np.arange(0.25, 1, 0.25):
                y = base - share * tall
                draw.line([x + 4, y, x + wide - 4, y], fill=shaded(colour, 0.7), width=3)
        else:  # a table
            draw.rectangle([x, base - tall, x + wide, base - 0.85 * tall], fill=pixel(colour))
            for leg in (x + 5, x + wide - 11):
                draw.rectangle([leg, base - tall, leg + 6, base], fill=shaded(colour, 0.75))


def _poles(rng: Rng, draw: ImageDraw.ImageDraw, size: Size, horizon: int) -> None:
    """Paint fences, poles and bars: long thin things much like limbs."""
    width, height = size
    for _ in range(int(rng.integers(3, 14))):
        x, y = rng.uniform(0, width), horizon + rng.uniform(-0.3, 0.15) * height
        reach, angle, thick = rng.uniform(20, 130), rng.normal(np.pi / 2, 0.7), int(rng.integers(4, 17))
        dx, dy = reach * np.cos(angle), -reach * np.sin(angle)
        colour = clutter_colour(rng)
        draw.line([x, y, x + dx, y + dy], fill=pixel(colour), width=thick)
        draw.line(
            [x + dx / 2, y + dy / 2, x + 0.58 * dx, y + 0.58 * dy],
            fill=pixel(clutter_colour(rng)),
            width=thick,
        )
        r = thick * 0.9
        draw.ellipse([x + dx - r, y + dy - r, x + dx + r, y + dy + r], fill=shaded(colour, rng.uniform(0.8, 1.2)))


def _toys(rng: Rng, draw: ImageDraw.ImageDraw, size: Size, horizon: int) -> None:
    """Paint balls and boxes on the ground, the larger the nearer, and now and then balloons."""
    width, height = size
    count = int(rng.integers(3, 15))
    for y in np.sort(rng.uniform(horizon, height, count)).tolist():
        x, r = rng.uniform(0, width), rng.uniform(0.4, 1.0) * (6 + 0.10 * (y - horizon))
        colour = clutter_colour(rng)
        if rng.random() < 0.15:
            up = y - rng.uniform(0.3, 0.8) * height
            draw.line([x, up + r, x + 3, up + 4 * r], fill=(120, 120, 120))
            _ball(draw, colour, x, up, r)
            continue
        draw.ellipse([x - 1.2 * r, y - 0.3 * r, x + 1.3 * r, y + 0.3 * r], fill=(70, 70, 70))
        if rng.random() < 0.5:
            _ball(draw, colour, x, y - r, r)
            continue
        wide, tall, back = r * rng.uniform(0.7, 1.8), 2 * r * rng.uniform(0.7, 1.3), 0.4 * r
        draw.rectangle([x - wide, y - tall, x + wide, y], fill=pixel(colour))
        lid = [(x - wide, y - tall), (x - wide + back, y - tall - back), (x + wide + back, y - tall - back)]
        draw.polygon([*lid, (x + wide, y - tall)], fill=shaded(colour, 1.2))
        side = [
            (x + wide, y - tall),
            (x + wide + back, y - tall - back),
            (x + wide + back, y - back),
            (x + wide, y),
        ]
        draw.polygon(side, fill=shaded(colour, 0.75))


def _ball(draw: ImageDraw.ImageDraw, colour: Rgb, x: float, y: float, r: float) -> None:
    """Paint a ball as discs that grow lighter towards the light."""
    for step in range(4):
        s, d = r * (1 - 0.24 * step), 0.09 * r * step
        draw.ellipse([x - s - d, y - s - d, x + s - d, y + s - d], fill=shaded(colour, 0.78 + 0.12 * step))


def _lawn(rng: Rng, draw: ImageDraw.ImageDraw, size: Size, horizon: int) -> None:
    width, height = size
    colour = (rng.uniform(80, 165), rng.uniform(120, 175), rng.uniform(50, 100))
    draw.rectangle([0, horizon, width, height], fill=pixel(colour))
    places = rng.uniform(0, 1, (160, 2)) * (width, height - horizon) + (0, horizon)
    for x, y in places.tolist():
        tall = 2 + 0.05 * (y - horizon)
        draw.line([x, y, x + tall / 2, y - tall], fill=shaded(colour, 1.15 if x % 2 < 1 else 0.88), width=2)


def _floor(rng: Rng, draw: ImageDraw.ImageDraw, size: Size, horizon: int) -> None:
    """Paint sand, pavement, planks or tiles, in perspective."""
    width, height = size
    colour = hue_colour(rng, (0.02, 0.16), (0.05, 0.5), (0.4, 0.9))
    if rng.random() < 0.35:
        colour = hue_colour(rng, (0.5, 0.72), (0.02, 0.3), (0.35, 0.85))
    draw.rectangle([0, horizon, width, height], fill=pixel(colour))
    kind = rng.random()
    for y in np.geomspace(4, height, 14) + horizon:
        if kind > 0.3:
            draw.line([0, y, width, y], fill=shaded(colour, 0.88), width=2)
    vanish = rng.uniform(0.2, 0.8) * width
    for x in np.linspace(-2, 3, 32) * width:
        if kind > 0.55:
            draw.line([vanish + 0.03 * (x - vanish), horizon, x, height], fill=shaded(colour, 0.86), width=2)


# A soft field of colour behind, as hue ranges, and what is painted on it.
_OUTDOORS = ((0.50, 0.64), (0.50, 0.64), (0.50, 0.64), (0.02, 0.12), (0.70, 0.95))
_INDOORS = ((0.0, 1.0), (0.05, 0.16), (0.45, 0.65))
_Hues = tuple[tuple[float, float], ...]
_SCENES: tuple[tuple[_Hues, tuple[Painter, ...]], ...] = (
    (_OUTDOORS, (_hills, _trees, _lawn, _poles)),
    (_OUTDOORS, (_hills, _lawn, _toys)),
    (_OUTDOORS, (_hills, _floor, _toys)),
    (_OUTDOORS, (_buildings, _floor, _poles, _toys)),
    (_OUTDOORS, (_buildings, _trees, _lawn, _toys)),
    (_INDOORS, (_wall, _floor, _furniture)),
    (_INDOORS, (_wall, _floor, _furniture, _toys)),
    (_INDOORS, (_wall, _floor, _poles)),
    (_INDOORS, (_poles, _toys)),
)


def draw_background(rng: np.random.Generator, size: tuple[int, int], horizon: int) -> NDArray[np.uint8]:
    """Return a picture without people, (height, width, 3) uint8, for a `size` of (width, height).

    `horizon` is the row where sky or wall meets the ground.
    """
    hues, painters = _SCENES[int(rng.integers(len(_SCENES)))]
    top = hue_colour(rng, hues[int(rng.integers(len(hues)))], (0.08, 0.45), (0.65, 1.0))
    image = _gradient(rng, size, top, mix(top, (255, 250, 240), float(rng.uniform(0, 0.7))))
    draw = ImageDraw.Draw(image)
    for painter in painters:
        painter(rng, draw, size, horizon)
    image = image.filter(ImageFilter.BoxBlur(float(rng.choice((0.6, 1.0, 1.6, 2.4)))))
    # Uneven light and grain, as surfaces have.
    texture = noise_field(rng, size, ((96, 9), (24, 5), (6, 4)))
    return np.asarray(ImageChops.add(image, Image.merge("RGB", (texture,) * 3), 1, -128))
