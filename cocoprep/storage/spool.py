"""Keep records until all are there and can be written in their order: in memory at first, then in a temporary file.

A shard may be of any size; a worker's memory should not grow with it.
"""

from __future__ import annotations

import tempfile
from collections.abc import KeysView
from contextlib import suppress
from types import TracebackType
from typing import IO

from cocoprep.storage.disk_errors import no_temporary

MEMORY_BYTES = 32 << 20


class Spool:
    """Byte strings by number. Use it as a context manager: its temporary file has no name and ends with it."""

    def __init__(self) -> None:
        """Make an empty spool."""
        self._stream: IO[bytes] | None = None
        self._held: dict[int, bytes | tuple[int, int]] = {}  # the record itself, or where it lies in the file
        self._in_memory = self._in_file = 0

    def __enter__(self) -> Spool:
        """Return the spool."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give memory and disk back."""
        self._held.clear()
        if self._stream is not None:
            with suppress(OSError):  # what a full disk did not take is tried again, and is of no use any more
                self._stream.close()

    def add(self, number: int, data: bytes) -> None:
        """Keep `data` under `number`.

        Raises:
            OutputError: the disk that holds temporary files is full.
        """
        if self._in_memory + len(data) <= MEMORY_BYTES:
            self._held[number] = data
            self._in_memory += len(data)
        else:
            self._held[number] = self._write(data)

    def get(self, number: int) -> bytes:
        """Return what is kept under `number`. Raises OutputError as `add` does, whose last bytes may still be due."""
        held = self._held[number]
        if isinstance(held, bytes):
            return held
        start, size = held
        try:
            stream = self._file()
            stream.seek(start)
            return stream.read(size)
        except OSError as error:
            raise no_temporary(error) from error

    def keys(self) -> KeysView[int]:
        """Return the numbers, in the order they came in."""
        return self._held.keys()

    def _write(self, data: bytes) -> tuple[int, int]:
        try:
            stream = self._file()
            stream.seek(self._in_file)
            stream.write(data)
        except OSError as error:
            raise no_temporary(error) from error
        self._in_file += len(data)
        return self._in_file - len(data), len(data)

    def _file(self) -> IO[bytes]:
        if self._stream is None:
            self._stream = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        return self._stream
