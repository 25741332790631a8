"""Parquet that somebody else may have made: read within bounds, or refused.

What a few bytes of it unpack to has no end.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# Rows of ours take two bytes and more each, and texts, shard names above all, some fifty times the file.
_MOST_ROWS_A_BYTE = 2
_MOST_UNPACKED, _UNPACKED_ANYWAY = 200, 1 << 24


def read_table(data: bytes, schemas: Sequence[pa.Schema], words: Sequence[str], what: str) -> pa.Table:
    """Return a table of one of some schemas; its schema has the metadata of the file.

    Args:
        data: the file.
        schemas: that it may have.
        words: columns of text, which are read as dictionaries, so that a line holds a number in place of its text.
        what: it is, such as "a ledger", for errors.

    Raises:
        ArrowException, OSError: it is damaged, has other columns, or unpacks to more than such a file does.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
    except UnicodeDecodeError as error:
        raise pa.ArrowInvalid("the name of a column is no text") from error
    if not any(file.schema_arrow.equals(schema) for schema in schemas):
        raise pa.ArrowInvalid(f"its columns are not those of {what}")
    _check_size(file.metadata, len(data))
    there = [name for name in words if name in file.schema_arrow.names]
    file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=there)
    # Not `read_table`: the threads that it starts may be still at it when the process ends, and abort it.
    table = _with_texts(file.read(use_threads=False), len(data))
    table.validate(full=True)  # text is taken for UTF-8 unseen, and fails only where it is used
    return table


def _check_size(metadata: pq.FileMetaData, size: int) -> None:
    """Raise ArrowInvalid where a file of `size` bytes says that it unpacks to more than any of ours does."""
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    rows = sum(group.num_rows for group in groups)
    unpacked = sum(group.total_byte_size for group in groups)
    if rows > _MOST_ROWS_A_BYTE * size or unpacked > _MOST_UNPACKED * size + _UNPACKED_ANYWAY:
        raise pa.ArrowInvalid(f"{size} bytes for {rows} rows, {unpacked} bytes unpacked")


def _with_texts(packed: pa.Table, size: int) -> pa.Table:
    """Put texts in the place of their numbers. Raises ArrowInvalid as `_check_size`."""
    for at, field in enumerate(packed.schema):
        if pa.types.is_dictionary(field.type):
            column = packed.column(at)
            length = sum(_text_bytes(chunk) for chunk in column.chunks)
            if length > _MOST_UNPACKED * size + _UNPACKED_ANYWAY:
                raise pa.ArrowInvalid(f"{size} bytes for a column of {length}")
            packed = packed.set_column(at, field.with_type(field.type.value_type), column.cast(field.type.value_type))
    return packed


def _text_bytes(chunk: pa.DictionaryArray) -> int:
    return pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0
