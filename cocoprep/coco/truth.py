"""A keypoints ground truth to score against: as arrays, and as pycocotools takes it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from cocoprep.checks import MAX_BAD_FRACTION
from cocoprep.coco.annotations import AnnotationFile, parse_annotation_file
from cocoprep.coco.collector import without_collection
from cocoprep.coco.entries import NO_MEANINGS, Entry
from cocoprep.coco.ids import Numbering, number_annotations
from cocoprep.coco.joints import FoundJoints
from cocoprep.coco.people import CheckedEntry, check_entries, content_of, to_person
from cocoprep.errors import AnnotationError
from cocoprep.pose.boxes import MAX_COORDINATE, box_faults
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import counted
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

LEAST_OF_BOX = 0.01  # of its area; people fill a third and more
_SHOWN = 5
_UNKNOWN = int(MAX_COORDINATE)  # a side in whose place there is none


@dataclass(frozen=True)
class Truth:
    """Every person of a ground-truth file, crowds and people without keypoints too: N in file order, K joints.

    Attributes:
        path: of the file, named in messages.
        images: the file's, of each id, file_name, width and height, 0 x 0 where that is not known.
        category: the one that counts, as the list `categories` has it, of the K joints.
        category_id: of the category that counts.
        categories: the ids that results of it may bear.
        table: its K joints, in the file's order.
        found: what was guessed of them, in sentences.
        annotation_ids: (N,) int64.
        image_ids: (N,) int64.
        keypoints: (N, K, 2) float64 in COCO's frame, pixel indices; 0, 0 where not labelled.
        written: (N, K, 2) float64, the same as the file has them, where not labelled too.
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
    images: list[dict[str, Any]]
    category: dict[str, Any]
    category_id: int
    categories: frozenset[int]
    table: KeypointTable
    found: tuple[str, ...]
    annotation_ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    keypoints: NDArray[np.float64]
    written: NDArray[np.float64]
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

    @property
    def document(self) -> dict[str, Any]:
        """Return the file's content as pycocotools takes it, anew: images, the N annotations, and the category."""
        triples = np.concatenate([self.written, self.visibility[..., None]], axis=-1)
        columns = {
            "id": self.annotation_ids.tolist(),
            "image_id": self.image_ids.tolist(),
            "category_id": [self.category_id] * len(triples),
            "bbox": self.bbox.tolist(),
            "area": self.area.tolist(),
            "keypoints": triples.reshape(len(triples), -1).tolist(),
            "iscrowd": self.crowd.astype(int).tolist(),
            "num_keypoints": np.count_nonzero(self.visibility, axis=1).tolist(),
        }
        annotations = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return {"images": self.images, "annotations": annotations, "categories": [self.category]}

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
        sizes = {image["id"]: (image["width"] or _UNKNOWN, image["height"] or _UNKNOWN) for image in self.images}
        rows = np.flatnonzero(self.counts)
        of_rows = np.array([sizes[image] for image in self.image_ids[rows].tolist()], np.int64).reshape(-1, 2)
        return {int(rows[n]): fault for n, fault in box_faults(self.bbox[rows], of_rows).items()}

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
        return {image["id"]: image["file_name"] for image in self.images}


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
    people, faulty = _People(len(file.joints.table)), list[CheckedEntry]()
    with without_collection():
        for one in check_entries(file):
            if one.entry is not None:
                people.add(one.own_id, one.entry)
            elif not one.is_other:
                faulty.append(one)
    checked = len(people.entries) + len(faulty)
    if len(faulty) > MAX_BAD_FRACTION * checked:
        raise _too_many(path, faulty, checked)
    if not checked:
        raise AnnotationError(
            f"{path}: no annotation is of category {file.joints.category_id}, {file.joints.category_name!r:.100}."
        )
    found = number_annotations(people.own_ids, lambda n: people.content_of(n, file.joints))
    file.guesses.update(found.guesses)
    return _to_truth(file, people, found, _left_out(faulty))


class _People:
    """The people of a file, whose joints are packed one by one: as lists of numbers they take five times as much."""

    def __init__(self, joints: int) -> None:
        self.own_ids: list[Any] = []
        self.entries: list[Entry] = []
        self._keypoints: list[bytes] = []
        self._packing = struct.Struct(f"{3 * joints}d")

    def add(self, own_id: Any, entry: Entry) -> None:
        """Take one of the file's, with its id as the file has it."""
        self._keypoints.append(self._packing.pack(*(entry.keypoints or ())))
        entry.keypoints = None
        self.own_ids.append(own_id)
        self.entries.append(entry)

    def content_of(self, n: int, joints: FoundJoints) -> bytes:
        """Return what makes the person at a place what it is, but for its id."""
        entry = replace(self.entries[n], keypoints=list(self._packing.unpack(self._keypoints[n])))
        return content_of(entry.image_id, to_person(entry, 0, joints))

    def triples(self) -> NDArray[np.float64]:
        """Return (N, K, 3) x, y and visibility."""
        return np.frombuffer(b"".join(self._keypoints), np.float64).reshape(len(self.entries), -1, 3)


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


def _to_truth(file: AnnotationFile, people: _People, found: Numbering, left_out: tuple[str, ...]) -> Truth:
    joints = file.joints
    table = joints.table_as_in_file
    once = [n for n in range(len(people.entries)) if n not in found.twice]
    entries = [people.entries[n] for n in once]
    triples = people.triples()[once]
    visibility = triples[..., 2].astype(np.int64)
    labelled = np.count_nonzero(visibility, axis=1)
    said = [entry.num_keypoints for entry in entries]
    said_empty = (labelled > 0) & np.array([number == 0 for number in said], bool)
    images = file.images.values()
    return Truth(
        path=file.path,
        images=[{"id": i.image_id, "file_name": i.file_name, "width": i.width, "height": i.height} for i in images],
        category={"id": joints.category_id, "name": joints.category_name, "keypoints": list(table.names)},
        categories=joints.categories | {joints.category_id},
        category_id=joints.category_id,
        table=table,
        found=(*file.notes, *left_out),
        source_ids=file.source_ids,
        annotation_ids=np.array([found.numbers[n] for n in once], np.int64),
        image_ids=np.array([entry.image_id for entry in entries], np.int64),
        keypoints=triples[..., :2] * (visibility > 0)[..., None],
        written=triples[..., :2],
        visibility=visibility,
        bbox=np.array([entry.bbox for entry in entries], np.float64),
        area=np.array([entry.area for entry in entries], np.float64),
        crowd=np.array([entry.iscrowd for entry in entries], bool),
        recounted=sum(number not in (None, count) for number, count in zip(said, labelled.tolist(), strict=True)),
        head_size=_head_sizes(entries),
        crowd_index=file.crowd_index,
        said_empty=said_empty if said_empty.any() else None,
    )


def _head_sizes(people: list[Entry]) -> NDArray[np.float64] | None:
    found = np.array([np.nan if person.head_size is None else person.head_size for person in people], np.float64)
    return None if np.isnan(found).all() else found
