"""Size and SHA-256 of files."""

from __future__ import annotations

import hashlib

from cocoprep.storage.store import FileDigest, FileStore


def digest_bytes(data: bytes) -> FileDigest:
    """Return the size and SHA-256 that a file of this content has."""
    return FileDigest(len(data), hashlib.sha256(data).hexdigest())


def digest_file(path: str, files: FileStore) -> FileDigest:
    """Read a file and return its size and SHA-256."""
    sha, size = hashlib.sha256(), 0
    with files.open_read(path) as stream:
        while piece := stream.read(1 << 20):
            sha.update(piece)
            size += len(piece)
    return FileDigest(size, sha.hexdigest())
