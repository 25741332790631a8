"""The people on whom two results differ most: the truth, and what each of the two predicts, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cocoprep.draw import draw_skeleton, ink
from cocoprep.draw.layout import EDGE, joint_key_width, message_picture, new_page, place_joint_key
from cocoprep.draw.palette import DIM_TEXT, TEXT
from cocoprep.draw.skeleton import suitable_unit
from cocoprep.draw.text import shorten, text_width, write
from cocoprep.evaluation.compare import Compared
from cocoprep.evaluation.drawn_figures import DrawnFigures
from cocoprep.report.people import points_on
from cocoprep.report.sources import CropSource, Shown

PEOPLE = 12  # on a sheet
TILE_PX = 216  # height of a picture
PART_GAP, TILE_GAP, CAPTION, HEADER, COLUMNS = 6, 22, 46, 96, 2
LONGEST_TITLE = 1300


@dataclass(frozen=True)
class _Tile:
    picture: Image.Image
    name: str
    note: str


def draw_differences(compared: Compared, other: str, crops: CropSource, *, people: int = PEOPLE) -> Image.Image | None:
    """Return the sheet of the people on whom the first result and another differ most, each by annotation id.

    Each has three pictures: the truth, the first's prediction, the other's; those two show the joints that the truth
    labels. None where the two are equally good on everybody.
    """
    rows = compared.farthest_apart(other, people).tolist()
    if not rows:
        return None
    tiles = [_tile(compared, other, row, crops) for row in rows]
    sides = compared.truth.table.has_pairs
    lines = [
        f"{compared.truth.table.noun.many} on whom two differ most",
        f"left: the truth; middle: {compared.first}; right: {other}",
    ]
    step = TILE_PX + CAPTION, max(tile.picture.width for tile in tiles) + TILE_GAP
    columns = min(COLUMNS, len(tiles))
    wide = max(round(text_width(line, 22)) for line in lines)
    width = max(columns * step[1] - TILE_GAP, joint_key_width(small=True, sides=sides), min(wide, LONGEST_TITLE))
    page = new_page(width + 2 * EDGE, HEADER + -(-len(tiles) // columns) * step[0] + 2 * EDGE)
    for n, line in enumerate(lines):
        write(page, (EDGE, EDGE + 8 + 28 * n), shorten(line, 22 - 6 * n, width), 22 - 6 * n, anchor="lm")
    place_joint_key(page, EDGE, EDGE + 50, small=True, sides=sides)
    for n, tile in enumerate(tiles):
        x, y = EDGE + n % columns * step[1], EDGE + HEADER + n // columns * step[0]
        page.paste(tile.picture, (x, y))
        write(page, (x, y + TILE_PX + 14), tile.name, 15, colour=TEXT, anchor="lm")
        write(page, (x + step[1] - TILE_GAP, y + TILE_PX + 14), tile.note, 15, colour=DIM_TEXT, anchor="rm")
    return page


def _tile(compared: Compared, other: str, row: int, crops: CropSource) -> _Tile:
    truth = compared.truth
    number = int(truth.annotation_ids[row])
    both = [compared.sides[name] for name in (compared.first, other)]
    shown = crops.crop_of(number)
    picture = (
        message_picture("no picture", (TILE_PX, 3 * TILE_PX))
        if shown is None
        else _pictures(compared, both, row, shown)
    )
    return _Tile(picture, str(number), "OKS " + " and ".join(f"{side.person_oks[row]:.3f}" for side in both))


def _pictures(compared: Compared, both: Sequence[DrawnFigures], row: int, shown: Shown) -> Image.Image:
    truth = compared.truth
    height, width = shown.picture.shape[:2]
    size = TILE_PX, max(1, round(TILE_PX * width / height))
    picture = ink.enlarge(shown.picture, size)
    labelled = truth.visibility[row] > 0
    pictures = [
        draw_skeleton(picture, points_on(truth.keypoints[row], shown, size), truth.visibility[row], table=truth.table)
    ]
    for side in both:
        if side.matches[row] < 0:
            pictures.append(message_picture("not predicted", size))
            continue
        points = points_on(side.predictions.keypoints[int(side.matches[row])], shown, size)
        unit = suitable_unit(points[labelled], size)
        pictures.append(draw_skeleton(picture, points, np.where(labelled, 2, 0), table=truth.table, unit_px=unit))
    page = new_page(3 * size[1] + 2 * PART_GAP, size[0])
    for n, one in enumerate(pictures):
        page.paste(one, (n * (size[1] + PART_GAP), 0))
    return page
