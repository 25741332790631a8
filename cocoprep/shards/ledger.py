"""The ledger: one line for every entry of the annotation file, kept or dropped, and why.

`annotation_id` is the number that the record has, `source_id` the id that the file has, as text. `source` names the
file, where a build has several, and `category_id` is that of a valid entry in its file, where a build is of several
sources or categories; the columns are there only then.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec.structs import replace

from cocoprep.checks import shown
from cocoprep.errors import BuildError, RecordError
from cocoprep.shards.bounded_parquet import read_table
from cocoprep.shards.drop_reasons import FAULTS, DropReason, JudgedEntry
from cocoprep.shards.names import LEDGER, shard_name
from cocoprep.shards.settings import SourceRecord
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
        pa.field("source_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("category_id", pa.int64()),
    ]
)
_OF_ONE_SOURCE = pa.schema([field for field in SCHEMA if field.name not in ("source", "category_id")])
_BEFORE_SOURCE_ID = pa.schema([field for field in _OF_ONE_SOURCE if field.name != "source_id"])  # ledgers of 0.1
MAX_FAULTS_SHOWN = 5
_WORDS = ("reason", "detail", "shard", "source_id", "source")
MAX_DETAIL = 500  # characters of a detail: a file may have names and values of any length


def make_ledger(entries: Sequence[JudgedEntry], split: str, num_shards: int, sources: Sequence[str] = ()) -> pa.Table:
    """Return the ledger of judged entries, in file order; `sources` are the names of several files."""
    names = [shard_name(split, index, num_shards) for index in range(num_shards)]
    numbers = pa.array([e.annotation_id for e in entries], pa.int64())
    own = pa.array([None if e.source_id is None else e.source_id[:MAX_DETAIL] for e in entries], pa.string())
    own = pc.coalesce(own, numbers.cast(pa.string()))
    return pa.table(
        {
            "row": [e.row for e in entries],
            "annotation_id": numbers,
            "image_id": [e.image_id for e in entries],
            "kept": [e.reason is None for e in entries],
            "reason": [None if e.reason is None else e.reason.value for e in entries],
            "detail": [e.detail[:MAX_DETAIL] for e in entries],
            "shard": [None if e.shard is None else names[e.shard] for e in entries],
            "source_id": pc.if_else(pc.equal(own, ""), pa.scalar(None, pa.string()), own),
            "source": pa.array([None if e.source is None else sources[e.source] for e in entries], pa.string()),
            "category_id": pa.array([e.category_id for e in entries], pa.int64()),
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
        "detail": pa.array([faults[image_id][:MAX_DETAIL] if drop else detail for drop, image_id, detail in lines]),
        "shard": pc.if_else(struck, nothing, ledger["shard"]),
    }
    return pa.table([columns.get(name, ledger[name]) for name in SCHEMA.names], schema=SCHEMA)


def restore_images(ledger: pa.Table, shard_of_image: Callable[[int], str]) -> pa.Table:
    """Undo `drop_faulty_images`: return the ledger as it was before photographs were looked at."""
    struck = pc.fill_null(pc.equal(ledger["reason"], DropReason.IMAGE.value), False)
    lines = zip(*(ledger[name].to_pylist() for name in ("image_id", "shard")), struck.to_pylist(), strict=True)
    columns = {
        "kept": pc.or_(ledger["kept"], struck),
        "reason": pc.if_else(struck, pa.scalar(None, pa.string()), ledger["reason"]),
        "detail": pc.if_else(struck, "", ledger["detail"]),
        "shard": pa.array(
            [shard_of_image(image_id) if drop else shard for image_id, shard, drop in lines], pa.string()
        ),
    }
    return pa.table([columns.get(name, ledger[name]) for name in SCHEMA.names], schema=SCHEMA)


def encode_ledger(ledger: pa.Table) -> bytes:
    """Encode the ledger as Parquet: equal rows, equal bytes."""
    stream = io.BytesIO()
    words = ["reason", "shard", "detail"]
    if ledger["source"].null_count == len(ledger):
        ledger = ledger.select(_OF_ONE_SOURCE.names)
    else:
        words.append("source")
    pq.write_table(ledger.combine_chunks(), stream, compression="zstd", use_dictionary=words)
    return stream.getvalue()


def decode_ledger(data: bytes, path: str) -> pa.Table:
    """Return the ledger that `encode_ledger` encoded.

    Raises:
        RecordError: it is damaged.
    """
    try:
        schemas = (SCHEMA, _OF_ONE_SOURCE, _BEFORE_SOURCE_ID)
        ledger = _with_all_columns(read_table(data, schemas, _WORDS, "a ledger"))
        if not _is_consistent(ledger):
            raise pa.ArrowInvalid("its lines are none that a build writes")
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    return ledger


def _with_all_columns(ledger: pa.Table) -> pa.Table:
    if "source_id" not in ledger.column_names:
        ledger = ledger.append_column(SCHEMA.field("source_id"), ledger["annotation_id"].cast(pa.string()))
    for name in ("source", "category_id"):
        if name not in ledger.column_names:
            ledger = ledger.append_column(SCHEMA.field(name), pa.nulls(len(ledger), SCHEMA.field(name).type))
    return ledger


def _is_consistent(ledger: pa.Table) -> bool:
    """Tell whether every line is kept, with its ids and its shard, or dropped, for a reason that there is."""
    kept, reasons = ledger["kept"], pa.array([reason.value for reason in DropReason])
    fits = pc.if_else(kept, pc.is_null(ledger["reason"]), pc.is_in(ledger["reason"], reasons))
    named = pc.and_(pc.is_valid(ledger["annotation_id"]), pc.is_valid(ledger["image_id"]))
    shard = pc.equal(pc.is_valid(ledger["shard"]), kept)
    return all(pc.all(one, min_count=0).as_py() for one in (fits, pc.or_(pc.invert(kept), named), shard))


def read_ledger(folder: str, files: FileStore) -> pa.Table:
    """Read a folder's ledger.

    Raises:
        RecordError: it is missing or damaged.
    """
    path = files.join(folder, LEDGER)
    try:
        data = files.read_bytes(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    return decode_ledger(data, path)


def _unreadable(path: str, error: Exception) -> RecordError:
    why = getattr(error, "strerror", None) or error
    return RecordError(
        f"{path}: cannot be read ({why}). Build the folder again; if it is a copy, copy this file again."
    )


def count_dropped(ledger: pa.Table) -> dict[str, int]:
    """Count the entries dropped, by reason; every reason is named."""
    found = {pair["values"]: pair["counts"] for pair in ledger["reason"].value_counts().to_pylist()}
    return {reason.value: found.get(reason.value, 0) for reason in DropReason}


def count_source(source: SourceRecord, ledger: pa.Table) -> SourceRecord:
    """Return a source with what became of its entries."""
    own = ledger.filter(pc.equal(ledger["source"], source.name))
    kept = pc.sum(own["kept"], min_count=0).as_py()
    return replace(source, annotations_read=len(own), people=kept, dropped=count_dropped(own))


@dataclass(frozen=True, slots=True)
class CategoryCounts:
    """What became of the entries of one category of a source: `read` are valid ones, of which `people` were kept."""

    name: str
    read: int
    people: int
    dropped: dict[str, int]


def count_categories(source: SourceRecord, ledger: pa.Table) -> list[CategoryCounts]:
    """Return what became of the valid entries of each category of a source, in the order of the categories."""
    own, found = ledger.filter(pc.equal(ledger["source"], source.name)), []
    for number, name in source.categories:
        lines = own.filter(pc.equal(own["category_id"], number))
        kept = pc.sum(lines["kept"], min_count=0).as_py()
        found.append(CategoryCounts(name, len(lines), kept, count_dropped(lines)))
    return found


def has_too_many_faults(ledger: pa.Table, max_bad_fraction: float) -> bool:
    """Tell whether the share of faulty annotations is too large; of several sources, that of any."""
    return _worst_source(ledger, max_bad_fraction) is not None


def _worst_source(ledger: pa.Table, max_bad_fraction: float) -> pa.Table | None:
    """Return the lines of the first source whose share of faults is too large; None where there is none.

    A small source beside a large one is judged as it would be alone.
    """
    names = [name for name in ledger["source"].unique().to_pylist() if name is not None]
    for own in [ledger.filter(pc.equal(ledger["source"], name)) for name in names] or [ledger]:
        if len(_faulty(own)) > max_bad_fraction * _count_own(own):
            return own
    return None


def check_faults(ledger: pa.Table, max_bad_fraction: float, path: str, *, listed_in: str | None = None) -> None:
    """Raise BuildError as `too_many_faults` words it where the share of faulty annotations is too large."""
    if has_too_many_faults(ledger, max_bad_fraction):
        raise too_many_faults(ledger, max_bad_fraction, path, listed_in=listed_in)


def too_many_faults(ledger: pa.Table, max_bad_fraction: float, path: str, *, listed_in: str | None) -> BuildError:
    """Return the error of a ledger whose share of faults is too large.

    `path` is the annotation file's, `listed_in` the ledger's where it has been written.
    """
    worst = _worst_source(ledger, max_bad_fraction)
    ledger = ledger if worst is None else worst
    bad = _faulty(ledger)
    counts = ", ".join(f"{n} {reason}" for reason, n in count_dropped(bad).items() if n)
    first = "".join(
        f"\n  {_of(line)}row {line['row']}, annotation {_own_id(line)}: {line['reason']}: {line['detail']}"
        for line in bad.slice(0, MAX_FAULTS_SHOWN).to_pylist()
    )
    all_of_them = f"All are listed in {listed_in}. " if listed_in else ""
    return BuildError(
        f"{path}: {len(bad)} of {_count_own(ledger)} annotations{_source(bad)} are faulty ({counts}), more than the "
        f"share of {max_bad_fraction:g} that --max-bad-fraction allows. The first of them:{first}\n"
        f"{all_of_them}Mend the data, or raise --max-bad-fraction to drop these annotations."
    )


def _source(lines: pa.Table) -> str:
    return f" of {lines['source'][0]}" if len(lines) and lines["source"][0].is_valid else ""


def _of(line: dict[str, Any]) -> str:
    return f"{line['source']}: " if line["source"] else ""


def _own_id(line: dict[str, Any]) -> str:
    number = line["source_id"] if line["source"] else line["annotation_id"]
    if number is not None and str(number).isdecimal():
        return str(number)
    return shown(line["source_id"]) if line["source_id"] else "without an id"


def _count_own(ledger: pa.Table) -> int:
    """Count the entries that are not of other categories: those are nobody's fault."""
    return len(ledger) - count_dropped(ledger)[DropReason.CATEGORY]


def _faulty(ledger: pa.Table) -> pa.Table:
    return ledger.filter(pc.is_in(ledger["reason"], pa.array([reason.value for reason in FAULTS])))
