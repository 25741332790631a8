"""Size and SHA-256 of files."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from cocoprep.errors import RecordError
from cocoprep.storage.store import PIECE_BYTES, FileDigest, FileStore


def digest_bytes(data: bytes) -> FileDigest:
    """Return the size and SHA-256 that a file of this content has."""
    return FileDigest(len(data), hashlib.sha256(data).hexdigest())


def digest_file(path: str, files: FileStore) -> FileDigest:
    """Read a file and return its size and SHA-256."""
    with files.open_read(path) as stream:
        return digest_stream(stream)


def digest_stream(stream: BinaryIO) -> FileDigest:
    """Read a stream from its first byte to its end and return size and SHA-256."""
    sha, size = hashlib.sha256(), 0
    stream.seek(0)
    while piece := stream.read(PIECE_BYTES):
        sha.update(piece)
        size += len(piece)
    return FileDigest(size, sha.hexdigest())


def check_received(path: str, expected: FileDigest, found: FileDigest) -> None:
    """Raise RecordError where what came is not what was to come."""
    if found.bytes != expected.bytes:
        raise RecordError(
            f"{path}: expected {expected.bytes} bytes, {found.bytes} came. The source is cut short, or another file."
        )
    if found != expected:
        raise RecordError(
            f"{path}: expected the SHA-256 {expected.sha256}, what came has {found.sha256}. The source is damaged, or "
            "another file."
        )
