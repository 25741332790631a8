"""Charts as a paper prints them, on white: bars side by side, and rows cut by kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from cocoprep.draw.palette import Colour
from cocoprep.draw.text import shorten, text_width, write

PAPER: Colour = (255, 255, 255)
INK: Colour = (27, 30, 36)
DIM_INK: Colour = (93, 100, 112)
GRID: Colour = (223, 226, 231)
# The bright scheme of Paul Tol, told apart by every kind of sight, and in grey by its order.
SERIES_COLOURS: tuple[Colour, ...] = (
    (68, 119, 170), (238, 102, 119), (34, 136, 51), (204, 187, 68), (102, 204, 238), (170, 51, 119),
)  # fmt: skip
TITLE_PX, TEXT_PX, SMALL_PX = 34, 26, 22
EDGE = 40
HEAD = 150  # above the plot: title and key
WIDTH, PLOT_HEIGHT = 1600, 520
ROW, LEAST_ROW = 42, 8  # with the gap below
HIGHEST = 6000  # of all rows, as long as they are not lower than the least
MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn in one colour.

    Attributes:
        name: for the key.
        values: one for each label, in the unit of the axis.
        colour: of its bars.
    """

    name: str
    values: tuple[float, ...]
    colour: Colour


@dataclass(frozen=True, slots=True)
class Rows:
    """A panel of rows, each of which is cut by kind.

    Attributes:
        name: above it.
        labels: of the rows.
        shares: for each row one of each kind, 0 to 1, together 1 at most.
    """

    name: str
    labels: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]


def bar_chart(series: Sequence[Series], labels: Sequence[str], *, title: str, across: str, up: str) -> Image.Image:
    """Return bars of several series beside each other.

    Args:
        series: at least one; their values are from 0 up.
        labels: below the bars.
        title: above.
        across: what the labels are.
        up: what the values are.
    """
    page = Image.new("RGB", (WIDTH, HEAD + PLOT_HEIGHT + 130), PAPER)
    title = f"{title}: {series[0].name}" if len(series) == 1 else title
    _write_head(page, title, [(one.name, one.colour) for one in series] if len(series) > 1 else [])
    ticks = tick_values(max((value for one in series for value in one.values), default=0.0))
    left = EDGE + 40 + round(max(text_width(f"{tick:g}", SMALL_PX) for tick in ticks)) + 14
    plot = (left, HEAD, WIDTH - EDGE, HEAD + PLOT_HEIGHT)
    _write_up(page, up, (EDGE, HEAD + PLOT_HEIGHT // 2))
    for tick in ticks:
        y = round(plot[3] - PLOT_HEIGHT * tick / ticks[-1])
        ImageDraw.Draw(page).line((left, y, plot[2], y), fill=GRID if tick else DIM_INK, width=2)
        write(page, (left - 12, y), f"{tick:g}", SMALL_PX, colour=INK, anchor="rm")
    _paint_bars(page, series, plot, ticks[-1], len(labels))
    _write_labels(page, labels, plot)
    write(page, ((left + plot[2]) / 2, plot[3] + 82), across, TEXT_PX, colour=DIM_INK, anchor="mm")
    return page


def tick_values(most: float) -> list[float]:
    """Return round numbers from 0 up to one that `most` does not exceed."""
    most = most if most > 0 and math.isfinite(most) else 1.0
    unit = 10 ** math.floor(math.log10(most / MOST_TICKS))
    step = next(unit * n for n in (1, 2, 5, 10) if unit * n * MOST_TICKS >= most * (1 - 1e-9))
    return [round(step * n, 12) for n in range(math.ceil(most / step - 1e-9) + 1)]


def _paint_bars(
    page: Image.Image, series: Sequence[Series], plot: tuple[int, int, int, int], most: float, count: int
) -> None:
    left, top, right, bottom = plot
    room = (right - left) / max(count, 1)
    width = room * 0.8 / len(series)
    pen = ImageDraw.Draw(page)
    for n, one in enumerate(series):
        for k, value in enumerate(one.values):
            if not value:
                continue
            x = left + k * room + room * 0.1 + n * width
            y = bottom - (bottom - top) * value / most
            pen.rectangle((round(x), round(y), max(round(x), round(x + width) - 2), bottom), fill=one.colour)
            shown = f"{value:.1f}" if value < 10 else f"{value:.0f}"
            if text_width(shown, SMALL_PX) + 6 <= width:
                write(page, (x + width / 2, y - 4), shown, SMALL_PX, colour=INK, anchor="mb")


def _write_labels(page: Image.Image, labels: Sequence[str], plot: tuple[int, int, int, int]) -> None:
    """Write labels below bars, as many as have room."""
    room = (plot[2] - plot[0]) / max(len(labels), 1)
    widest = max((text_width(label, SMALL_PX) for label in labels), default=0.0)
    every = max(1, math.ceil((widest + 14) / room))
    for n in range(0, len(labels), every):
        write(page, (plot[0] + (n + 0.5) * room, plot[3] + 14), labels[n], SMALL_PX, colour=INK, anchor="ma")


def row_chart(panels: Sequence[Rows], kinds: Sequence[tuple[str, Colour]], *, title: str, across: str) -> Image.Image:
    """Return panels beside each other, each with its rows cut by kind.

    Args:
        panels: at least one.
        kinds: name and colour of each, from the left.
        title: above.
        across: what the lengths are shares of, in per cent.
    """
    row_px = max(LEAST_ROW, min(ROW, HIGHEST // max(len(panel.labels) for panel in panels)))
    names = min(max(text_width(label, SMALL_PX) for panel in panels for label in panel.labels), 260)
    bars = max(220, round((WIDTH - 2 * EDGE) / len(panels) - names - 60))
    step = round(names) + 16 + bars + 44
    bottom = HEAD + 46 + max(len(panel.labels) for panel in panels) * row_px
    page = Image.new("RGB", (max(WIDTH, 2 * EDGE + len(panels) * step - 44), bottom + 120), PAPER)
    _write_head(page, title, kinds)
    colours = [colour for _, colour in kinds]
    for n, panel in enumerate(panels):
        left = EDGE + n * step + round(names) + 16
        _paint_panel(page, panel, colours, (left, bars), row_px=row_px, names=names)
        for tick in (0, 50, 100):
            write(page, (left + bars * tick / 100, bottom + 10), f"{tick}", SMALL_PX, colour=INK, anchor="ma")
    write(page, (page.width / 2, bottom + 78), across, TEXT_PX, colour=DIM_INK, anchor="mm")
    return page


def _paint_panel(
    page: Image.Image, panel: Rows, colours: Sequence[Colour], at: tuple[int, int], *, row_px: int, names: float
) -> None:
    """Paint a panel, its bars at (left, width); of low rows not all have room for their label."""
    left, width = at
    write(page, (left, HEAD + 22), shorten(panel.name, TEXT_PX, width), TEXT_PX, colour=INK, anchor="lm")
    every, height = -(-SMALL_PX // row_px), row_px - max(1, row_px // 5)
    for row, (label, shares) in enumerate(zip(panel.labels, panel.shares, strict=True)):
        top = HEAD + 46 + row * row_px
        if row % every == 0:
            text = shorten(label, SMALL_PX, names)
            write(page, (left - 12, top + height / 2), text, SMALL_PX, colour=INK, anchor="rm")
        _paint_row(page, shares, colours, (left, top, width), height=height)


def _paint_row(
    page: Image.Image, shares: Sequence[float], colours: Sequence[Colour], at: tuple[int, int, int], *, height: int
) -> None:
    left, top, width = at
    start = 0.0
    for share, colour in zip(shares, colours, strict=True):
        end = start + share
        x0, x1 = round(left + width * start), round(left + width * end) - 1
        if x1 >= x0:
            ImageDraw.Draw(page).rectangle((x0, top, x1, top + height), fill=colour)
            text = f"{100 * share:.0f}"
            if height > SMALL_PX and text_width(text, SMALL_PX) + 10 <= x1 - x0:
                write(page, ((x0 + x1) / 2, top + height / 2), text, SMALL_PX, colour=_on(colour), anchor="mm")
        start = end


def _on(colour: Colour) -> Colour:
    """Return a colour that reads on another."""
    bright = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
    return INK if bright > 140 else PAPER


def _write_head(page: Image.Image, title: str, key: Sequence[tuple[str, Colour]]) -> None:
    room = page.width - 2 * EDGE
    write(page, (EDGE, EDGE), shorten(title, TITLE_PX, room), TITLE_PX, colour=INK, anchor="lm")
    x = float(EDGE)
    for name, colour in key:
        ImageDraw.Draw(page).rectangle((x, EDGE + 36, x + 24, EDGE + 60), fill=colour)
        text = shorten(name, TEXT_PX, room / len(key) - 70)
        write(page, (x + 34, EDGE + 48), text, TEXT_PX, colour=INK, anchor="lm")
        x += 34 + text_width(text, TEXT_PX) + 34


def _write_up(page: Image.Image, text: str, at: tuple[int, int]) -> None:
    """Write a text from below, its middle at a point."""
    strip = Image.new("RGB", (PLOT_HEIGHT, 36), PAPER)
    write(strip, (PLOT_HEIGHT / 2, 18), shorten(text, TEXT_PX, PLOT_HEIGHT), TEXT_PX, colour=DIM_INK, anchor="mm")
    page.paste(strip.rotate(90, expand=True), (at[0] - 18, at[1] - PLOT_HEIGHT // 2))
