"""An object of Google Cloud Storage as a file that is read: by ranges, of one generation."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cocoprep.errors import StoreError
from cocoprep.storage.gcs_client import told

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SMALL_READ, _LARGE_READ = 256 << 10, 8 << 20


class ObjectReader(io.RawIOBase):
    """One generation of an object, read by ranges."""

    def __init__(self, path: str, found: Any, download: Callable[[Any, int, int], bytes]) -> None:
        """Read what was found under a path.

        Args:
            path: to be named in errors.
            found: Google's blob, with its metadata.
            download: returns bytes of a blob, from the first to the last number.

        Raises:
            StoreError: it cannot be read by ranges.
        """
        super().__init__()
        if found.content_encoding:
            raise StoreError(
                f"{path}: stored with Content-Encoding {found.content_encoding}, so its bytes cannot be read by "
                "ranges. Copy it there again without compression in transport (no -z, -Z, -j or -J)."
            )
        self._path, self._found, self._download, self._size = path, found, download, int(found.size)
        self._position = self._start = 0
        self._held = memoryview(b"")
        self._window = _SMALL_READ

    def readable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def seekable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def tell(self) -> int:
        """See `io.RawIOBase`."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See `io.RawIOBase`."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), self._path)
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """See `io.RawIOBase`. Raises StoreError where the object is not what it was any more."""
        target = memoryview(buffer).cast("B")
        piece = self._take(len(target))
        target[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        """See `io.RawIOBase`."""
        pieces = []
        while piece := self._take(_LARGE_READ):
            pieces.append(piece)
        return b"".join(pieces)

    def _take(self, count: int) -> memoryview:
        """Return up to `count` bytes from the position on; none at the end."""
        if self._position >= self._size or not count:
            return memoryview(b"")
        if not self._start <= self._position < self._start + len(self._held):
            self._fetch(count)
        offset = self._position - self._start
        piece = self._held[offset : offset + count]
        self._position += len(piece)
        return piece

    def _fetch(self, wanted: int) -> None:
        reads_on = len(self._held) and self._position == self._start + len(self._held)
        self._window = min(2 * self._window, _LARGE_READ) if reads_on else _SMALL_READ
        count = min(max(wanted, self._window), self._size - self._position)
        try:
            with told(self._path):
                # A new one each time: the library takes over what an answer says of the generation, or does not say.
                blob = self._found.bucket.blob(self._found.name, generation=self._found.generation)
                data = self._download(blob, self._position, self._position + count - 1)
        except FileNotFoundError as error:
            raise StoreError(
                f"{self._path}: replaced or removed while it was read. Run the same command again."
            ) from error
        if len(data) != count:
            raise StoreError(
                f"{self._path}: expected {count} bytes from byte {self._position}, found {len(data)}. Run the same "
                "command again."
            )
        self._held, self._start = memoryview(data), self._position
