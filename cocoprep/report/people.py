"""The worst and the best people by OKS: truth and prediction side by side, and what went wrong.

N annotations, K joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.draw import draw_skeleton, ink
from cocoprep.draw.layout import EDGE, joint_key_width, message_picture, new_page, place_joint_key
from cocoprep.draw.palette import DIM_TEXT, OUTLINE, TEXT
from cocoprep.draw.skeleton import suitable_unit
from cocoprep.draw.text import shorten, text_width, wrap, write
from cocoprep.evaluation.error_kinds import KINDS
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose import affine
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.report.sources import CropSource, Shown
from cocoprep.report.wording import share, words

PEOPLE = 12  # on a sheet
TILE_PX = 216  # height of a picture
WRONG = ("inversion", "swap", "miss")  # kinds that are marked in the picture
FARTHEST_PX = 1e5  # a prediction may lie anywhere; what is drawn must stay a number of pixels
RINGS = "white ring: in a wrong place; its line leads to where it belongs"
PART_GAP, TILE_GAP, CAPTION = 6, 22, 66
HEADER, KEY_GAP = 70, 24


@dataclass(frozen=True)
class Portrait:
    """One person of a sheet.

    Attributes:
        row: of the annotation among the N.
        annotation_id: as in the annotation file.
        oks: of the prediction.
        file_name: of the photograph.
        wrong: what went wrong, in words.
        picture: truth on the left, prediction on the right; None where there is no picture of the person.
    """

    row: int
    annotation_id: int
    oks: float
    file_name: str
    wrong: str
    picture: Image.Image | None


def worst_and_best(evaluation: Evaluation, people: int = PEOPLE) -> tuple[list[int], list[int]]:
    """Return the places of the worst people, worst first, and of the best, best first; nobody is in both.

    People whom no prediction was matched to have no OKS and are in neither.
    """
    scored = np.flatnonzero(np.isfinite(evaluation.person_oks) & evaluation.truth.counts)
    order = scored[np.lexsort((evaluation.truth.annotation_ids[scored], evaluation.person_oks[scored]))]
    worst = min(people, -(-len(order) // 2))
    best = min(people, len(order) - worst)
    return order[:worst].tolist(), order[len(order) - best :][::-1].tolist()


def portraits(
    evaluation: Evaluation, rows: Sequence[int], table: KeypointTable, crops: CropSource | None
) -> list[Portrait]:
    """Return people by their places among the N."""
    return [_portrait(evaluation, row, table, crops) for row in rows]


def _portrait(evaluation: Evaluation, row: int, table: KeypointTable, crops: CropSource | None) -> Portrait:
    truth = evaluation.truth
    annotation_id = int(truth.annotation_ids[row])
    shown = None if crops is None else crops.crop_of(annotation_id)
    return Portrait(
        row=row,
        annotation_id=annotation_id,
        oks=float(evaluation.person_oks[row]),
        file_name=str(truth.file_names.get(int(truth.image_ids[row]), "")),
        wrong=what_went_wrong(evaluation, row, table),
        picture=None if shown is None else side_by_side(evaluation, row, table, shown),
    )


def what_went_wrong(evaluation: Evaluation, row: int, table: KeypointTable) -> str:
    """Return the errors of one person in words, the gravest kinds first."""
    kinds, errors = evaluation.errors.kind[row], evaluation.errors
    parts = []
    for kind in WRONG:
        joints = np.flatnonzero(kinds == KINDS.index(kind)).tolist()
        if joints:
            named = ", ".join(words(table.names[k]) + _whose(int(errors.other[row, k])) for k in joints)
            parts.append(f"{kind}: {named}")
    jitter, good = (int((kinds == KINDS.index(kind)).sum()) for kind in ("jitter", "good"))
    parts += [f"jitter: {jitter}"] * bool(jitter)
    return "; ".join([*parts, f"good: {good} of {int((kinds >= 0).sum())}"])


def _whose(other: int) -> str:
    return f" (of {other})" if other >= 0 else ""


def side_by_side(
    evaluation: Evaluation, row: int, table: KeypointTable, shown: Shown, *, height_px: int = TILE_PX
) -> Image.Image:
    """Return the truth and the prediction of a person who was predicted over the same picture, next to each other.

    The prediction shows the joints that the truth labels, and no others: those are what is scored. A joint in a wrong
    place has a ring and a line to where it belongs.
    """
    height, width = shown.picture.shape[:2]
    size = height_px, max(1, round(height_px * width / height))
    truth = evaluation.truth
    picture = ink.enlarge(shown.picture, size)
    true_points = points_on(truth.keypoints[row], shown, size)
    true_side = draw_skeleton(picture, true_points, truth.visibility[row], table=table)
    points = points_on(evaluation.predictions.keypoints[int(evaluation.matches[row])], shown, size)
    labelled = truth.visibility[row] > 0
    unit = suitable_unit(points[labelled], size)
    side = draw_skeleton(picture, points, np.where(labelled, 2, 0), table=table, unit_px=unit)
    wrong = np.isin(evaluation.errors.kind[row], [KINDS.index(kind) for kind in WRONG])
    side = _mark_wrong(side, points[wrong], true_points[wrong], unit)
    both = new_page(2 * size[1] + PART_GAP, size[0])
    both.paste(true_side, (0, 0))
    both.paste(side, (size[1] + PART_GAP, 0))
    return both


def points_on(keypoints: NDArray[np.float64], shown: Shown, size: tuple[int, int]) -> NDArray[np.float64]:
    """Map COCO keypoints (K, 2), pixel indices of the photograph, to points of a person's picture of `size` (H, W)."""
    points = affine.image_to_crop(affine.index_to_point(keypoints), shown.window, size)
    return np.clip(points, -FARTHEST_PX, FARTHEST_PX)


def _mark_wrong(
    picture: Image.Image, points: NDArray[np.float64], belongs: NDArray[np.float64], unit: float
) -> Image.Image:
    """Return a picture with a ring around each point (n, 2) and a line from it to where it belongs (n, 2)."""
    canvas = ink.canvas_of(picture)
    for colour, more in ((OUTLINE, 1.6), (TEXT, 0.0)):
        for at, home in zip(points, belongs, strict=True):
            ink.line(canvas, (at, home), 1.2 + more, colour)
            ink.ring(canvas, at, (2.2 * unit - more / 2, 2.2 * unit + 1.4 + more / 2), colour)
    return ink.picture_of(canvas)


def people_sheet(people: Sequence[Portrait], *, title: str, columns: int = 3, sides: bool = True) -> Image.Image:
    """Return the sheet of at least one person, in reading order, each with id, OKS and what went wrong below."""
    pictures = [one.picture or message_picture("no picture", (TILE_PX, 2 * TILE_PX)) for one in people]
    step = TILE_PX + CAPTION, max(picture.width for picture in pictures) + TILE_GAP
    columns = min(columns, len(people))
    rows = -(-len(people) // columns)
    key_width = joint_key_width(small=True, sides=sides) + KEY_GAP + round(text_width(RINGS, 14)) + 1
    width = max(columns * step[1] - TILE_GAP, round(text_width(title, 22)), key_width)
    page = new_page(width + 2 * EDGE, HEADER + rows * step[0] + 2 * EDGE - 10)
    write(page, (EDGE, EDGE + 8), title, 22, anchor="lm")
    end = place_joint_key(page, EDGE, EDGE + 22, small=True, sides=sides)
    write(page, (end + KEY_GAP, EDGE + 35), RINGS, 14, colour=DIM_TEXT, anchor="lm")
    for n, (person, picture) in enumerate(zip(people, pictures, strict=True)):
        x, y = EDGE + n % columns * step[1], EDGE + HEADER + n // columns * step[0]
        page.paste(picture, (x, y))
        _write_caption(page, person, (x, y + TILE_PX), step[1] - TILE_GAP)
    return page


def _write_caption(page: Image.Image, person: Portrait, at: tuple[int, int], width: int) -> None:
    x, y = at
    write(page, (x, y + 14), f"{person.annotation_id}", 15, colour=TEXT, anchor="lm")
    write(page, (x + width, y + 14), f"OKS {share(person.oks)}", 15, colour=TEXT, anchor="rm")
    lines = wrap(person.wrong, 12, width)
    rest = [shorten(" ".join(lines[1:]), 12, width)] if len(lines) > 1 else []
    for n, line in enumerate([lines[0], *rest]):
        write(page, (x, y + 33 + 17 * n), line, 12, colour=DIM_TEXT, anchor="lm")
