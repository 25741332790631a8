"""The boxes of a detector: COCO's list of detections, as detectors write it, without images or categories."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.collector import without_collection
from cocoprep.coco.ids import number_of, text_of
from cocoprep.coco.line_list import LineCheck, LineForm, decode_lines, of_category, passed_over
from cocoprep.coco.results import CATEGORY_ID
from cocoprep.pose.boxes import MAX_COORDINATE
from cocoprep.pose.nouns import counted

FORM = LineForm("boxes", '{"image_id": 1, "category_id": 1, "bbox": [x, y, width, height], "score": 0.9}')
OTHER_CATEGORY, NO_IMAGE, TWICE, LOW_SCORE, NOT_BEST = "other category", "no image", "twice", "low score", "not best"
_SPACE = b" \t\r\n"


class ImageFinder(Protocol):
    """Knows images by what a list calls them."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was found otherwise than by id, in sentences."""
        ...

    def find(self, own: Any) -> int | str:
        """Return the number of an image, or why an id stands for none."""
        ...


@dataclass(frozen=True)
class Stray:
    """An id of a list that stands for no image, or could stand for several: as text, why, and how many boxes it has."""

    image_id: str
    fault: str
    boxes: int


@dataclass(frozen=True)
class Detections:
    """B boxes that a detector has found, in the order of its file.

    Attributes:
        path: of the file.
        category_id: of the boxes.
        image_ids: (B,) int64, the photograph that each is on.
        bbox: (B, 4) float64, x, y, width, height in pixels of the photograph; nothing says that a box is on it.
        scores: (B,) float64, how sure the detector is of each.
        lines: (B,) int64, the place of each in the file, from 0.
        listed: how many lines the file has.
        strays: ids whose boxes are left out, in the order of the file.
        notes: what else was passed over or guessed, in sentences.
        left_out: how many lines are not taken, by reason: with B they are all that the file has.
    """

    path: str
    category_id: int
    image_ids: NDArray[np.int64]
    bbox: NDArray[np.float64]
    scores: NDArray[np.float64]
    lines: NDArray[np.int64]
    listed: int
    strays: tuple[Stray, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return B."""
        return len(self.scores)

    def only(self, chosen: NDArray[Any], reason: str, note: str = "") -> Detections:
        """Return the boxes at some places alone, `chosen` as an index of arrays, and count the others.

        `note` says of their number why they are left out, if that is to be said.
        """
        arrays = {name: getattr(self, name)[chosen] for name in ("image_ids", "bbox", "scores", "lines")}
        fewer = len(self) - len(arrays["scores"])
        if not fewer:
            return self
        notes = (*self.notes, counted(fewer, note)) if note else self.notes
        return replace(self, **arrays, notes=notes, left_out={**self.left_out, reason: fewer})


class _Line(msgspec.Struct, gc=False):
    image_id: Any
    category_id: Any
    bbox: list[float]
    score: float


class _Start(msgspec.Struct):
    bbox: msgspec.Raw


def is_detections(data: bytes) -> bool:
    """Tell whether a JSON file is a list whose first entry has a box, and no object with lists such as COCO's.

    Other lists are of forms of their own, such as MPII's people.
    """
    if not data[:100].removeprefix(codecs.BOM_UTF8).lstrip(_SPACE).startswith(b"["):
        return False
    try:
        entries = msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8), type=list[msgspec.Raw])
        msgspec.json.decode(entries[0] if entries else b"{}", type=_Start)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def read_detections(
    data: bytes, path: str, images: ImageFinder, *, categories: Collection[int] | None = None, expected: str = ""
) -> Detections:
    """Read and check a list of boxes.

    Args:
        data: the content of a file: a JSON list of lines, see `FORM`. Keys that COCO does not know are passed over.
        path: of the file, named in messages.
        images: knows which image a line is of. Lines of none are left out, and listed.
        categories: whose boxes are taken. None for COCO's person, or the only category that there is.
        expected: what these categories are, in words, for a message.

    Raises:
        ResultsError: it is no list of boxes, none of it is of the category, or a number is no number of pixels. The
            first such line is named, counted from 0, with its image.
    """
    with without_collection():
        read = decode_lines(data.removeprefix(codecs.BOM_UTF8), path, _Line, FORM)
    if categories is None:
        categories = _person_or_only(read)
        expected = f"{CATEGORY_ID}, COCO's person, or one category alone"
    places, others = of_category(read, path, categories, expected)
    lines = [read[place] for place in places]
    check = LineCheck(path, places, lines)
    bbox, scores = _numbers(lines, check)
    image_ids, is_known, strays = _find_images(lines, images)
    found = Detections(
        path=path,
        category_id=number_of(lines[0].category_id) or 0,
        image_ids=image_ids,
        bbox=bbox,
        scores=scores,
        lines=np.array(places, np.int64),
        listed=len(read),
        strays=strays,
        notes=(*passed_over(others, "lines of the detections"), *images.notes),
        left_out={OTHER_CATEGORY: others} if others else {},
    )
    return _each_once(found.only(is_known, NO_IMAGE))


def _person_or_only(lines: list[_Line]) -> set[int]:
    found = {number for line in lines if (number := number_of(line.category_id)) is not None}
    return found if len(found) == 1 else {CATEGORY_ID}


def _numbers(lines: list[_Line], check: LineCheck) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (B, 4) boxes and (B,) scores."""
    sides = np.array([len(line.bbox) for line in lines])
    check.refuse(sides != 4, lambda n: f"expected 4 numbers in bbox, found {sides[n]}")
    bbox = np.array([line.bbox for line in lines], np.float64)
    scores = np.array([line.score for line in lines], np.float64)
    check.refuse(
        ~((np.abs(bbox) <= MAX_COORDINATE).all(axis=1) & np.isfinite(scores)),
        lambda n: (
            f"a number of bbox is above {MAX_COORDINATE:.0f} pixels, or score is infinite. Such boxes cannot be used: "
            "mend the tool that made them"
        ),
    )
    return bbox, scores


def _find_images(
    lines: list[_Line], images: ImageFinder
) -> tuple[NDArray[np.int64], NDArray[np.bool_], tuple[Stray, ...]]:
    """Return (B,) the number of each line's image, (B,) whether it has one, and the ids that stand for none."""
    found = [images.find(line.image_id) for line in lines]
    strays = Counter(
        (text_of(line.image_id), fault) for line, fault in zip(lines, found, strict=True) if isinstance(fault, str)
    )
    numbers = np.array([0 if isinstance(one, str) else one for one in found], np.int64)
    is_known = np.array([not isinstance(one, str) for one in found], bool)
    return numbers, is_known, tuple(Stray(text, fault, count) for (text, fault), count in strays.items())


def _each_once(found: Detections) -> Detections:
    """Return each box once; of those that are equal in image, place and score the first."""
    numbers = np.column_stack([found.bbox, found.scores]) + 0.0  # so that -0 and 0 are the same
    rows = np.column_stack([found.image_ids, numbers.view(np.int64)])
    order = np.lexsort(rows.T)  # stable, so that of equal rows the earlier is ahead
    is_other = np.any(rows[order[1:]] != rows[order[:-1]], axis=1)
    first = np.sort(order[np.concatenate([[True], is_other])[: len(order)]])
    return found.only(first, TWICE, "lines of the detections are there twice, with all numbers: counted once")


def best_boxes(found: Detections, least_score: float, most: int | None = None) -> Detections:
    """Return the boxes of at least a score, and of each image no more than the `most` with the highest.

    Of equal scores the earlier line is taken. What is left out is told.
    """
    note = f"lines of the detections have a score below {least_score:g}: left out"
    found = found.only(found.scores >= least_score, LOW_SCORE, note)
    if most is None or not len(found):
        return found
    order = np.lexsort((-found.scores, found.image_ids))  # stable, so that the earlier line stays ahead
    images = found.image_ids[order]
    starts = np.flatnonzero(np.concatenate([[True], images[1:] != images[:-1]]))
    ranks = np.arange(len(images)) - np.repeat(starts, np.diff([*starts, len(images)]))
    note = f"lines of the detections are not among the best {most} of an image: left out"
    return found.only(np.sort(order[ranks < most]), NOT_BEST, note)
