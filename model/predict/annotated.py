"""The photographs of a COCO file to look at, with the boxes of its people.

Files are not trusted, as in `cocoprep.crops.pixels`. What cannot be used is told and left out; the rest goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from cocoprep.coco.annotations import AnnotationFile, parse_annotation_file
from cocoprep.coco.entries import (
    BACKSLASH,
    BY_FILE,
    NO_BOX,
    NO_MEANINGS,
    TEXT_IMAGE_ID,
    TEXT_NUMBER,
    guess_notes,
)
from cocoprep.coco.ids import TWICE
from cocoprep.coco.people import parse_entries
from cocoprep.model.predict.listing import Listed, OnFault
from cocoprep.model.predict.named import Boxes, Photographs, list_named
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import counted
from cocoprep.pose.tables import COCO_17

_OF_BOXES = (
    TEXT_IMAGE_ID,
    BY_FILE,
    TEXT_NUMBER,
    NO_BOX,
    TWICE,
    BACKSLASH,
)  # guesses that tell on what is predicted, and where


def list_annotated(
    data: bytes,
    path: str,
    photographs: Photographs,
    on_fault: OnFault,
    *,
    category: str | None = None,
    meanings: Mapping[float, int] = NO_MEANINGS,
    table: KeypointTable = COCO_17,
    min_keypoints: int = 0,
    on_note: Callable[[str], None] = lambda note: None,
) -> tuple[list[Listed], int]:
    """List the photographs of a COCO file with the boxes of its people, whatever their joints; crowds are left out.

    Args:
        data: the file's content.
        path: of it.
        photographs: where they lie.
        on_fault: told of entries that cannot be used.
        category: whose boxes; None for the person, or the only category with joints.
        meanings: what the file's visibilities mean, where the user says so.
        table: the joints of a category that lists none, where its people have as many.
        min_keypoints: how many labelled joints a person must have.
        on_note: told what was guessed of boxes, ids and the photographs' names.

    Returns:
        The photographs in order of their ids, and the id of the file's category.

    Raises:
        AnnotationError: the file as a whole cannot be used.
        ConfigError: no photographs are there.
    """
    file = parse_annotation_file(data, path, category=category, meanings=meanings, unlisted=table, boxes_only=True)
    boxes, notes = _boxes_of(file, path, on_fault, min_keypoints)
    for note in notes:
        on_note(note)
    listed = list_named(file.images, boxes, photographs, source_ids=file.source_ids, on_note=on_note)
    return listed, file.joints.category_id


def _boxes_of(
    file: AnnotationFile, path: str, on_fault: OnFault, min_keypoints: int
) -> tuple[dict[int, Boxes], list[str]]:
    """Return the boxes by image, and what was guessed of them, in sentences."""
    boxes: dict[int, Boxes] = {}
    nobody = 0
    for entry in parse_entries(file):
        person = entry.person
        if entry.fault is not None:
            on_fault(f"row {entry.row}", f"{path}: row {entry.row} of 'annotations': {entry.fault}")
        if person is None or entry.image_id is None or person.is_crowd or person.num_keypoints < min_keypoints:
            continue
        if person.num_keypoints == 0 and not any(person.bbox[2:]):
            nobody += 1
            continue
        boxes.setdefault(entry.image_id, Boxes()).bbox.append(person.bbox)
    notes = list(guess_notes(Counter({kind: file.guesses[kind] for kind in _OF_BOXES})))
    if nobody:
        notes.append(counted(nobody, "annotations have neither a box nor labelled joints: passed over"))
    return boxes, notes
