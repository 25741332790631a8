"""What every import gives: photographs, and people whose joints are in COCO's frame."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cocoprep.coco.entries import BOX_SHARE, PADDING, extent_of
from cocoprep.coco.format import numbers_fault
from cocoprep.importers.account import Account
from cocoprep.importers.names import safe_name
from cocoprep.pose.boxes import MAX_COORDINATE, BBox
from cocoprep.pose.keypoints import KeypointTable

NO_BOX = f"annotations have no box: the extent of their joints and {PADDING:.0%} of it on each side is taken"
NO_AREA = f"annotations have no area: {BOX_SHARE} of their box's is taken"
LEADS_OUT = "photographs have a name that is none, or leads out of their folder"
RENAMED = "photographs are named by an absolute path or an address: taken as one within the folder of photographs"


@dataclass(frozen=True, slots=True)
class Category:
    """One category: its name, its K joints, and its limbs as COCO writes them, pairs of joint numbers from 1."""

    name: str
    joints: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, table: KeypointTable, name: str | None = None) -> Category:
        """Return the category of a table, by another name where one is given."""
        return cls(name or table.category, table.names, tuple((a, b) for a, b in table.skeleton))


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph by its name within their folder, and its (width, height); 0, 0 where that is not known."""

    file_name: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class ImportedPerson:
    """One person, or whatever has joints.

    Attributes:
        photograph: its place among those of the split.
        keypoints: 3 K numbers in COCO's form: pixel index x and y, and visibility 0, 1 or 2.
        bbox: x, y, width, height in image pixels; None where the file has none.
        category: its place among the data set's.
        head_box: of MPII: x1, y1, x2, y2 as pixel indices; None where not known.
        number: of the entry in its file, from 1.
    """

    photograph: int
    keypoints: array[float]
    bbox: BBox | None = None
    category: int = 0
    head_box: BBox | None = None
    number: int = 0


@dataclass(frozen=True)
class ImportedSplit:
    """The part of a data set that becomes one annotation file.

    Attributes:
        name: of the split; names the file.
        images: where its photographs are, as `build --images` takes it; None where that is not known.
        photographs: in the order of their ids.
        people: in the order of their ids.
    """

    name: str
    images: str | None
    photographs: Sequence[Photograph]
    people: Sequence[ImportedPerson]


@dataclass(frozen=True)
class ImportedDataset:
    """A data set in memory: some 700 bytes a person of COCO's 17 joints.

    Attributes:
        categories: of which people are.
        splits: one annotation file each.
        account: what was left out and guessed.
        not_carried: what the form does not hold, or is not taken over of it, in sentences.
    """

    categories: tuple[Category, ...]
    splits: tuple[ImportedSplit, ...]
    account: Account
    not_carried: tuple[str, ...]


@dataclass
class SplitDraft:
    """Collects one split. Entries that cannot be used are counted; the number of an entry is its place in the file."""

    account: Account
    photographs: list[Photograph] = field(default_factory=list)
    people: list[ImportedPerson] = field(default_factory=list)
    _places: dict[str, int | None] = field(default_factory=dict)
    _number: int = 0

    def photograph(self, file_name: Any, width: int = 0, height: int = 0) -> int | None:
        """Return the place of a photograph, a new one where none has the name; None where the name cannot be used."""
        if isinstance(file_name, str) and file_name in self._places:
            return self._places[file_name]
        plain = safe_name(file_name) if isinstance(file_name, str) else None
        if plain is None:
            self.account.left_out.add(LEADS_OUT, file_name)
            place = None
        else:
            if plain != file_name:
                self.account.guessed.add(RENAMED, file_name)
            place = self._places.get(plain)
            if place is None:
                place = len(self.photographs)
                self.photographs.append(Photograph(plain, width, height))
                self._places[plain] = place
        if isinstance(file_name, str):
            self._places[file_name] = place
        return place

    def skip(self, kind: str, example: object = None) -> None:
        """Count an entry that is left out."""
        self._number += 1
        self.account.left_out.add(kind, example)

    def add(self, person: ImportedPerson) -> None:
        """Take a person, unless something of it is no pixels; a box is made of the joints where there is none."""
        fault = _fault(person)
        if fault:
            self.skip(fault, self.photographs[person.photograph].file_name)
            return
        self._number += 1
        if person.bbox is None:
            person = replace(person, bbox=extent_of(person.keypoints))
            if person.bbox is None:
                self.account.left_out.add(
                    "annotations have no box, and joints that span none",
                    self.photographs[person.photograph].file_name,
                )
                return
            self.account.guessed.add(NO_BOX)
        self.account.guessed.add(NO_AREA)
        self.people.append(replace(person, number=self._number))

    def finish(self, name: str, images: str | None) -> ImportedSplit:
        """Return the split."""
        return ImportedSplit(name, images, self.photographs, self.people)


def pixels(values: Sequence[float]) -> array[float]:
    """Pack numbers, eight bytes each."""
    return array("d", values)


def without_unlabelled(triples: Sequence[tuple[float, float, int]], offset: float = 0.0) -> array[float]:
    """Return (x, y, visibility) by joint as COCO's flat list, moved by `offset`; zeros where not labelled."""
    return pixels([n for x, y, v in triples for n in ((x + offset, y + offset, v) if v else (0.0, 0.0, 0.0))])


def _fault(person: ImportedPerson) -> str | None:
    values = [*person.keypoints, *(person.bbox or ()), *(person.head_box or ())]
    if not all(math.isfinite(value) and abs(value) <= MAX_COORDINATE for value in values):
        return f"annotations have coordinates that are no pixels, or above {MAX_COORDINATE:.0f}"
    if person.bbox is None:
        return None
    if min(person.bbox[2:]) <= 0:
        return "annotations have a box without a positive width and height"
    return "annotations have a box that is none" if numbers_fault(0, 0.0, person.bbox) else None
