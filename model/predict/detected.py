"""A detector's boxes to look at, on the photographs that they name."""

from __future__ import annotations

from collections.abc import Callable

from cocoprep.coco.annotations import ImageInfo
from cocoprep.coco.detections import Detections, read_detections
from cocoprep.crops.photographs_by_id import PhotographsById
from cocoprep.model.predict.listing import Listed, OnFault
from cocoprep.model.predict.named import Boxes, Photographs, list_named


def list_detected(
    data: bytes,
    path: str,
    photographs: Photographs,
    on_fault: OnFault,
    *,
    on_note: Callable[[str], None] = lambda note: None,
) -> tuple[list[Listed], int]:
    """List the photographs that a list of boxes names by number or file, where no other file lists them.

    Args:
        data: the list's content.
        path: of it.
        photographs: where they lie.
        on_fault: told of ids that stand for no photograph, or could stand for two.
        on_note: told what was guessed or passed over.

    Returns:
        The photographs in order of their ids, and the id of the boxes' category.

    Raises:
        ResultsError: it is no list of boxes.
        ConfigError: no photographs are there.
    """
    source = photographs.open()
    by_id = PhotographsById(source.names(), photographs.path)
    found = read_detections(data, path, by_id)
    tell_strays(found, on_fault)
    for note in found.notes:
        on_note(note)
    images = {number: ImageInfo(number, name, 0, 0) for number, name in by_id.names.items()}
    source_ids = {number: own for number in images if (own := by_id.source_id(number)) is not None}
    listed = list_named(images, boxes_of(found), photographs, source_ids=source_ids, source=source, on_note=on_note)
    return listed, found.category_id


def boxes_of(found: Detections) -> dict[int, Boxes]:
    """Return a detector's boxes by image, each image's in the order of the file."""
    boxes: dict[int, Boxes] = {}
    rows = zip(found.image_ids.tolist(), found.bbox.tolist(), found.scores.tolist(), strict=True)
    for image_id, (x, y, width, height), score in rows:
        one = boxes.setdefault(image_id, Boxes())
        one.bbox.append((x, y, width, height))
        one.scores.append(score)
    return boxes


def tell_strays(found: Detections, on_fault: OnFault) -> None:
    """Tell of each id that stands for no photograph, and how many boxes are left out with it."""
    for one in found.strays:
        count = f"{one.boxes} {'box' if one.boxes == 1 else 'boxes'}"
        on_fault(f"image_id {one.image_id:.100}", f"{found.path}: image_id {one.image_id:.100}, {count}: {one.fault}")
