"""The ledger: one line for every entry of the annotation file, kept or dropped, and why."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from cocoprep.selection import DropReason, Entry
from cocoprep.shards import shard_name

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


def apply_image_faults(entries: Sequence[Entry], faults: Mapping[int, str]) -> list[Entry]:
    """Return the entries with those selected from a faulty photograph dropped. `faults` maps image id to detail."""
    return [
        replace(entry, reason=DropReason.IMAGE, detail=faults[entry.image_id], shard=None)
        if entry.reason is None and entry.image_id is not None and entry.image_id in faults
        else entry
        for entry in entries
    ]


def ledger_bytes(entries: Sequence[Entry], split: str, num_shards: int) -> bytes:
    """Return the ledger of judged entries as a Parquet file."""
    table = pa.table(
        {
            "row": [e.row for e in entries],
            "annotation_id": [e.annotation_id for e in entries],
            "image_id": [e.image_id for e in entries],
            "kept": [e.reason is None for e in entries],
            "reason": [None if e.reason is None else e.reason.value for e in entries],
            "detail": [e.detail for e in entries],
            "shard": [None if e.shard is None else shard_name(split, e.shard, num_shards) for e in entries],
        },
        schema=SCHEMA,
    )
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd", use_dictionary=["reason", "shard", "detail"])
    return stream.getvalue()
