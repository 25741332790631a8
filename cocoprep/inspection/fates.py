"""What became of each entry of a data set, or would in a build: kept, or dropped with a reason. N entries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cocoprep.inspection.data_set import Bools, DataSet, Ints, People
from cocoprep.pose.boxes import croppable
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.drop_reasons import DropReason
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    import pyarrow as pa

KEPT = ""
REASONS = (KEPT, *(reason.value for reason in DropReason))
LEAST_OF_REASON = 24  # of those that are chosen, of each reason to drop, where there are as many


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one entry.

    Attributes:
        place: of the annotation among the people of the data set; None where it is no valid one of them.
        reason: why it was dropped; empty where it was kept.
        detail: more on the reason; may be empty.
        annotation_id: the number that its record has; None of a malformed entry without one.
        image_id: None where a malformed entry has none.
        own_id: the id that the file has, as text; empty where it has none, or where none is known.
        source: the name of its file, where a build had several.
        row: place in the annotation file; None where only a build has counted.
        shard: the file that holds its record; empty where there is none.
    """

    place: int | None
    reason: str
    detail: str
    annotation_id: int | None
    image_id: int | None
    own_id: str = ""
    source: str = ""
    row: int | None = None
    shard: str = ""


@dataclass(frozen=True)
class Fates:
    """What became of the N entries.

    Attributes:
        reasons: (N,) the place of each one's reason among `REASONS`.
        places: (N,) of each among the people of the data set; -1 where it is no valid one of them.
        ledger: of a built folder, N rows.
        built: they were dropped by a build; else a build with default settings would drop them.
        beyond: how many more were dropped, or would be, of which nothing but that is known.
    """

    data_set: DataSet
    reasons: Ints
    places: Ints
    ledger: pa.Table | None
    built: bool
    beyond: dict[str, int]

    def counts(self) -> dict[str, int]:
        """Return how many entries met each fate, of those that any did."""
        many = np.bincount(self.reasons, minlength=len(REASONS)).tolist()
        found = {name: many[n] + self.beyond.get(name, 0) for n, name in enumerate(REASONS)}
        return {name: count for name, count in found.items() if count}

    def fate(self, n: int) -> Fate:
        """Return what became of one."""
        place = int(self.places[n]) if self.places[n] >= 0 else None
        if self.ledger is not None:
            return _from_ledger(self.ledger.slice(n, 1).to_pylist()[0], place)
        people = self.data_set.people
        image = self.data_set.images[int(people.images[n])]
        return Fate(place, REASONS[self.reasons[n]], "", int(people.annotation_ids[n]), image.image_id)

    def choose(self, most: int, always: Collection[int] = ()) -> list[int]:
        """Return the places, in order, of up to `most` entries: the same of the same.

        Those whose annotation ids are to be there `always` first; of each reason to drop some; and the rest evenly
        spread over those that were kept, and over the others where there are not as many.
        """
        if len(self.reasons) <= most:
            return list(range(len(self.reasons)))
        chosen: Bools = np.zeros(len(self.reasons), bool)
        wanted = np.flatnonzero(np.isin(self.data_set.people.annotation_ids[self.places], list(always)))
        chosen[wanted[self.places[wanted] >= 0][:most]] = True
        for reason in range(1, len(REASONS)):
            _spread(chosen, self.reasons == reason, min(LEAST_OF_REASON, most - int(chosen.sum())))
        for group in (self.reasons == 0, self.reasons > 0):
            _spread(chosen, group, most - int(chosen.sum()))
        return np.flatnonzero(chosen).tolist()


def fates_of(data_set: DataSet, crop: CropConfig, files: FileStore) -> Fates:
    """Return what became of each entry: of a built folder by its ledger, else as a build would judge.

    Raises:
        RecordError: the ledger is missing or damaged.
    """
    if data_set.manifest is not None:
        return _by_ledger(data_set, files)
    beyond = {
        DropReason.CATEGORY.value: data_set.entries.other_categories,
        DropReason.MALFORMED.value: data_set.entries.malformed,
        DropReason.DUPLICATE.value: data_set.entries.twice,
    }
    reasons = _judged(data_set.people, crop)
    return Fates(data_set, reasons, np.arange(len(reasons)), None, built=False, beyond=beyond)


def _judged(people: People, crop: CropConfig) -> Ints:
    """Return (N,) places among `REASONS`: the first that applies, as a build names it."""
    reasons = np.zeros(len(people), np.int64)
    sized = np.flatnonzero(people.sized)
    reasons[sized[~croppable(people.bbox[sized], people.sizes[sized], crop)]] = REASONS.index(DropReason.BOX)
    reasons[people.crowd] = REASONS.index(DropReason.CROWD)
    reasons[people.labelled == 0] = REASONS.index(DropReason.ZERO_KEYPOINTS)
    return reasons


def _by_ledger(data_set: DataSet, files: FileStore) -> Fates:
    from cocoprep.shards.ledger import read_ledger

    ledger = read_ledger(data_set.path, files)
    said = ledger["reason"].to_pylist()
    number = {name: n for n, name in enumerate(REASONS)}
    reasons = np.array([number[reason or KEPT] for reason in said], np.int64)
    place_of = {int(one): n for n, one in enumerate(data_set.people.annotation_ids.tolist())}
    # A malformed entry may bear the id of a valid one, and one of another category too.
    strange = {DropReason.MALFORMED.value, DropReason.CATEGORY.value}
    ids = ledger["annotation_id"].to_pylist()
    places = [-1 if reason in strange else place_of.get(one, -1) for one, reason in zip(ids, said, strict=True)]
    return Fates(data_set, reasons, np.array(places, np.int64), ledger, built=True, beyond={})


def _from_ledger(line: dict[str, Any], place: int | None) -> Fate:
    return Fate(
        place=place,
        reason=line["reason"] or KEPT,
        detail=line["detail"],
        annotation_id=line["annotation_id"],
        image_id=line["image_id"],
        own_id=line["source_id"] or "",
        source=line["source"] or "",
        row=line["row"],
        shard=line["shard"] or "",
    )


def _spread(chosen: Bools, group: Bools, most: int) -> None:
    """Choose up to `most` more of a group, evenly spread, in `chosen` (out)."""
    there = np.flatnonzero(group & ~chosen)
    many = max(0, min(most, len(there)))
    chosen[there[np.arange(many) * len(there) // max(many, 1)]] = True
