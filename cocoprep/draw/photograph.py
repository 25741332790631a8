"""The photograph with every annotated person's box, and the windows that one person's crop was cut from."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from cocoprep.crops.pixels import FILL_RGB, crop_image
from cocoprep.draw import ink
from cocoprep.draw.palette import BOX, CANONICAL, DROPPED, OTHER, OUTLINE, PANEL, STORED, Colour
from cocoprep.draw.text import text_width, write
from cocoprep.pose.affine import CropWindow, image_to_crop
from cocoprep.pose.boxes import BBox

WIDEST_BEYOND = 0.6  # of the photograph's longer side: how much is shown beyond each of its edges at most
SHADE, SLIGHT_SHADE = 0.5, 0.3  # how much darker the photograph is around the stored window, around a box
TAG_PX = 14
TAG_HEIGHT = 21

_Named = tuple[str, ink.Bounds, Colour]


@dataclass(frozen=True, slots=True)
class Marks:
    """What is drawn over a photograph, all in image pixels.

    `box` is the person's own, with the colour that tells kept from dropped; `canonical` and `stored` are the windows of
    its crops; `others` are the boxes of the other annotations, and whether each was kept.
    """

    box: BBox | None
    others: tuple[tuple[BBox, bool], ...] = ()
    canonical: CropWindow | None = None
    stored: CropWindow | None = None

    @property
    def box_colour(self) -> Colour:
        """Return the colour of the person's own box."""
        return DROPPED if self.canonical is None else BOX


def view_of(photograph: Image.Image, marks: Marks) -> CropWindow:
    """Return the part of the plane to show: the photograph, and the stored window or the box where it goes beyond."""
    width, height = photograph.size
    left, top, right, bottom = 0.0, 0.0, float(width), float(height)
    focus = marks.stored or marks.box
    if focus is not None:
        beyond = WIDEST_BEYOND * max(width, height)
        x0, y0, w, h = focus
        hair = 0.006 * max(w, h)  # so that the line of a window that goes beyond lies within the picture
        left, top = max(x0 - hair, -beyond) if x0 < 0 else 0.0, max(y0 - hair, -beyond) if y0 < 0 else 0.0
        right = min(x0 + w + hair, width + beyond) if x0 + w > width else float(width)
        bottom = min(y0 + h + hair, height + beyond) if y0 + h > height else float(height)
    return CropWindow(left, top, right - left, bottom - top)


def fit(view: CropWindow, largest: tuple[int, int]) -> tuple[int, int]:
    """Return the size (H, W) at which a view fills `largest` (H, W) without being distorted."""
    scale = min(largest[0] / view.height, largest[1] / view.width)
    return max(1, round(view.height * scale)), max(1, round(view.width * scale))


def draw_photograph(photograph: Image.Image, marks: Marks, largest: tuple[int, int]) -> Image.Image:
    """Return a photograph with its marks, as large as fits `largest` (H, W).

    Around the stored window the photograph is darkened; within it, what lies outside the photograph has the colour that
    the stored crop is filled with.
    """
    view = view_of(photograph, marks)
    size = fit(view, largest)
    canvas = ink.canvas_of(crop_image(photograph, view, size))

    def placed(bbox: BBox | CropWindow) -> ink.Bounds:
        x, y, w, h = bbox
        corners = image_to_crop([(x, y), (x + w, y + h)], view, size)
        return corners[0, 0], corners[0, 1], corners[1, 0], corners[1, 1]

    focus = marks.stored or marks.box
    _shade(canvas, placed((0, 0, *photograph.size)), placed(focus) if focus else None, cropped=bool(marks.stored))
    for bbox, kept in marks.others:
        ink.box(canvas, placed(bbox), OTHER, width_px=1, dash_px=None if kept else 4)
    rectangles = [
        ("stored window", None if marks.stored == marks.canonical else marks.stored, STORED, 2, 8),
        ("canonical window", marks.canonical, CANONICAL, 2, None),
        ("box", marks.box, marks.box_colour, _box_width(marks.box, size[1] / view.width), None),
    ]
    shown = [(name, placed(where), c, width, dash) for name, where, c, width, dash in rectangles if where is not None]
    for _, bounds, colour, width_px, dash_px in shown:
        ink.box(canvas, bounds, colour, width_px=width_px, dash_px=dash_px)
    picture = ink.picture_of(canvas)
    for tag in _place_tags([(name, bounds, colour) for name, bounds, colour, _, _ in shown], size):
        _paint_tag(picture, tag)
    return picture


def _box_width(bbox: BBox | None, scale: float) -> int:
    """Return a width of line that does not hide a small person."""
    return 3 if bbox is None or min(bbox[2:]) * scale >= 16 else 2


def _shade(canvas: ink.Canvas, photograph: ink.Bounds, focus: ink.Bounds | None, *, cropped: bool) -> None:
    height, width = canvas.shape[:2]
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]

    def within(bounds: ink.Bounds) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        left, top, right, bottom = (round(edge) for edge in bounds)
        return (columns >= left) & (columns < right) & (rows >= top) & (rows < bottom)

    in_photograph = within(photograph)
    in_focus = within(focus) if focus else np.ones((height, width), bool)
    canvas[~in_photograph] = PANEL
    if cropped:
        canvas[~in_photograph & in_focus] = np.asarray(FILL_RGB, np.float32) * 0.75
    canvas[in_photograph & ~in_focus] *= 1 - (SHADE if cropped else SLIGHT_SHADE)


def _place_tags(named: list[_Named], size: tuple[int, int]) -> list[_Named]:
    """Return (text, bounds, colour) of a tag for each rectangle, listed from the outermost inwards.

    Each sits in the upper left corner of its rectangle if all of them can without hiding what is within the next; else
    they stand in a pile beside the outermost.
    """
    tags = [(text, _tag_at(bounds[0] + 4, bounds[1] + 4, text, size), colour) for text, bounds, colour in named]
    inner = [bounds for _, bounds, _ in named[1:]]
    clear = not any(_meet(tag, bounds) for (_, tag, _), bounds in zip(tags, inner, strict=False))
    apart = not any(_meet(a, b) for (_, a, _), (_, b, _) in itertools.combinations(tags, 2))
    if clear and apart and named and _roomy(named[-1][1]):
        return tags
    return _pile(named, size)


def _pile(named: list[_Named], size: tuple[int, int]) -> list[_Named]:
    if not named:
        return []
    left, top, right, _ = named[0][1]
    to_the_right = right + 6 + max(_tag_width(text) for text, _, _ in named) <= size[1]
    y = min(max(top, 2), size[0] - len(named) * (TAG_HEIGHT + 3))
    pile = []
    for n, (text, _, colour) in enumerate(named):
        x = right + 6 if to_the_right else left - 6 - _tag_width(text)
        pile.append((text, _tag_at(x, y + n * (TAG_HEIGHT + 3), text, size), colour))
    return pile


def _tag_width(text: str) -> float:
    return text_width(text, TAG_PX) + 12


def _tag_at(x: float, y: float, text: str, size: tuple[int, int]) -> ink.Bounds:
    """Return the bounds of a tag near a place, moved into the picture of `size` (H, W)."""
    width = _tag_width(text)
    left = min(max(x, 2), size[1] - width - 2)
    top = min(max(y, 2), size[0] - TAG_HEIGHT - 2)
    return left, top, left + width, top + TAG_HEIGHT


def _meet(a: ink.Bounds, b: ink.Bounds) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _roomy(bounds: ink.Bounds) -> bool:
    """Tell whether a tag would hide but a small part of a rectangle."""
    return bounds[3] - bounds[1] >= 6 * TAG_HEIGHT and bounds[2] - bounds[0] >= 2 * _tag_width("box")


def _paint_tag(picture: Image.Image, tag: _Named) -> None:
    text, (left, top, right, bottom), colour = tag
    ImageDraw.Draw(picture).rounded_rectangle((left, top, right, bottom), radius=4, fill=colour, outline=OUTLINE)
    write(picture, ((left + right) / 2, (top + bottom) / 2), text, TAG_PX, colour=OUTLINE, anchor="mm")
