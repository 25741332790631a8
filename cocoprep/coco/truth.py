"""A keypoints ground truth to score against: as arrays, and as pycocotools takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.checks import MAX_BAD_FRACTION
from cocoprep.coco.annotations import AnnotationFile, parse_annotation_file
from cocoprep.coco.entries import NO_MEANINGS, READ_ONLY, Entry
from cocoprep.coco.ids import Numbering, number_annotations
from cocoprep.coco.people import CheckedEntry, check_entries, content_of, to_person
from cocoprep.errors import AnnotationError
from cocoprep.pose.boxes import MAX_COORDINATE, box_fault
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import counted
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

LEAST_OF_BOX = 0.01  # of its area; people fill a third and more
_WRITTEN = [name for name in Entry.__struct_fields__ if name not in READ_ONLY]
_SHOWN = 5
_UNKNOWN = int(MAX_COORDINATE)  # a side in whose place there is none


@dataclass(frozen=True)
class Truth:
    """Every person of a ground-truth file, crowds and people without keypoints too: N in file order, K joints.

    Attributes:
        path: of the file, named in messages.
        document: the file's content as pycocotools takes it: images, the N annotations, and the person category.
        category_id: of the category that counts.
        categories: the ids that results of it may bear.
        table: its K joints, in the file's order.
        found: what was guessed of them, in sentences.
        annotation_ids: (N,) int64.
        image_ids: (N,) int64.
        keypoints: (N, K, 2) float64 in COCO's frame, pixel indices; 0, 0 where not labelled.
        visibility: (N, K) int64, 0 not labelled, 1 labelled but hidden, 2 visible.
        bbox: (N, 4) float64, x, y, width, height in image pixels.
        area: (N,) float64, of the segment, in square pixels: the scale of OKS.
        crowd: (N,) bool.
        source_ids: of images whose own id is no number, that id by the number that it has here.
        head_size: (N,) float64 pixels, the unit of PCKh as the file states it, NaN where it does not; None where it
            does for nobody.
        crowd_index: of images that state it, how crowded they are, 0 to 1.
        whole: where this is of some of the joints alone, the people with all of them, row by row.
        recounted: people whose `num_keypoints` was another than their labelled joints are.
        said_empty: (N,) bool, whose `num_keypoints` was 0 though joints are labelled; None where nobody's was.
    """

    path: str
    document: dict[str, Any]
    category_id: int
    categories: frozenset[int]
    table: KeypointTable
    found: tuple[str, ...]
    annotation_ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    keypoints: NDArray[np.float64]
    visibility: NDArray[np.int64]
    bbox: NDArray[np.float64]
    area: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    source_ids: Mapping[int, str] = field(default_factory=dict)
    recounted: int = 0
    head_size: NDArray[np.float64] | None = None
    crowd_index: Mapping[int, float] = field(default_factory=dict)
    whole: Truth | None = None
    said_empty: NDArray[np.bool_] | None = None

    @cached_property
    def without_scale(self) -> NDArray[np.bool_]:
        """Return (N,) true for a counting person whose area is next to nothing of the box, so that OKS has no scale."""
        absurd: NDArray[np.bool_] = self.counts & (lacks_scale(self.area, self.bbox))
        return absurd

    @cached_property
    def scale_area(self) -> NDArray[np.float64]:
        """Return (N,) float64 square pixels by which predictions are matched to people: `area`, or else the box's."""
        return np.where(self.without_scale, self.bbox[:, 2:].prod(axis=1), self.area)

    @cached_property
    def without_crop(self) -> dict[int, str]:
        """Return the places among N of those counting of whose boxes a build could make no crop, and why."""
        images = self.document["images"]
        sizes = {image["id"]: (image["width"] or _UNKNOWN, image["height"] or _UNKNOWN) for image in images}
        rows = np.flatnonzero(self.counts)
        boxes = zip(rows.tolist(), self.bbox[rows].tolist(), self.image_ids[rows].tolist(), strict=True)
        faults = ((row, box_fault((x, y, w, h), *sizes[image])) for row, (x, y, w, h), image in boxes)
        return {row: fault for row, fault in faults if fault is not None}

    @property
    def notes(self) -> list[str]:
        """Return what whoever reads figures should know of the file."""
        notes = list(self.found)
        if self.recounted:
            says = "annotations say a num_keypoints that is not the number of their labelled joints"
            notes.append(
                f"{counted(self.recounted, says)}. The labels count, as in a build; pycocotools alone would pass over "
                "those that say 0."
            )
        if self.without_crop:
            row, fault = next(iter(self.without_crop.items()))
            whose = self.table.noun.count(len(self.without_crop))
            notes.append(
                f"no crop can be made of the boxes of {whose}, such as that of annotation {self.annotation_ids[row]} "
                f"({fault}): left out by a build, they count here."
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


def read_truth(
    path: str,
    files: FileStore,
    table: KeypointTable | None = None,
    category: str | None = None,
    *,
    meanings: Mapping[float, int] = NO_MEANINGS,
) -> Truth:
    """Read and check a COCO keypoints file, or the `ground_truth.json` of a built folder.

    It is read as a build reads it: annotations of other categories are passed over, `num_keypoints` is counted
    whatever the file says, and what is faulty is left out and told, as long as it is next to nothing.

    Args:
        path: of the file.
        files: where it lies.
        table: the joints; None for those that the category lists.
        category: that counts; None for the person, or the only one with joints.
        meanings: what the file's visibilities mean, where the user says so.

    Raises:
        AnnotationError: there is no such file, it is no COCO keypoints file, its joints are others, or more than a
            share of `MAX_BAD_FRACTION` of its annotations are faulty; the first of them are named.
    """
    data = read_user_file(path, files, "a JSON file of COCO keypoints", refusal=AnnotationError)
    file = parse_annotation_file(data, path, table, category, meanings=meanings)
    checked = [one for one in check_entries(file) if not one.is_other]
    faulty = [one for one in checked if one.fault is not None]
    if len(faulty) > MAX_BAD_FRACTION * len(checked):
        raise _too_many(path, faulty, len(checked))
    if not checked:
        raise AnnotationError(
            f"{path}: no annotation is of category {file.joints.category_id}, {file.joints.category_name!r:.100}."
        )
    people = [(one.own_id, one.entry) for one in checked if one.entry is not None]
    found = number_annotations(
        [own for own, _ in people], lambda n: content_of(people[n][1].image_id, to_person(people[n][1], 0, file.joints))
    )
    file.guesses.update(found.guesses)
    return _to_truth(file, _numbered([entry for _, entry in people], found), _left_out(faulty))


def _too_many(path: str, faulty: list[CheckedEntry], annotations: int) -> AnnotationError:
    shown = "".join(f"\n  {_named(one)}" for one in faulty[:_SHOWN])
    return AnnotationError(
        f"{path}: {len(faulty)} of {annotations} annotations are faulty, more than the share of {MAX_BAD_FRACTION:g} "
        f"that may be left out. The first of them:{shown}\nMend these entries, or remove them."
    )


def _left_out(faulty: list[CheckedEntry]) -> tuple[str, ...]:
    """Say which annotations could not be used."""
    if not faulty:
        return ()
    return (f"{counted(len(faulty), 'annotations are faulty and LEFT OUT')}, such as {_named(faulty[0])}",)


def _named(one: CheckedEntry) -> str:
    whose = "without an id" if one.own_id is None else f"id {one.own_id!r:.100}"
    return f"row {one.row}, {whose}: {one.fault:.300}"


def _numbered(people: list[Entry], found: Numbering) -> list[Entry]:
    for person, number in zip(people, found.numbers, strict=True):
        person.id = number
    return [person for n, person in enumerate(people) if n not in found.twice]


def _to_truth(file: AnnotationFile, people: list[Entry], left_out: tuple[str, ...]) -> Truth:
    joints = file.joints
    table = joints.table_as_in_file
    triples = np.array([person.keypoints for person in people], np.float64).reshape(len(people), len(table), 3)
    visibility = triples[..., 2].astype(np.int64)
    recounted, said_empty = 0, np.zeros(len(people), bool)
    for row, (person, labelled) in enumerate(zip(people, np.count_nonzero(visibility, axis=1).tolist(), strict=True)):
        recounted += person.num_keypoints not in (None, labelled)
        said_empty[row] = bool(labelled) and person.num_keypoints == 0
        person.num_keypoints, person.category_id = labelled, joints.category_id
    images = file.images.values()
    document = {
        "images": [{"id": i.image_id, "file_name": i.file_name, "width": i.width, "height": i.height} for i in images],
        "annotations": [{name: getattr(person, name) for name in _WRITTEN} for person in people],
        "categories": [{"id": joints.category_id, "name": joints.category_name, "keypoints": list(table.names)}],
    }
    return Truth(
        path=file.path,
        document=document,
        categories=joints.categories | {joints.category_id},
        category_id=joints.category_id,
        table=table,
        found=(*file.notes, *left_out),
        source_ids=file.source_ids,
        annotation_ids=np.array([person.id for person in people], np.int64),
        image_ids=np.array([person.image_id for person in people], np.int64),
        keypoints=triples[..., :2] * (visibility > 0)[..., None],
        visibility=visibility,
        bbox=np.array([person.bbox for person in people], np.float64),
        area=np.array([person.area for person in people], np.float64),
        crowd=np.array([person.iscrowd for person in people], bool),
        recounted=recounted,
        head_size=_head_sizes(people),
        crowd_index=file.crowd_index,
        said_empty=said_empty if said_empty.any() else None,
    )


def _head_sizes(people: list[Entry]) -> NDArray[np.float64] | None:
    found = np.array([np.nan if person.head_size is None else person.head_size for person in people], np.float64)
    return None if np.isnan(found).all() else found
