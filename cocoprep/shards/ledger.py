"""The ledger: one line for every entry of the annotation file, kept or dropped, and why."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cocoprep.coco.annotations import Person
from cocoprep.errors import BuildError, RecordError
from cocoprep.shards.names import LEDGER, shard_name
from cocoprep.storage.store import FileStore

SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("annotation_id", pa.int64()),
        pa.field("image_id", pa.int64()),
        pa.field("kept", pa.bool_(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("shard", pa.string()),
    ]
)
MAX_FAULTS_SHOWN = 5


def make_ledger(entries: Sequence[Entry], split: str, num_shards: int) -> pa.Table:
    """Return the ledger of judged entries, in file order."""
    names = [shard_name(split, index, num_shards) for index in range(num_shards)]
    return pa.table(
        {
            "row": [e.row for e in entries],
            "annotation_id": [e.annotation_id for e in entries],
            "image_id": [e.image_id for e in entries],
            "kept": [e.reason is None for e in entries],
            "reason": [None if e.reason is None else e.reason.value for e in entries],
            "detail": [e.detail for e in entries],
            "shard": [None if e.shard is None else names[e.shard] for e in entries],
        },
        schema=SCHEMA,
    )


def drop_faulty_images(ledger: pa.Table, faults: Mapping[int, str]) -> pa.Table:
    """Return the ledger with those kept people dropped whose photograph is faulty. `faults`: image id to detail."""
    if not faults:
        return ledger
    struck = pc.and_(ledger["kept"], pc.is_in(ledger["image_id"], pa.array(list(faults), pa.int64())))
    lines = zip(*(column.to_pylist() for column in (struck, ledger["image_id"], ledger["detail"])), strict=True)
    nothing = pa.scalar(None, pa.string())
    columns = {
        "kept": pc.and_not(ledger["kept"], struck),
        "reason": pc.if_else(struck, DropReason.IMAGE.value, ledger["reason"]),
        "detail": pa.array([faults[image_id] if drop else detail for drop, image_id, detail in lines]),
        "shard": pc.if_else(struck, nothing, ledger["shard"]),
    }
    return pa.table([columns.get(name, ledger[name]) for name in SCHEMA.names], schema=SCHEMA)


def write_ledger(ledger: pa.Table, folder: str, files: FileStore) -> None:
    """Write the ledger into a folder as Parquet."""
    stream = io.BytesIO()
    pq.write_table(ledger.combine_chunks(), stream, compression="zstd", use_dictionary=["reason", "shard", "detail"])
    with files.create(files.join(folder, LEDGER)) as target:
        target.write(stream.getvalue())


def read_ledger(folder: str, files: FileStore) -> pa.Table:
    """Read a folder's ledger.

    Raises:
        RecordError: it is missing or damaged.
    """
    path = files.join(folder, LEDGER)
    try:
        ledger = pq.read_table(pa.BufferReader(files.read_bytes(path)))
        if not ledger.schema.equals(SCHEMA):
            raise pa.ArrowInvalid("its columns are not those of a ledger")
        ledger.validate(full=True)  # text is taken for UTF-8 unseen, and fails only where it is used
    except (OSError, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or error
        raise RecordError(
            f"{path}: cannot be read ({why}). Build the folder again; if it is a copy, copy this file again."
        ) from error
    return ledger


def count_dropped(ledger: pa.Table) -> dict[str, int]:
    """Count the entries dropped, by reason; every reason is named."""
    found = {pair["values"]: pair["counts"] for pair in ledger["reason"].value_counts().to_pylist()}
    return {reason.value: found.get(reason.value, 0) for reason in DropReason}


def check_faults(ledger: pa.Table, max_bad_fraction: float, path: str, *, listed_in: str | None = None) -> None:
    """Raise BuildError where the share of faulty annotations is too large.

    `path` is the annotation file's, `listed_in` the ledger's where it has been written.
    """
    bad = ledger.filter(pc.is_in(ledger["reason"], pa.array([reason.value for reason in FAULTS])))
    if len(bad) <= max_bad_fraction * len(ledger):
        return
    counts = ", ".join(f"{n} {reason}" for reason, n in count_dropped(bad).items() if n)
    shown = "".join(
        f"\n  row {line['row']}, annotation {line['annotation_id']}: {line['reason']}: {line['detail']}"
        for line in bad.slice(0, MAX_FAULTS_SHOWN).to_pylist()
    )
    all_of_them = f"All are listed in {listed_in}. " if listed_in else ""
    raise BuildError(
        f"{path}: {len(bad)} of {len(ledger)} annotations are faulty ({counts}), more than the share of "
        f"{max_bad_fraction:g} that --max-bad-fraction allows. The first of them:{shown}\n"
        f"{all_of_them}Mend the data, or raise --max-bad-fraction to drop these annotations."
    )


class DropReason(StrEnum):
    """Why an annotation gives no record. The first that applies, in this order, is the one named."""

    MALFORMED = "malformed"
    ZERO_KEYPOINTS = "zero_keypoints"
    CROWD = "crowd"
    MIN_KEYPOINTS = "min_keypoints"
    BOX = "box"
    LIMIT = "limit"
    IMAGE = "image"


FAULTS = frozenset({DropReason.MALFORMED, DropReason.BOX, DropReason.IMAGE})


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of the ledger: an entry of the annotation file and what became of it.

    `reason` and `shard` are set by selection alone; faults of photographs come on top later.
    """

    row: int
    annotation_id: int | None
    image_id: int | None
    person: Person | None
    reason: DropReason | None
    detail: str
    shard: int | None
