"""Files as commands name them where they say what figures are from."""

from __future__ import annotations

import os

from cocoprep.storage.digests import digest_file
from cocoprep.storage.store import FileStore


def with_digest(path: str, files: FileStore) -> str:
    """Return a path with the start of its file's SHA-256; of a pipe, which is read once, the path alone."""
    if "://" not in path and not os.path.isfile(path):
        return path
    return f"{path} (SHA-256 {digest_file(path, files).sha256[:16]})"
