"""Take a file in to this machine, piece by piece: it appears whole and checked; a later call goes on where one stopped.

What has come so far lies beside the file to be, under a name that says what it belongs to.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import BinaryIO

from cocoprep.errors import OutputError
from cocoprep.storage.digests import check_received
from cocoprep.storage.disk_errors import write_failure
from cocoprep.storage.store import PIECE_BYTES, FileDigest, Pieces


def receive_file(path: str, digest: FileDigest, pieces: Pieces, *, on_bytes: Callable[[int], None]) -> None:
    """Fetch a file to this machine; see `FileStore.receive`."""
    partial = _partial(path, digest)
    try:
        _sweep(path, keep=partial)
        with _held(partial) as stream:
            kept = stream.seek(0, os.SEEK_END)
            found = _append(stream, digest, pieces, on_bytes)
            if found != digest and found.bytes >= digest.bytes:
                on_bytes(-found.bytes)
                stream.truncate(0)
                if kept:  # and may be at fault: a disk that lost power may hold zeros
                    found = _append(stream, digest, pieces, on_bytes)
            check_received(path, digest, found)
            os.fsync(stream.fileno())
            os.replace(partial, path)
    except OSError as error:
        raise OutputError(write_failure(path, error)) from error


def partial_bytes(path: str, digest: FileDigest) -> int:
    """Return how much of a file an interrupted `receive_file` has left."""
    with suppress(OSError):  # what is in the way of looking is told where it is in the way of writing
        return os.stat(_partial(path, digest)).st_size
    return 0


def _append(stream: BinaryIO, digest: FileDigest, pieces: Pieces, on_bytes: Callable[[int], None]) -> FileDigest:
    """Read what is there, go on at its end, and return what all of it is."""
    sha, size = sha256(), 0
    stream.seek(0)
    while piece := stream.read(PIECE_BYTES):
        sha.update(piece)
        size += len(piece)
        on_bytes(len(piece))
    if size < digest.bytes:
        for piece in pieces(size):
            stream.write(piece)
            sha.update(piece)
            size += len(piece)
            on_bytes(len(piece))
            if size > digest.bytes:
                break
    stream.flush()
    return FileDigest(size, sha.hexdigest())


def _partial(path: str, digest: FileDigest) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.{digest.sha256[:16]}.part")


def _sweep(path: str, *, keep: str) -> None:
    """Remove what has come of the same file with another content."""
    folder, name = os.path.split(path)
    ours = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}\.part")
    for found in os.listdir(folder or "."):
        if ours.fullmatch(found) and os.path.join(folder, found) != keep:
            os.unlink(os.path.join(folder, found))


@contextmanager
def _held(partial: str) -> Iterator[BinaryIO]:
    """Open a partial file for this process alone."""
    with open(partial, "a+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"{partial}: another process writes this file at this moment. Wait for its end."
            ) from error
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK):  # a mounted drive may know no locks
                raise
        try:
            yield stream
        finally:
            with suppress(OSError):  # by now it bears its final name, or it failed; nothing need not be kept
                if not os.fstat(stream.fileno()).st_size:
                    os.unlink(partial)
