"""Read ranges of files in order; from elsewhere several at a time, since nearly all of that time is waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from cocoprep.errors import StoreError
from cocoprep.storage.store import FileStore

MOST_BYTES = 16 << 20  # at most, unless a record is larger
READERS = 4


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` up to `end` of a file."""

    path: str
    start: int
    end: int


class RangeReader:
    """Reads ranges of the files of one folder. Any thread may ask for any of them.

    A bucket that has failed for good, which takes minutes of patience, has failed for all that ask from then on: else a
    process could not end before each of its readers has found that out for itself.
    """

    def __init__(self, folder: str, files: FileStore) -> None:
        """Take a folder and where it lies. Its threads live as long as this does, and so do their connections."""
        self._files = files
        self._fault: str | None = None
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="cocoprep-fetch") if "://" in folder else None

    def read(self, ranges: Iterable[ByteRange]) -> Iterator[bytes]:
        """Yield the content of ranges in their order. Raises OSError or StoreError for what cannot be read."""
        if self._pool is None:
            yield from map(self._read, ranges)
            return
        coming: deque[Future[bytes]] = deque()
        try:
            for part in ranges:
                coming.append(self._pool.submit(self._read, part))
                if len(coming) > READERS:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()

    def _read(self, part: ByteRange) -> bytes:
        if self._fault is not None:
            raise StoreError(self._fault)
        try:
            return self._files.read_range(part.path, part.start, part.end)
        except StoreError as error:
            self._fault = str(error)
            raise
