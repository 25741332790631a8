"""The parts in which a large file goes up to a bucket, to be composed there: names, sizes, checksums."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator

from cocoprep.storage.gcs_client import split_path
from cocoprep.storage.store import FileDigest

PARTS = ".cocoprep-parts"  # the folder of files that are on their way
PART_BYTES = 16 << 20
_MAX_PARTS = 32  # that one request can compose


def part_prefix(path: str, digest: FileDigest) -> str:
    """Return how the names of a file's parts in its bucket begin; what follows is a number."""
    folder, _, name = split_path(path)[1].rpartition("/")
    inside = f"{PARTS}/{name}/{digest.sha256[:16]}-"
    return f"{folder}/{inside}" if folder else inside


def part_bytes(digest: FileDigest) -> int:
    """Return how large the parts of a file are."""
    return max(PART_BYTES, math.ceil(digest.bytes / _MAX_PARTS))


def cut_pieces(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Join and cut pieces to parts of one size; the last may be shorter."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= size:
            with memoryview(held) as view:
                part = bytes(view[:size])
            del held[:size]
            yield part
    if held:
        yield bytes(held)


def crc_text(crc32c: int) -> str:
    """Return a CRC-32C as the service writes it."""
    return base64.b64encode(crc32c.to_bytes(4, "big")).decode()
