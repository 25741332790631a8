"""The fingerprints of an earlier run, or of one that was stopped: what is known is not decoded again.

A fingerprint belongs to a content, whatever the file is called, so that none of them is ever out of date.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from cocoprep.inspection.fingerprints import DIGEST_BYTES, THUMBNAIL_BYTES, Fingerprint
from cocoprep.storage.digests import digest_bytes
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.store import FileStore

SCHEMA = pa.schema(
    [
        pa.field("sha256", pa.binary(DIGEST_BYTES), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("thumbnail", pa.binary(THUMBNAIL_BYTES), nullable=False),
    ]
)
FOLDER = "fingerprints"
A_FILE = 2000  # photographs: some seconds of work, which is what a kill costs
_NAME = re.compile(r"[0-9a-f]{32}\.parquet")
_MOST_BYTES = 2 * A_FILE * (THUMBNAIL_BYTES + 100)


@dataclass(frozen=True)
class FingerprintFolder:
    """Fingerprints in files of `A_FILE`, each named by its content's digest.

    Attributes:
        path: of the folder.
        files: where it lies.
    """

    path: str
    files: FileStore

    def prepare(self) -> None:
        """Make the folder, and remove what a kill has left in it."""
        self.files.make_folder(self.path)
        sweep_folder(self.path, self.files)

    def names(self) -> tuple[str, ...]:
        """Return the names of the files that are there."""
        return tuple(filter(_NAME.fullmatch, self.files.list_names(self.path)))

    def load(self, names: Iterable[str]) -> dict[bytes, Fingerprint]:
        """Return what is kept in files, by the photographs' digests; nothing of one that is damaged."""
        return {one.sha256: one for name in names for one in self._read(name)}

    def write(self, found: Iterable[Fingerprint]) -> None:
        """Write a file."""
        columns = zip(*found, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
        stream = io.BytesIO()
        pq.write_table(pa.table(arrays, schema=SCHEMA), stream, compression="none", use_dictionary=False)
        data = stream.getvalue()
        with self.files.create(self.files.join(self.path, _name_of(data)), sync=False) as file:
            file.write(data)

    def _read(self, name: str) -> list[Fingerprint]:
        """Return a file's fingerprints; none where it is damaged, or not what its name says."""
        try:
            data = self.files.read_range(self.files.join(self.path, name), 0, _MOST_BYTES)
            if _name_of(data) != name:
                return []
            file = pq.ParquetFile(pa.BufferReader(data))
            if not file.schema_arrow.equals(SCHEMA) or file.metadata.num_rows * THUMBNAIL_BYTES > len(data):
                return []
            table = file.read(use_threads=False)  # threads may be still at it when the process ends, and abort it
            return [Fingerprint(*row) for row in zip(*(c.to_pylist() for c in table.columns), strict=True)]
        except (OSError, pa.ArrowException):
            return []


class FingerprintWriter:
    """Writes fingerprints as they come, `A_FILE` at a time, and the rest when told to."""

    def __init__(self, folder: FingerprintFolder) -> None:
        """Take the folder to write into."""
        self._folder = folder
        self._unwritten: list[Fingerprint] = []

    def add(self, found: Iterable[Fingerprint]) -> None:
        """Take some more."""
        self._unwritten += found
        if len(self._unwritten) >= A_FILE:
            self.flush()

    def flush(self) -> None:
        """Write what is not yet written."""
        if self._unwritten:
            self._folder.write(self._unwritten)
        self._unwritten = []


def _name_of(data: bytes) -> str:
    return f"{digest_bytes(data).sha256[:32]}.parquet"
