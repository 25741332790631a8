"""Parquet files with other columns, types or rows than a ledger's, or a footer that lies."""

from __future__ import annotations

import io
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.bytes_level import damage_bytes, odd_int64
from tests.fuzz.json_level import damage_json

TEXTS = (
    "",
    "x",
    "../../evil",
    "\x1b[31m",
    "\u202e",
    "a\nb",
    "x" * 20_000,
    "kept",
    "malformed",
    "image",
    "limit",
    "mirrored",
    "train",
)
TYPES = (pa.int64(), pa.int32(), pa.float64(), pa.string(), pa.large_string(), pa.bool_(), pa.binary(), pa.uint64())
METHODS = ("zstd", "snappy", "gzip", "brotli", "lz4", "none")


def damage_ledger(data: bytes, rng: Random) -> bytes:
    """Return a ledger with a fault: in its rows most often, else in its columns or its bytes."""
    if rng.random() < 0.25:
        return _damage_footer(data, rng) if rng.random() < 0.4 else damage_bytes(data, rng)
    table = pq.read_table(io.BytesIO(data))
    for _ in range(rng.choice((1, 1, 2, 4))):
        table = rng.choice(_CHANGES)(table, rng)
    return write_parquet(table, rng)


def damage_leaks(data: bytes, rng: Random) -> bytes:
    """Return a list of shared photographs with a fault, at times in what it says of its data sets."""
    if rng.random() < 0.7:
        return damage_ledger(data, rng)
    table = pq.read_table(io.BytesIO(data))
    metadata = {name: damage_json(value, rng) for name, value in table.schema.metadata.items()}
    return write_parquet(table.replace_schema_metadata(metadata), rng)


def write_parquet(table: pa.Table, rng: Random) -> bytes:
    """Write a table in one of the ways that Parquet knows."""
    stream = io.BytesIO()
    plain = rng.random() < 0.5
    words = [name for name in ("reason", "shard", "detail") if name in table.schema.names]
    pq.write_table(
        table,
        stream,
        compression="zstd" if plain else rng.choice(METHODS),
        use_dictionary=words if plain else rng.choice((True, False)),
        row_group_size=None if plain else rng.choice((1, 2, 1000)),
        store_schema=plain or rng.random() < 0.5,
        data_page_version="1.0" if plain else rng.choice(("1.0", "2.0")),
    )
    return stream.getvalue()


def _damage_footer(data: bytes, rng: Random) -> bytes:
    """Damage what stands at the end: the description of everything, and its length."""
    length = int.from_bytes(data[-8:-4], "little")
    if rng.random() < 0.3:
        made = rng.choice((0, 1, length - 1, length + 1, len(data), 2**31 - 1, 2**32 - 1))
        return data[:-8] + made.to_bytes(4, "little") + data[-4:]
    footer = damage_bytes(data[-8 - length : -8], rng)
    return data[: -8 - length] + footer + len(footer).to_bytes(4, "little") + data[-4:]


def _set_cell(table: pa.Table, rng: Random) -> pa.Table:
    if not table.num_rows or not table.num_columns:
        return table
    at = rng.randrange(table.num_columns)
    field = table.schema.field(at)
    try:
        cells = table.column(at).to_pylist()
    except UnicodeDecodeError:  # an earlier change has left no text
        return table
    row = rng.randrange(table.num_rows)
    if pa.types.is_boolean(field.type):
        cells[row] = not cells[row]
    elif pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
        cells[row] = rng.choice((*TEXTS, cells[0], *([None] if field.nullable else [])))
    elif field.type == pa.int64():
        cells[row] = rng.choice((odd_int64(rng), cells[0], *([None] if field.nullable else [])))
    return table.set_column(at, field, pa.array(cells, field.type))


def _null_cells(table: pa.Table, rng: Random) -> pa.Table:
    """Put nulls where the schema allows none: written as it stands, read as it is found."""
    if not table.num_rows or not table.num_columns:
        return table
    at = rng.randrange(table.num_columns)
    field = table.schema.field(at).with_nullable(True)
    return table.set_column(at, field, pa.nulls(table.num_rows, field.type))


def _drop_column(table: pa.Table, rng: Random) -> pa.Table:
    return table.remove_column(rng.randrange(table.num_columns)) if table.num_columns > 1 else table


def _rename_column(table: pa.Table, rng: Random) -> pa.Table:
    names = list(table.schema.names)
    names[rng.randrange(len(names))] = rng.choice((*names, "x", "", "\x1b[31m", "row ", "x" * 10_000))
    return table.rename_columns(names)


def _retype(table: pa.Table, rng: Random) -> pa.Table:
    at, kind = rng.randrange(table.num_columns), rng.choice(TYPES)
    try:
        cells = table.column(at).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        cells = pa.array([[n] for n in range(table.num_rows)])
    return table.set_column(at, table.schema.names[at], cells)


def _invalid_text(table: pa.Table, rng: Random) -> pa.Table:
    """Bytes that are no UTF-8, in a column of text."""
    words = [at for at, field in enumerate(table.schema) if pa.types.is_string(field.type)]
    if not words or not table.num_rows:
        return table
    at = rng.choice(words)
    cells = pa.array([b"\xff\xfe\x80"] * table.num_rows, pa.binary())
    text = pa.StringArray.from_buffers(len(cells), *cells.buffers()[1:])
    return table.set_column(at, table.schema.field(at), text)


def _reorder(table: pa.Table, rng: Random) -> pa.Table:
    names = list(table.schema.names)
    rng.shuffle(names)
    return table.select(names) if len(set(names)) == len(names) else table


def _rows(table: pa.Table, rng: Random) -> pa.Table:
    parts = (table.slice(0, 0), table.slice(1), table.slice(0, max(0, table.num_rows - 1)))
    return rng.choice((*parts, pa.concat_tables([table] * 2), pa.concat_tables([table] * 20)))


def _metadata(table: pa.Table, rng: Random) -> pa.Table:
    return table.replace_schema_metadata(
        {rng.choice(("pandas", "ARROW:schema", "x")): rng.choice(("{", "\x1b", "x" * 99))}
    )


_CHANGES = (
    _set_cell,
    _set_cell,
    _set_cell,
    _null_cells,
    _drop_column,
    _rename_column,
    _retype,
    _invalid_text,
    _reorder,
)
_CHANGES += (_rows, _metadata)
