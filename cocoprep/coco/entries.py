"""One annotation as tools write it, taken for what it plainly means; what had to be guessed is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from cocoprep.coco.format import VISIBILITIES, keypoints_fault, numbers_fault
from cocoprep.coco.ids import NO_ID, SHARED_ID, TEXT_ID, TWICE, ZERO_ID
from cocoprep.pose.boxes import MAX_COORDINATE
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import counted

NO_MEANINGS: Mapping[float, int] = {}
BOX_SHARE = 0.53  # of its box that a person fills, as CrowdPose's evaluation takes it
PADDING = 0.25  # of the joints' extent, on each side

NO_AREA, NO_BOX, NEGATIVE, FRACTION, BACKSLASH = "area", "box", "negative", "fraction", "backslash"
TWENTY_ONE, MEANT, HEAD_SIZE, CROWD_INDEX = "keypoints_21", "meant", "head_size", "crowdIndex"
TEXT_IMAGE_ID = "text image id"
TEXT_NUMBER, TRIPLES, BY_FILE, TEXT_CATEGORY = "text number", "triples", "image by file", "text category"
_NUMBERED = "numbered by what they hold"
_NOTES = {
    TEXT_IMAGE_ID: "photographs have an id that is no whole number: numbered by it",
    NO_ID: f"annotations have no id: {_NUMBERED}",
    ZERO_ID: f"annotations have the id 0, which evaluation would take for nobody: {_NUMBERED}",
    TEXT_ID: f"annotations have an id that is no whole number: {_NUMBERED}",
    SHARED_ID: f"annotations have an id that others have too: {_NUMBERED}",
    TWICE: "annotations are there twice, id and all: counted once",
    NO_AREA: f"annotations have no area: that of the segment, or else {BOX_SHARE} of the box's, is taken for OKS",
    NO_BOX: f"annotations have no box: the extent of the labelled joints and {PADDING:.0%} of it on each side is taken",
    NEGATIVE: "annotations have joints of a negative visibility: not labelled",
    FRACTION: "annotations have joints of a visibility between 0 and 2 that is not whole: labelled",
    TWENTY_ONE: "annotations have as many joints as the category lists in keypoints_21 alone: taken for keypoints",
    CROWD_INDEX: "photographs have a crowdIndex that is no number from 0 to 1: passed over",
    HEAD_SIZE: "annotations have a head_size that is no number of pixels above 0: passed over",
    MEANT: "annotations have joints of a visibility that is taken for another, as --visibility says",
    TEXT_NUMBER: "annotations have numbers that are written as text: read as numbers",
    TRIPLES: "annotations have a list of x, y, visibility for each joint: read as one list",
    BY_FILE: "annotations have the name of a photograph's file in place of its id: taken for that of this name",
    TEXT_CATEGORY: "category ids are written as text: read as numbers",
    BACKSLASH: "file names have backslashes: read as slashes",
}


class Entry(msgspec.Struct, gc=False):
    """One entry of `annotations`, of which an exporter may leave away what can be found out."""

    id: Any = None
    image_id: Any = None
    category_id: Any = None
    bbox: tuple[float, ...] | None = None  # some write [] where there is none
    area: float | None = None
    keypoints: list[float] | None = None
    iscrowd: float | bool | None = 0
    num_keypoints: Any = None  # not believed
    segmentation: msgspec.Raw = msgspec.Raw()  # looked at where there is no area
    keypoints_21: msgspec.Raw = msgspec.Raw()  # Human-Art's; looked at where keypoints are too few
    head_size: Any = None  # in pixels, the unit of PCKh, as MPII has it


def guess_notes(guesses: Counter[str]) -> tuple[str, ...]:
    """Return what was guessed, in sentences."""
    return tuple(counted(guesses[kind], text) for kind, text in _NOTES.items() if guesses[kind])


def plain_file_name(file_name: str, guesses: Counter[str]) -> str:
    """Return a photograph's name with slashes, where tools on Windows wrote others."""
    if "\\" not in file_name:
        return file_name
    guesses[BACKSLASH] += 1
    return file_name.replace("\\", "/")


def settle(
    entry: Entry, table: KeypointTable, guesses: Counter[str], meanings: Mapping[float, int] = NO_MEANINGS
) -> str | None:
    """Fill in and make plain what an entry leaves open, in place.

    Args:
        entry: of the category that is read.
        table: the K joints.
        guesses: counts what was guessed, by kind.
        meanings: what a visibility of the file means, 0, 1 or 2, where the user says so.

    Returns:
        What is wrong with it, or None.
    """
    entry.iscrowd = int(entry.iscrowd) if entry.iscrowd in (True, False) else entry.iscrowd or 0
    _settle_place(entry, 3 * len(table), guesses)
    entry.keypoints = entry.keypoints or [0.0] * (3 * len(table))
    if len(entry.keypoints) == 3 * len(table):
        guesses[MEANT] += _translate(entry.keypoints, meanings)
        _settle_visibility(entry.keypoints, guesses)
    fault = keypoints_fault(entry.keypoints, table)
    if fault:
        return fault
    box = entry.bbox or (0.0, 0.0, 0.0, 0.0)
    if len(box) != 4:
        return f"bbox: expected 4 numbers, found {len(box)}"
    boxless = not any(box[2:])
    if boxless and (found := extent_of(entry.keypoints)):
        guesses[NO_BOX] += 1
        box = found
    if entry.area is None or (boxless and not entry.area):
        guesses[NO_AREA] += 1
        entry.area = _segment_area(entry.segmentation) or BOX_SHARE * max(0.0, box[2]) * max(0.0, box[3])
    entry.bbox = box
    entry.head_size = _head_size(entry.head_size, guesses)
    return numbers_fault(entry.iscrowd, entry.area, box)


def _settle_place(entry: Entry, numbers: int, guesses: Counter[str]) -> None:
    """Take the joints from where as many stand as the category lists: Human-Art has COCO's 17 beside its own 21."""
    if not entry.keypoints_21 or len(entry.keypoints or ()) == numbers:
        return
    with suppress(msgspec.DecodeError, RecursionError):
        found = msgspec.json.decode(entry.keypoints_21, type=list[float])
        if len(found) == numbers:
            entry.keypoints = found
            guesses[TWENTY_ONE] += 1


def _translate(keypoints: list[float], meanings: Mapping[float, int]) -> bool:
    """Write what visibilities mean in place; tell whether any meant another."""
    if not meanings:
        return False
    before = keypoints[2::3]
    keypoints[2::3] = [float(meanings.get(v, v)) for v in before]
    return keypoints[2::3] != before


def _settle_visibility(keypoints: list[float], guesses: Counter[str]) -> None:
    kinds = set(keypoints[2::3])
    if kinds <= VISIBILITIES:
        return
    guesses[NEGATIVE] += -1 in kinds
    fractions = {v for v in kinds if 0 < v < 2 and v != 1}
    guesses[FRACTION] += bool(fractions)
    for k in range(2, len(keypoints), 3):
        if keypoints[k] == -1:
            keypoints[k] = 0.0
        elif keypoints[k] in fractions:
            keypoints[k] = 2.0


def _head_size(found: Any, guesses: Counter[str]) -> float | None:
    if found is None or (type(found) in (int, float) and 0 < found <= MAX_COORDINATE):
        return None if found is None else float(found)
    guesses[HEAD_SIZE] += 1
    return None


def extent_of(keypoints: Sequence[float]) -> tuple[float, float, float, float] | None:
    """Return the box of the labelled joints with its padding; None where they span no area."""
    points = [(x, y) for x, y, v in zip(keypoints[::3], keypoints[1::3], keypoints[2::3], strict=True) if v]
    if not points:
        return None
    (left, top), (right, bottom) = map(min, zip(*points, strict=True)), map(max, zip(*points, strict=True))
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0:
        return None
    return left - PADDING * width, top - PADDING * height, (1 + 2 * PADDING) * width, (1 + 2 * PADDING) * height


def _segment_area(segmentation: msgspec.Raw) -> float | None:
    """Return the area of polygons in square pixels; None where it is of no such form."""
    try:
        polygons = msgspec.json.decode(segmentation, type=list[list[float]])
    except (msgspec.DecodeError, RecursionError):
        return None
    total = 0.0
    for polygon in polygons:
        if len(polygon) % 2:
            return None
        xs, ys = polygon[::2], polygon[1::2]
        turned = zip(xs, ys, xs[1:] + xs[:1], ys[1:] + ys[:1], strict=True)
        total += abs(sum(x * y_next - x_next * y for x, y, x_next, y_next in turned)) / 2
    return total or None
