"""Where joints lie in the crop: an ellipse for each, on white, of its mean and its standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cocoprep.draw import ink
from cocoprep.draw.chart import DIM_INK, EDGE, GRID, HEAD, INK, PAPER, SMALL_PX, TEXT_PX, TITLE_PX, WIDTH
from cocoprep.draw.palette import Colour, distinct_colours
from cocoprep.draw.text import font, shorten, text_width, write
from cocoprep.pose.joint_names import Side
from cocoprep.pose.keypoints import KeypointTable

# Those of `palette`, darker, so that a thin line reads on white.
SIDE_INK: dict[Side, Colour] = {"left": (217, 106, 0), "right": (22, 121, 196), "centre": (79, 143, 29)}
LONGEST_SIDE, SHORTEST_SIDE = 640, 400  # of a panel: where many do not fit, the page grows
MOST_NUMBERED, MOST_ROUND = 40, 200  # joints: numbers of more hide each other, ellipses of more are one blot
KEY_ROW = 30
_TURN = np.linspace(0, 2 * np.pi, 49)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the K joints of a data set lie.

    Attributes:
        name: of the data set.
        table: the joints.
        mean: (K, 2) x and y as shares of the crop; NaN where none is labelled.
        deviation: (K, 2) their standard deviations.
    """

    name: str
    table: KeypointTable
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def place_chart(panels: Sequence[Places], input_size: tuple[int, int], *, title: str) -> Image.Image:
    """Return the crop of each data set beside each other, of an input's (H, W), with its joints' ellipses."""
    side = max(min(LONGEST_SIDE, (WIDTH - 2 * EDGE) / len(panels) - 40), SHORTEST_SIDE)
    scale = side / max(input_size)
    size = round(input_size[0] * scale), round(input_size[1] * scale)
    columns, rows = _key_layout(panels, size[1])
    step, top = size[1] + 40, HEAD + 10
    width = max(round(text_width(title, TITLE_PX)), step * len(panels) - 40) + 2 * EDGE
    page = Image.new("RGB", (width, top + size[0] + 40 + rows * KEY_ROW + EDGE), PAPER)
    write(page, (EDGE, EDGE), shorten(title, TITLE_PX, width - 2 * EDGE), TITLE_PX, colour=INK, anchor="lm")
    for n, panel in enumerate(panels):
        left = EDGE + n * step
        write(page, (left, HEAD - 20), shorten(panel.name, TEXT_PX, size[1]), TEXT_PX, colour=INK, anchor="lm")
        page.paste(_draw_places(panel, size), (left, top))
        if len(panel.table) <= MOST_NUMBERED:
            _write_key(page, panel, (left, top + size[0] + 30), columns, size[1])
    return page


def _key_layout(panels: Sequence[Places], width: int) -> tuple[int, int]:
    columns = max(1, width // 240)
    most = max((len(panel.table) for panel in panels if len(panel.table) <= MOST_NUMBERED), default=0)
    return columns, -(-most // columns)


def _draw_places(panel: Places, size: tuple[int, int]) -> Image.Image:
    height, width = size
    canvas = ink.canvas_of(Image.new("RGB", (width, height), PAPER))
    for share in (0.25, 0.5, 0.75):
        ink.fill(canvas, (width * share - 1, 0, width * share, height), GRID)
        ink.fill(canvas, (0, height * share - 1, width, height * share), GRID)
    for edge in ((0, 0, width, 2), (0, height - 2, width, height), (0, 0, 2, height), (width - 2, 0, width, height)):
        ink.fill(canvas, edge, DIM_INK)
    mean, deviation = panel.mean * (width, height), panel.deviation * (width, height)
    there = np.asarray(np.isfinite(mean).all(axis=1))
    for a, b in panel.table.limb_index:
        if there[a] and there[b]:
            ink.line(canvas, mean[[a, b]], 3.0, GRID)
    colours = _colours(panel.table)
    for k in np.flatnonzero(there) if len(there) <= MOST_ROUND else ():
        points = mean[k] + deviation[k] * np.stack([np.cos(_TURN), np.sin(_TURN)], axis=-1)
        for ends in pairwise(points):
            ink.line(canvas, ends, 2.0, colours[k])
    picture = ink.picture_of(canvas)
    if len(panel.table) <= MOST_NUMBERED:
        for k in np.flatnonzero(there):
            _write_number(picture, (float(mean[k, 0]), float(mean[k, 1])), str(k + 1), colours[k])
    canvas = ink.canvas_of(picture)
    for k in np.flatnonzero(there):  # last, lest a number hides one
        ink.disc(canvas, mean[k], 4.0, colours[k])
    return ink.picture_of(canvas)


def _colours(table: KeypointTable) -> list[Colour]:
    if table.has_pairs:
        return [SIDE_INK[side] for side in table.sides]
    return [(round(0.8 * r), round(0.8 * g), round(0.8 * b)) for r, g, b in distinct_colours(len(table)).tolist()]


def _write_number(picture: Image.Image, at: tuple[float, float], text: str, colour: Colour) -> None:
    ImageDraw.Draw(picture).text(
        (at[0] + 7, at[1] - 3), text, font=font(SMALL_PX), fill=colour, anchor="ls", stroke_width=2, stroke_fill=PAPER
    )


def _write_key(page: Image.Image, panel: Places, at: tuple[int, int], columns: int, width: int) -> None:
    """Write which number is which joint, in columns."""
    colours, rows = _colours(panel.table), -(-len(panel.table) // columns)
    for k, name in enumerate(panel.table.names):
        x, y = at[0] + k // rows * (width // columns), at[1] + k % rows * KEY_ROW
        absent = "" if np.isfinite(panel.mean[k]).all() else " (none)"
        text = shorten(f"{k + 1}  {name}{absent}", SMALL_PX, width // columns - 12)
        write(page, (x, y), text, SMALL_PX, colour=colours[k], anchor="lm")
