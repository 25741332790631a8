"""A keypoints ground truth to score against: as arrays, and as pycocotools takes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.entries import NO_MEANINGS, READ_ONLY, Entry, guess_notes, plain_file_name, settle
from cocoprep.coco.format import Category, Id, IdOnly, frame_fault, not_json
from cocoprep.coco.joints import FoundJoints, find_joints
from cocoprep.errors import AnnotationError
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

LEAST_OF_BOX = 0.01  # of its area; people fill a third and more
_WRITTEN = [name for name in Entry.__struct_fields__ if name not in READ_ONLY]
_PLACE = re.compile(r"(?P<reason>.*) - at `\$\.(?P<list>images|annotations)\[(?P<row>\d+)\](?P<field>.*)`")


@dataclass(frozen=True)
class Truth:
    """Every person of a ground-truth file, crowds and people without keypoints too: N in file order, K joints.

    Attributes:
        path: of the file, named in messages.
        document: the file's content as pycocotools takes it: images, the N annotations, and the person category.
        category_id: of the category that counts.
        table: its K joints, in the file's order.
        found: what was guessed of them, in sentences.
        annotation_ids: (N,) int64.
        image_ids: (N,) int64.
        keypoints: (N, K, 2) float64 in COCO's frame, pixel indices; 0, 0 where not labelled.
        visibility: (N, K) int64, 0 not labelled, 1 labelled but hidden, 2 visible.
        bbox: (N, 4) float64, x, y, width, height in image pixels.
        area: (N,) float64, of the segment, in square pixels: the scale of OKS.
        crowd: (N,) bool.
        recounted: people whose `num_keypoints` was another than their labelled joints are.
    """

    path: str
    document: dict[str, Any]
    category_id: int
    table: KeypointTable
    found: tuple[str, ...]
    annotation_ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    keypoints: NDArray[np.float64]
    visibility: NDArray[np.int64]
    bbox: NDArray[np.float64]
    area: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    recounted: int = 0

    @cached_property
    def without_scale(self) -> NDArray[np.bool_]:
        """Return (N,) true for a counting person whose area is next to nothing of the box, so that OKS has no scale."""
        absurd: NDArray[np.bool_] = self.counts & (lacks_scale(self.area, self.bbox))
        return absurd

    @cached_property
    def scale_area(self) -> NDArray[np.float64]:
        """Return (N,) float64 square pixels by which predictions are matched to people: `area`, or else the box's."""
        return np.where(self.without_scale, self.bbox[:, 2:].prod(axis=1), self.area)

    @property
    def notes(self) -> list[str]:
        """Return what whoever reads figures should know of the file."""
        notes = list(self.found)
        if self.recounted:
            notes.append(
                f"{self.recounted} annotations say a num_keypoints that is not the number of their labelled joints. "
                "The labels count, as in a build; pycocotools alone would pass over those that say 0."
            )
        if odd := int(self.without_scale.sum()):
            whose = self.table.noun.count(int(self.counts.sum())).upper()
            notes.append(
                f"OKS HAS NO SCALE FOR {odd} OF {whose}: their area is less than {LEAST_OF_BOX:.0%} of their box's. AP "
                "and AR do not say how good their joints are; PCK does. Give each annotation the area of its segment, "
                "or of its box."
            )
        return notes

    @cached_property
    def counts(self) -> NDArray[np.bool_]:
        """Return (N,) true where OKS looks for the person: no crowd, and at least one labelled joint."""
        people: NDArray[np.bool_] = ~self.crowd & (self.visibility > 0).any(axis=1)
        return people

    @cached_property
    def file_names(self) -> dict[int, str]:
        """Return the photograph's file name by image id."""
        return {image["id"]: image["file_name"] for image in self.document["images"]}


def lacks_scale(area: NDArray[np.float64], bbox: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (N,) true where an `area` (N,) is next to nothing of its box (N, 4)."""
    lacking: NDArray[np.bool_] = area < LEAST_OF_BOX * bbox[:, 2:].prod(axis=1)
    return lacking


class _Image(msgspec.Struct, omit_defaults=True):
    id: Id
    file_name: str = ""
    width: int = 0
    height: int = 0


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[Entry]
    categories: list[Category]


class _Rows(msgspec.Struct):
    images: list[msgspec.Raw] = []
    annotations: list[msgspec.Raw] = []


def read_truth(
    path: str,
    files: FileStore,
    table: KeypointTable | None = None,
    category: str | None = None,
    *,
    meanings: Mapping[int, int] = NO_MEANINGS,
) -> Truth:
    """Read and check a COCO keypoints file, or the `ground_truth.json` of a built folder.

    Annotations of other categories are passed over. `num_keypoints` is counted, whatever the file
    says, as a build does.

    Args:
        path: of the file.
        files: where it lies.
        table: the joints; None for those that the category lists.
        category: that counts; None for the person, or the only one with joints.
        meanings: what the file's visibilities mean, where the user says so.

    Raises:
        AnnotationError: there is no such file, it is no COCO keypoints file, its joints are others, or an entry is of
            the wrong form; the entry is named.
    """
    data = read_user_file(path, files, "a JSON file of COCO person keypoints", refusal=AnnotationError)
    file = _decode(data, path)
    for name, entries in (("images", file.images), ("annotations", file.annotations)):
        if not entries:
            raise AnnotationError(f"{path}: '{name}' is empty, so there is nothing to score against.")
    joints = find_joints(file.categories, path, table=table, name=category, entries=_Entries(file.annotations))
    people = [annotation for annotation in file.annotations if annotation.category_id in joints.categories]
    if not people:
        raise AnnotationError(
            f"{path}: no annotation is of category {joints.category_id}, {joints.category_name!r:.100}."
        )
    seen: set[int] = set()
    guesses: Counter[str] = Counter()
    images = _images_by_id(file.images, path, guesses)
    for person in people:
        fault = _fault(person, images, seen) or settle(person, joints.table, guesses, meanings)
        if fault:
            raise AnnotationError(f"{path}: annotation {person.id}: {fault}.")
        seen.add(person.id)
    return _to_truth(path, joints, guesses, list(images.values()), people)


@dataclass(frozen=True)
class _Entries:
    annotations: list[Entry]

    def categories(self) -> set[int]:
        """See `cocoprep.coco.joints.Entries`."""
        return {annotation.category_id for annotation in self.annotations}

    def numbers(self) -> int | None:
        """See `cocoprep.coco.joints.Entries`."""
        return next((len(annotation.keypoints) for annotation in self.annotations if annotation.keypoints), None)


def _decode(data: bytes, path: str) -> _File:
    try:
        return msgspec.json.decode(data, type=_File)
    except msgspec.ValidationError as error:
        raise AnnotationError(f"{path}: {_form_fault(error, data)}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise not_json(error, data, path) from error
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{path}: not UTF-8 text ({error}). COCO files are JSON in UTF-8.") from error


def _form_fault(error: msgspec.ValidationError, data: bytes) -> str:
    place = _PLACE.fullmatch(str(error))
    if place is None:
        return frame_fault(error)
    try:
        raw = getattr(msgspec.json.decode(data, type=_Rows), place["list"])[int(place["row"])]
        number = msgspec.json.decode(raw, type=IdOnly).id
    except (ValueError, RecursionError):  # what follows the entry may be no JSON at all, or no UTF-8
        number = None
    whose = "without an id" if number is None else f"id {number}"
    return f"{place['list']}[{place['row']}]{place['field']}, {whose}: {place['reason']}. Mend the entry or remove it."


def _images_by_id(images: list[_Image], path: str, guesses: Counter[str]) -> dict[int, _Image]:
    by_id: dict[int, _Image] = {}
    for image in images:
        image.file_name = plain_file_name(image.file_name, guesses)
        if by_id.setdefault(image.id, image) != image:
            raise AnnotationError(
                f"{path}: 'images' lists id {image.id} more than once, with different file names or sizes. Give every "
                "photograph an id of its own."
            )
    return by_id


def _fault(person: Entry, images: dict[int, _Image], seen: set[int]) -> str | None:
    """Say what is wrong with the ids of an annotation of the category, or None."""
    if person.id in seen:
        return "the id is listed more than once. Give every annotation an id of its own"
    if person.image_id not in images:
        return f"image_id {person.image_id} is not in 'images'. List the image, or remove its annotations"
    return None


def _to_truth(
    path: str, joints: FoundJoints, guesses: Counter[str], images: list[_Image], people: list[Entry]
) -> Truth:
    table = joints.table_as_in_file
    triples = np.array([person.keypoints for person in people], np.float64).reshape(len(people), len(table), 3)
    visibility = triples[..., 2].astype(np.int64)
    recounted = 0
    for person, labelled in zip(people, np.count_nonzero(visibility, axis=1).tolist(), strict=True):
        recounted += person.num_keypoints not in (None, labelled)
        person.num_keypoints, person.category_id = labelled, joints.category_id
    document = {
        "images": [{name: getattr(image, name) for name in image.__struct_fields__} for image in images],
        "annotations": [{name: getattr(person, name) for name in _WRITTEN} for person in people],
        "categories": [{"id": joints.category_id, "name": joints.category_name, "keypoints": list(table.names)}],
    }
    return Truth(
        path=path,
        document=document,
        category_id=joints.category_id,
        table=table,
        found=(*joints.notes, *guess_notes(guesses)),
        annotation_ids=np.array([person.id for person in people], np.int64),
        image_ids=np.array([person.image_id for person in people], np.int64),
        keypoints=triples[..., :2] * (visibility > 0)[..., None],
        visibility=visibility,
        bbox=np.array([person.bbox for person in people], np.float64),
        area=np.array([person.area for person in people], np.float64),
        crowd=np.array([person.iscrowd for person in people], bool),
        recounted=recounted,
    )
