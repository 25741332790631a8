"""The file store protocol: the operations the toolkit needs of a file system or a bucket.

The core reads and writes through this alone, so that a bucket can stand where a folder does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

import msgspec


class FileDigest(msgspec.Struct, frozen=True):
    """Size and SHA-256 of a file beside the manifest."""

    bytes: int
    sha256: str


PATIENCE_S = 120.0  # how long a bucket's answer may be out before it is an error
PIECE_BYTES = 1 << 20
Pieces = Callable[[int], Iterator[bytes]]  # from which byte on -> the rest, in pieces


class FileStore(Protocol):
    """The operations the toolkit needs of a file system or a bucket. Implementations pickle."""

    def open_read(self, path: str) -> BinaryIO:
        """Open a file for reading at any position."""
        ...

    def read_bytes(self, path: str) -> bytes:
        """Return a file's whole content."""
        ...

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """Return bytes `start` up to `end` of a file, fewer where it ends before: in a bucket, one request."""
        ...

    def create(self, path: str, *, sync: bool = True) -> AbstractContextManager[BinaryIO]:
        """Write a file that appears under `path`, whole, only when the block ends without an error.

        Without `sync` a power failure may still cut it short; `sync` makes up for that later.
        """
        ...

    def put_if(self, path: str, data: bytes, *, found: bytes | None) -> bool:
        """Write a small file if it is still as it was found, None for not there. Tell whether it was.

        Not more than a courtesy where others write too: only a bucket, and where nothing was found a file system too,
        answers for that in one step.
        """
        ...

    def sync(self, path: str) -> None:
        """Return when a file will outlast a power failure."""
        ...

    def exists(self, path: str) -> bool:
        """Tell whether a file or folder is there."""
        ...

    def is_folder(self, path: str) -> bool:
        """Tell whether `path` is a folder."""
        ...

    def size(self, path: str) -> int:
        """Return a file's size in bytes."""
        ...

    def list_names(self, folder: str) -> list[str]:
        """Return the sorted names in a folder; none where the folder does not exist."""
        ...

    def walk_names(self, folder: str, *, follow_links: bool = False) -> Iterator[str]:
        """Yield the paths within a folder, with slashes, of all files below it, in any order.

        What is hidden (a name that begins with a dot, and what lies below) and what cannot be listed is passed over;
        links to folders too, unless `follow_links`.
        """
        ...

    def delete(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...

    def make_folder(self, path: str) -> None:
        """Make a folder and its parents where they do not exist."""
        ...

    def join(self, folder: str, name: str) -> str:
        """Return the path of a name within a folder."""
        ...

    def read_contained(
        self, folder: str, name: str, *, max_bytes: int, first: int | None = None, follow_links: bool = False
    ) -> bytes:
        """Return the content of a regular file that lies within `folder`, or its `first` bytes alone.

        Links are resolved before that is asked, but with `follow_links`.

        Raises:
            ImageError: missing, outside the folder, not a regular file, unreadable or larger than `max_bytes`.
        """
        ...

    def receive(self, path: str, digest: FileDigest, pieces: Pieces, *, on_bytes: Callable[[int], None]) -> None:
        """Fetch a file; it appears under `path` when all of it is there and its digest is right.

        Args:
            path: the file to be.
            digest: what it must be.
            pieces: called with the byte to begin with.
            on_bytes: told how many more bytes are there, kept ones too; a negative number where they were of no use.

        Raises:
            RecordError: what came has another size or digest.
            OutputError: it cannot be written. What has come is kept for the next call.
        """
        ...

    def kept_bytes(self, path: str, digest: FileDigest) -> int:
        """Return how much of a file an interrupted `receive` has left."""
        ...

    def digest(self, path: str) -> FileDigest:
        """Return a file's size and SHA-256, which may be those that `create` or `receive` took as it was written."""
        ...

    def free_bytes(self, folder: str) -> int | None:
        """Return how much may be written into a folder, which need not be there yet; None where there is no end."""
        ...
