"""A sheet of annotations without labels: each in its photograph, with its size and what may be why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from cocoprep.crops.pixels import crop_image
from cocoprep.draw import ink
from cocoprep.draw.layout import EDGE, new_page
from cocoprep.draw.palette import DIM_TEXT, DROPPED, TEXT
from cocoprep.draw.text import shorten, write
from cocoprep.pose.affine import CropWindow, image_to_crop
from cocoprep.pose.boxes import BBox

TILE, GAP, COLUMNS = 210, 16, 6
CAPTION, HEADER = 78, 70
AROUND = 2.4  # of the box's longer side, that is shown
LEAST_SHOWN_PX = 96.0  # of the photograph: a tiny box is shown in its surroundings
TITLE_PX, CAPTION_PX = 24, 17


@dataclass(frozen=True, slots=True)
class Example:
    """One annotation to show: its photograph, box, and captions, the first of them bright."""

    photograph: Image.Image
    bbox: BBox
    captions: tuple[str, ...]


def draw_unlabelled(examples: Sequence[Example], title: str) -> Image.Image:
    """Return a sheet of at least one example."""
    columns = min(COLUMNS, len(examples))
    rows = -(-len(examples) // columns)
    width = max(columns * (TILE + GAP) - GAP, 3 * (TILE + GAP)) + 2 * EDGE
    page = new_page(width, HEADER + rows * (TILE + CAPTION + GAP) - GAP + EDGE)
    write(page, (EDGE, HEADER / 2 + 4), shorten(title, TITLE_PX, width - 2 * EDGE), TITLE_PX, anchor="lm")
    for n, example in enumerate(examples):
        row, column = divmod(n, columns)
        left, top = EDGE + column * (TILE + GAP), HEADER + row * (TILE + CAPTION + GAP)
        page.paste(_tile(example), (left, top))
        for line, text in enumerate(example.captions):
            at = left, top + TILE + 16 + line * 22
            write(page, at, shorten(text, CAPTION_PX, TILE), CAPTION_PX, colour=DIM_TEXT if line else TEXT, anchor="lm")
    return page


def _tile(example: Example) -> Image.Image:
    """Return the surroundings of a box, the box marked."""
    x, y, w, h = example.bbox
    width, height = example.photograph.size
    side = min(max(AROUND * w, AROUND * h, LEAST_SHOWN_PX), float(max(width, height)))
    view = CropWindow(_start(x + w / 2, side, width), _start(y + h / 2, side, height), side, side)
    canvas = ink.canvas_of(crop_image(example.photograph, view, (TILE, TILE)))
    corners = image_to_crop([(x, y), (x + w, y + h)], view, (TILE, TILE))
    ink.box(canvas, (corners[0, 0], corners[0, 1], corners[1, 0], corners[1, 1]), DROPPED)
    return ink.picture_of(canvas)


def _start(centre: float, side: float, length: int) -> float:
    """Return where a view of a side begins along an axis: around the centre, but within the photograph if it fits."""
    if side >= length:
        return (length - side) / 2
    return min(max(centre - side / 2, 0.0), length - side)
