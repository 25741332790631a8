"""Keep records until all are there and can be written in their order: in memory at first, then in a temporary file.

A shard may be of any size; a worker's memory should not grow with it.
"""

from __future__ import annotations

import tempfile
from collections.abc import KeysView
from types import TracebackType

from cocoprep.files import no_temporary

MEMORY_BYTES = 16 << 20


class Spool:
    """Byte strings by number. Use it as a context manager: its temporary file has no name and ends with it."""

    def __init__(self) -> None:
        """Make an empty spool."""
        self._stream = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115 - closed by __exit__
        self._places: dict[int, tuple[int, int]] = {}
        self._end = 0

    def __enter__(self) -> Spool:
        """Return the spool."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give memory and disk back."""
        self._stream.close()

    def add(self, number: int, data: bytes) -> None:
        """Keep `data` under `number`.

        Raises:
            OutputError: the disk that holds temporary files is full.
        """
        try:
            self._stream.seek(self._end)
            self._stream.write(data)
        except OSError as error:
            raise no_temporary(error) from error
        self._places[number] = self._end, len(data)
        self._end += len(data)

    def get(self, number: int) -> bytes:
        """Return what is kept under `number`."""
        start, size = self._places[number]
        self._stream.seek(start)
        return self._stream.read(size)

    def keys(self) -> KeysView[int]:
        """Return the numbers, in the order they came in."""
        return self._places.keys()
