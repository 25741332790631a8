"""A sheet of suspects: each in its photograph with its joints, those in question ringed, the surest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

from cocoprep.crops.pixels import crop_image
from cocoprep.draw import ink
from cocoprep.draw.layout import EDGE, message_picture, new_page, place_joint_key
from cocoprep.draw.palette import BOX, DIM_TEXT, DROPPED, OTHER, PANEL, TEXT
from cocoprep.draw.skeleton import paint_skeleton, suitable_unit
from cocoprep.draw.text import shorten, wrap, write
from cocoprep.inspection.check.suspect import Suspect
from cocoprep.inspection.data_set import DataSet, Floats, People
from cocoprep.inspection.photographs import Photographs
from cocoprep.pose.affine import CropWindow, image_to_crop, index_to_point
from cocoprep.pose.keypoints import KeypointTable

TILE, GAP, COLUMNS = 240, 16, 6
CAPTION, HEADER = 92, 92
TITLE_PX, CAPTION_PX, WHY_PX = 24, 17, 14
_AROUND = 0.12  # of the longer side of box and joints, that is shown on each side of them
_LEAST_SHOWN_PX = 64.0
_FARTHEST_PX = 1e7
_WHY_LINES = 3


def draw_sheet(
    suspects: Sequence[Suspect], pictures: Iterable[Image.Image], table: KeypointTable, title: str
) -> Image.Image:
    """Return a sheet of at least one suspect, each with its picture of `TILE` pixels."""
    columns = min(COLUMNS, len(suspects))
    rows = -(-len(suspects) // columns)
    width = max(columns * (TILE + GAP) - GAP, 3 * (TILE + GAP)) + 2 * EDGE
    page = new_page(width, HEADER + rows * (TILE + CAPTION + GAP) - GAP + EDGE)
    write(page, (EDGE, EDGE + 8), shorten(title, TITLE_PX, width - 2 * EDGE), TITLE_PX, anchor="lm")
    place_joint_key(page, EDGE, EDGE + 24, small=True, sides=table.has_pairs)
    for n, (one, picture) in enumerate(zip(suspects, pictures, strict=True)):
        row, column = divmod(n, columns)
        left, top = EDGE + column * (TILE + GAP), HEADER + row * (TILE + CAPTION + GAP)
        page.paste(picture, (left, top))
        _write_caption(page, one, n + 1, (left, top + TILE))
    return page


def draw_suspect_pictures(
    data_set: DataSet, suspects: Iterable[Suspect], photographs: Photographs | None, side_px: int = TILE
) -> Iterator[Image.Image]:
    """Yield a square picture of each suspect, one photograph at a time; without photographs, joints alone."""
    for one in suspects:
        info = data_set.images[data_set.people.images[one.place]]
        photograph = None if photographs is None else photographs.read(info)
        if photographs is not None and photograph is None:
            why = f"cannot be read: {photographs.why_not[info.file_name]:.200}"
            yield message_picture(why, (side_px, side_px))
        else:
            yield draw_suspect(one, photograph, data_set.people, data_set.table, side_px)


def draw_suspect(
    suspect: Suspect, photograph: Image.Image | None, people: People, table: KeypointTable, side_px: int
) -> Image.Image:
    """Return a square picture of one suspect: its surroundings, the box, all joints, those in question ringed.

    Where more than half of the joints are in question none is ringed: it is about the person as a whole.
    """
    place, size = suspect.place, (side_px, side_px)
    joints, bbox = people.joints[place].astype(np.float64), people.bbox[place]
    width, height = people.sizes[place].tolist()
    view = _view(joints, bbox, (width, height) if photograph is None else photograph.size)
    ground = Image.new("RGB", size, PANEL) if photograph is None else crop_image(photograph, view, size)
    canvas = ink.canvas_of(ground)
    at = image_to_crop(index_to_point(joints[:, :2]), view, size)
    x, y, w, h = bbox.tolist()
    corners = image_to_crop([(x, y), (x + w, y + h)], view, size)
    ink.box(canvas, (corners[0, 0], corners[0, 1], corners[1, 0], corners[1, 1]), BOX, width_px=1)
    visibility = np.rint(joints[:, 2]).astype(np.int64)
    paint_skeleton(canvas, at, visibility, table=table)
    unit = suitable_unit(at[visibility > 0], size)
    for k in suspect.joints if 2 * len(suspect.joints) <= np.count_nonzero(visibility) else ():
        ink.ring(canvas, at[k], (2.6 * unit, 2.6 * unit + 2), DROPPED)
    return ink.picture_of(canvas)


def _view(joints: Floats, bbox: Floats, photograph: tuple[int, int]) -> CropWindow:
    """Return the square to show: box and joints, as far as they are near the photograph, and some around.

    Of a photograph whose size is not known (0, 0), all of them.
    """
    points = joints[joints[:, 2] > 0, :2]
    x, y, w, h = bbox.tolist()
    corners = np.concatenate([points, [[x, y], [x + w, y + h]]]) if w > 0 and h > 0 else points
    reach = 0.2 * max(photograph) if min(photograph) > 0 else _FARTHEST_PX
    corners = np.clip(corners, [-reach, -reach], [photograph[0] + reach, photograph[1] + reach])
    low, high = corners.min(axis=0), corners.max(axis=0)
    side = max(float((high - low).max()) * (1 + 2 * _AROUND), _LEAST_SHOWN_PX)
    middle = (low + high) / 2
    return CropWindow(float(middle[0]) - side / 2, float(middle[1]) - side / 2, side, side)


def _write_caption(page: Image.Image, suspect: Suspect, number: int, at: tuple[int, int]) -> None:
    left, top = at
    head = f"{number}  {suspect.kind}  {suspect.score:.2f}"
    write(page, (left, top + 14), shorten(head, CAPTION_PX, TILE), CAPTION_PX, colour=TEXT, anchor="lm")
    about = shorten(f"id {suspect.own_id}", WHY_PX, TILE)
    write(page, (left, top + 33), about, WHY_PX, colour=OTHER, anchor="lm")
    for line, text in enumerate(wrap(suspect.why, WHY_PX, TILE)[:_WHY_LINES]):
        write(page, (left, top + 51 + 17 * line), text, WHY_PX, colour=DIM_TEXT, anchor="lm")
