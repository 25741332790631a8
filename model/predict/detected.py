"""A detector's boxes to look at, on the photographs that they name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import numpy as np

from cocoprep.coco.annotations import AnnotationFile, ImageInfo
from cocoprep.coco.detections import Detections, Stray, best_boxes, read_detections
from cocoprep.coco.result_images import ResultImages
from cocoprep.coco.suspicions import suspicious_boxes
from cocoprep.crops.photographs_by_id import PhotographsById
from cocoprep.errors import ResultsError
from cocoprep.evaluation.box_rules import PUBLISHED, BoxRules
from cocoprep.model.predict.listing import Listed, OnFault
from cocoprep.model.predict.named import Boxes, Photographs, list_named
from cocoprep.pose.nouns import Noun, counted

_BOX = Noun("box", "boxes")


def list_detected(
    data: bytes,
    path: str,
    photographs: Photographs,
    on_fault: OnFault,
    *,
    rules: BoxRules = PUBLISHED,
    on_note: Callable[[str], None] = lambda note: None,
) -> tuple[list[Listed], int]:
    """List the photographs that a list of boxes names by number or file, where no other file lists them.

    Args:
        data: the list's content.
        path: of it.
        photographs: where they lie.
        on_fault: told of ids that stand for no photograph, or could stand for two.
        rules: which boxes are taken.
        on_note: told what was guessed or passed over.

    Returns:
        The photographs in order of their ids, and the id of the boxes' category.

    Raises:
        ResultsError: it is no list of boxes.
        ConfigError: no photographs are there.
    """
    source = photographs.open()
    by_id = PhotographsById(source.names(), photographs.place)
    found = best_boxes(read_detections(data, path, by_id), rules.box_score, rules.max_boxes)
    for one in found.strays:
        on_fault(f"image_id {one.image_id:.100}", f"{path}: {stray_sentence(one)}")
    for note in found.notes:
        on_note(note)
    images = {number: ImageInfo(number, name, 0, 0) for number, name in by_id.names.items()}
    source_ids = {number: own for number in images if (own := by_id.source_id(number)) is not None}
    listed = list_named(images, boxes_of(found), photographs, source_ids=source_ids, source=source, on_note=on_note)
    return listed, found.category_id


def list_detected_on(
    data: bytes,
    path: str,
    file: AnnotationFile,
    photographs: Photographs,
    *,
    rules: BoxRules = PUBLISHED,
    on_note: Callable[[str], None] = lambda note: None,
) -> list[Listed]:
    """List those photographs of an annotation file that have boxes of a detector, in order of their ids.

    Args:
        data: the content of a detector's list.
        path: of it.
        file: whose images and category it speaks of. Its people are not looked at.
        photographs: where they lie.
        rules: which boxes are taken.
        on_note: told what was guessed or passed over.

    Raises:
        ResultsError: it is no list of boxes, or none is on these photographs.
        ConfigError: no photographs are there.
    """
    names = {number: info.file_name for number, info in file.images.items()}
    images = ResultImages(file.path, names, file.source_ids, what="detections")
    joints = file.joints
    found = read_boxes(
        data, path, images, categories=joints.categories | {joints.category_id},
        expected=f"{joints.category_id}, as in {file.path}", rules=rules,
        sizes={number: (info.width, info.height) for number, info in file.images.items()},
    )  # fmt: skip
    for note in (*found.notes, *stray_notes(found, file.path)):
        on_note(note)
    return list_named(file.images, boxes_of(found), photographs, source_ids=file.source_ids, on_note=on_note)


def read_boxes(
    data: bytes,
    path: str,
    images: ResultImages,
    *,
    categories: Collection[int],
    expected: str,
    sizes: Mapping[int, tuple[int, int]],
    rules: BoxRules = PUBLISHED,
) -> Detections:
    """Return the boxes of a list that rules take, on the images of a file; raises as `read_detections`.

    `sizes` are width and height of each image, 0 where not known: boxes that seem not to be COCO's are told by them.

    Raises:
        ResultsError: also where none is left.
    """
    read = read_detections(data, path, images, categories=categories, expected=expected)
    found = best_boxes(read, rules.box_score, rules.max_boxes)
    if not len(found):
        why = f"{stray_sentence(read.strays[0])}" if read.strays else f"no score is {rules.box_score:g} or more"
        raise ResultsError(f"{path}: of its {_BOX.count(read.listed)}, none can be used; {why}.")
    of_boxes = np.array([sizes[number] for number in read.image_ids.tolist()], np.int64).reshape(-1, 2)
    return replace(found, notes=(*found.notes, *suspicious_boxes(read.bbox, of_boxes)))


def stray_notes(found: Detections, path: str) -> tuple[str, ...]:
    """Return what is to be said of boxes that are on none of the images of a file, as one sentence or none."""
    total = sum(one.boxes for one in found.strays)
    if not total:
        return ()
    said = counted(total, f"lines of the detections are on no image of {path}, or on several: left out")
    return (f"{said}, such as {stray_sentence(found.strays[0])}",)


def stray_sentence(one: Stray) -> str:
    """Say of an id why its boxes are left out, and how many they are."""
    return f"image_id {one.image_id:.100}, {one.boxes} {'box' if one.boxes == 1 else 'boxes'}: {one.fault}"


def boxes_of(found: Detections) -> dict[int, Boxes]:
    """Return a detector's boxes by image, each image's in the order of the file."""
    boxes: dict[int, Boxes] = {}
    rows = zip(found.image_ids.tolist(), found.bbox.tolist(), found.scores.tolist(), strict=True)
    for image_id, (x, y, width, height), score in rows:
        one = boxes.setdefault(image_id, Boxes())
        one.bbox.append((x, y, width, height))
        one.scores.append(score)
    return boxes
