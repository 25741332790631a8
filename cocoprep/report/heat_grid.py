"""Heatmaps of one person in a grid, to look at refinement through the stacks: a row a stack, a column a joint.

S stacks, K joints, heatmaps of (h, w). More joints than fit side by side go on in another band of rows below.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cocoprep.draw.heat import joint_heatmap, unit_values
from cocoprep.draw.layout import EDGE, new_page
from cocoprep.draw.palette import DIM_TEXT, RULE, TEXT, heat_colours, joint_colours
from cocoprep.draw.text import shorten, text_width, write
from cocoprep.evaluation.stack_maps import StackMaps
from cocoprep.pose.heatmaps import decode_heatmaps
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.report.wording import words

COLUMNS = 9  # joints in a band: with COCO's 17, the head and arms above, the rest below
CELL_PX = 118  # width of a cell
GAP, ROW_HEAD, BAND_HEAD, CELL_FOOT, HEADER = 5, 76, 26, 20, 56
SMALL_PX, NAME_PX, TITLE_PX = 12, 13, 22


def heat_grid(maps: StackMaps, table: KeypointTable, *, title: str, left_out: Collection[int] = ()) -> Image.Image:
    """Return the grid of one person: in each band the true maps first, then those of the stacks from first to last.

    Below each map stands its peak; a cross marks the place that is read from it. Joints that are left out, by place,
    have no column.
    """
    height, width = maps.crop.shape[:2]
    cell = max(1, round(CELL_PX * height / width)), CELL_PX
    rows = [unit_values(maps.truth), *maps.heatmaps]
    names = ["truth", *(f"stack {n}" for n in range(1, len(maps.heatmaps) + 1))]
    joints = [k for k in range(len(table)) if k not in left_out]
    columns = max(1, min(COLUMNS, len(joints)))
    bands = [joints[first : first + columns] for first in range(0, len(joints), columns)]
    band_height = BAND_HEAD + len(rows) * (cell[0] + CELL_FOOT + GAP) + 14
    page = new_page(
        2 * EDGE + ROW_HEAD + max(columns * (CELL_PX + GAP), 420) - GAP,
        2 * EDGE + HEADER + len(bands) * band_height - 14,
    )
    _write_head(page, title)
    for n, band in enumerate(bands):
        top = EDGE + HEADER + n * band_height
        _write_joints(page, band, table, top)
        for row, (name, heatmaps) in enumerate(zip(names, rows, strict=True)):
            y = top + BAND_HEAD + row * (cell[0] + CELL_FOOT + GAP)
            write(page, (EDGE, y + cell[0] // 2), shorten(name, NAME_PX, ROW_HEAD - 8), NAME_PX, anchor="lm")
            for column, k in enumerate(band):
                _place_cell(page, maps.crop, heatmaps[..., k], (_left(column), y), cell, true=row == 0)
    return page


def _left(column: int) -> int:
    return EDGE + ROW_HEAD + column * (CELL_PX + GAP)


def _write_head(page: Image.Image, title: str) -> None:
    write(page, (EDGE, EDGE + 8), shorten(title, TITLE_PX, page.width - 2 * EDGE), TITLE_PX, anchor="lm")
    y, x = EDGE + 35, EDGE
    write(page, (x, y), "0", SMALL_PX, colour=DIM_TEXT, anchor="lm")
    bar = heat_colours(np.linspace(0, 1, 160, dtype=np.float32))
    strip = np.broadcast_to(np.rint(bar).astype(np.uint8), (10, 160, 3))
    page.paste(Image.fromarray(np.ascontiguousarray(strip)), (x + 14, y - 5))
    key = "1, the value of a map; the crop shows where it is near 0"
    write(
        page, (x + 182, y), shorten(key, SMALL_PX, page.width - x - 182 - EDGE), SMALL_PX, colour=DIM_TEXT, anchor="lm"
    )


def _write_joints(page: Image.Image, band: Sequence[int], table: KeypointTable, top: int) -> None:
    """Write the joints' names over their columns, with a dot of the side's colour."""
    for column, k in enumerate(band):
        name = shorten(words(table.names[k]), NAME_PX, CELL_PX - 14)
        x = _left(column) + (CELL_PX - text_width(name, NAME_PX)) / 2
        colour = tuple(int(value) for value in joint_colours(table)[k])
        write(page, (x, top + 10), name, NAME_PX, colour=(colour[0], colour[1], colour[2]), anchor="lm")


def _place_cell(
    page: Image.Image,
    crop: NDArray[np.uint8],
    heatmap: NDArray[np.float32],
    at: tuple[int, int],
    cell: tuple[int, int],
    *,
    true: bool,
) -> None:
    values = np.clip(np.nan_to_num(heatmap), 0, 1)
    points, _ = decode_heatmaps(values[..., None])
    peak = float(np.max(heatmap))
    labelled = not true or peak > 0
    picture = joint_heatmap(values, cell, under=crop, mark=points[0] if labelled and peak > 0 else None)
    page.paste(picture, at)
    ImageDraw.Draw(page).rectangle((at[0] - 1, at[1] - 1, at[0] + cell[1], at[1] + cell[0]), outline=RULE)
    note, colour = (f"{peak:.2f}", TEXT) if labelled else ("not labelled", DIM_TEXT)
    write(page, (at[0] + cell[1] / 2, at[1] + cell[0] + 11), note, SMALL_PX, colour=colour, anchor="mm")
