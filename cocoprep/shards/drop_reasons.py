"""Why an annotation gives no record, and an entry of the annotation file with the verdict on it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cocoprep.coco.annotations import Person


class DropReason(StrEnum):
    """Why an annotation gives no record. The first that applies, in this order, is the one named."""

    MALFORMED = "malformed"
    CATEGORY = "category"
    DUPLICATE = "duplicate"
    ZERO_KEYPOINTS = "zero_keypoints"
    CROWD = "crowd"
    EXCLUDED = "excluded"
    MIN_KEYPOINTS = "min_keypoints"
    BOX = "box"
    LEAK = "leak"
    LIMIT = "limit"
    IMAGE = "image"


FAULTS = frozenset({DropReason.MALFORMED, DropReason.BOX, DropReason.IMAGE})  # of the data, not of choice


class JudgedEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry of the annotation file and what became of it: a line of the ledger.

    `reason` and `shard` are set by selection alone; faults of photographs come on top later. `source_id` is the entry's
    own id, as text, where that is another than `annotation_id`; empty where it has none. `source` and `category_id`
    are those of a build of several: the place of its file, and the id of its category there. `head_size` is in pixels,
    where the file states it; it is not in the ledger.
    """

    row: int
    annotation_id: int | None
    image_id: int | None
    person: Person | None
    reason: DropReason | None
    detail: str
    shard: int | None
    source_id: str | None = None
    source: int | None = None
    category_id: int | None = None
    head_size: float | None = None
