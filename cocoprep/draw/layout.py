"""Panels, titles and keys: the parts that pages are put together from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

from cocoprep.draw import ink
from cocoprep.draw.palette import BACKGROUND, DIM_TEXT, OUTLINE, PANEL, RULE, SIDE_COLOURS, TEXT, Colour
from cocoprep.draw.text import LINE_HEIGHT, shorten, text_width, wrap, write, write_lines

EDGE = 28  # around a page
GAP = 26  # between panels
TITLE_PX, SUBTITLE_PX, KEY_PX = 18, 14, 15
PANEL_HEAD = 52  # title and subtitle above a panel
KEY_ROW = 26


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of a page with its title and subtitle."""

    title: str
    subtitle: str
    picture: Image.Image
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """One row of a key: a line as it is drawn in the panel, and what it means."""

    text: str
    colour: Colour
    stroke: Literal["thick", "plain", "thin", "dashed", "dotted"]


def new_page(width: int, height: int) -> Image.Image:
    """Return an empty page."""
    return Image.new("RGB", (width, height), BACKGROUND)


def place_panel(page: Image.Image, panel: Panel, left: int, top: int, width: int) -> None:
    """Paint a panel in place, its title above it; the picture is centred in `width` and framed."""
    x = left
    if panel.number is not None:
        _badge(page, panel.number, (left + 12, top + 11))
        x += 33
    write(page, (x, top + 11), shorten(panel.title, TITLE_PX, width - (x - left)), TITLE_PX, anchor="lm")
    subtitle = shorten(panel.subtitle, SUBTITLE_PX, width)
    write(page, (left, top + 37), subtitle, SUBTITLE_PX, colour=DIM_TEXT, anchor="lm")
    at = left + (width - panel.picture.width) // 2, top + PANEL_HEAD
    page.paste(panel.picture, at)
    frame = (at[0] - 1, at[1] - 1, at[0] + panel.picture.width, at[1] + panel.picture.height)
    ImageDraw.Draw(page).rectangle(frame, outline=RULE)


def message_picture(text: str, size: tuple[int, int]) -> Image.Image:
    """Return an empty panel of `size` (H, W) that says why it is empty."""
    height, width = size
    picture = Image.new("RGB", (width, height), PANEL)
    lines = wrap(text, 17, width - 64)[: max(1, (height - 40) // 24)]
    top = (height - round(len(lines) * 17 * LINE_HEIGHT)) / 2
    write_lines(picture, (32, max(top, 12)), lines, 17, colour=DIM_TEXT)
    return picture


def place_key(page: Image.Image, rows: Sequence[Key], left: int, top: int, width: int) -> int:
    """Paint a key in place; return the y below it."""
    for n, row in enumerate(rows):
        y = top + n * KEY_ROW + KEY_ROW // 2
        _sample(page, row, left, y)
        write(page, (left + 50, y), shorten(row.text, KEY_PX, width - 50), KEY_PX, anchor="lm")
    return top + len(rows) * KEY_ROW


def place_joint_key(page: Image.Image, left: int, top: int, *, small: bool = False, sides: bool = True) -> int:
    """Paint what colours and forms of joints mean, in one row; return the x behind it. Not all joints have sides."""
    size_px = SUBTITLE_PX if small else KEY_PX
    y, x = top + KEY_ROW // 2, float(left)
    entries: list[tuple[str, Colour, bool]] = [(side, colour, False) for side, colour in SIDE_COLOURS.items() if sides]
    entries += [("visible", TEXT, False), ("hidden", TEXT, True)]
    for text, colour, hollow in entries:
        _dot(page, (x + 7, y), colour, hollow=hollow)
        write(page, (x + 20, y), text, size_px, colour=DIM_TEXT if small else TEXT, anchor="lm")
        x += 20 + text_width(text, size_px) + 20
    return round(x - 20)


def joint_key_width(*, small: bool = False, sides: bool = True) -> int:
    """Return the width of `place_joint_key`."""
    return place_joint_key(new_page(1, 1), 0, 0, small=small, sides=sides)


def _paint_round(page: Image.Image, at: tuple[float, float], discs: Sequence[tuple[float, Colour]]) -> None:
    """Paint discs of (radius, colour) around one point in place, antialiased."""
    reach = 16
    left, top = round(at[0]) - reach, round(at[1]) - reach
    canvas = ink.canvas_of(page.crop((left, top, left + 2 * reach, top + 2 * reach)))
    for radius, colour in discs:
        ink.disc(canvas, (at[0] - left, at[1] - top), radius, colour)
    page.paste(ink.picture_of(canvas), (left, top))


def _dot(page: Image.Image, at: tuple[float, float], colour: Colour, *, hollow: bool) -> None:
    _paint_round(page, at, [(6.0, colour)] + ([(3.7, BACKGROUND)] if hollow else []))


def _badge(page: Image.Image, number: int, at: tuple[float, float]) -> None:
    _paint_round(page, at, [(12.0, TEXT)])
    write(page, at, str(number), 15, colour=OUTLINE, anchor="mm")


def _sample(page: Image.Image, row: Key, left: int, y: int) -> None:
    canvas = ink.canvas_of(page.crop((left, y - 8, left + 38, y + 8)))
    width_px = {"thick": 3, "plain": 2, "thin": 1, "dashed": 2, "dotted": 1}[row.stroke]
    dash_px = {"dashed": 8, "dotted": 4}.get(row.stroke)
    ink.box(canvas, (3, 3, 35, 13), row.colour, width_px=width_px, dash_px=dash_px)
    page.paste(ink.picture_of(canvas), (left, y - 8))
