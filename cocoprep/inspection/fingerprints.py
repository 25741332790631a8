"""What is kept of a photograph to know it again: its file's digest, its size, and itself, small and grey."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cocoprep.crops.small_picture import decode_thumbnail

SIDE = 32
THUMBNAIL_BYTES = SIDE * SIDE
DIGEST_BYTES = 32
_FLAT = 2.0  # grey levels
_AT_ONCE = 4096


class Fingerprint(NamedTuple):
    """Of one photograph.

    Attributes:
        sha256: of its file.
        width: as stored, in pixels.
        height: as stored.
        thumbnail: `SIDE` rows of as many grey pixels, whatever its aspect; not turned by its EXIF orientation.
    """

    sha256: bytes
    width: int
    height: int
    thumbnail: bytes


def digest_of(data: bytes) -> bytes:
    """Return the digest that a photograph's file is known by."""
    return hashlib.sha256(data).digest()


def fingerprint(data: bytes, name: str) -> Fingerprint:
    """Return a photograph's fingerprint. Raises ImageError where it cannot be decoded, as `decode_thumbnail`."""
    thumbnail, (width, height) = decode_thumbnail(data, repr(name), SIDE)
    return Fingerprint(digest_of(data), width, height, thumbnail.tobytes())


def stack_thumbnails(found: list[Fingerprint]) -> NDArray[np.uint8]:
    """Return the thumbnails of many fingerprints, (N, `SIDE`, `SIDE`) uint8."""
    return np.frombuffer(b"".join(one.thumbnail for one in found), np.uint8).reshape(-1, SIDE, SIDE)


def is_flat(thumbnails: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return (N,) of (N, `SIDE`, `SIDE`) thumbnails: those of one grey all over, by which nothing is known again."""
    flat = np.empty(len(thumbnails), bool)
    for start in range(0, len(thumbnails), _AT_ONCE):  # as floats they take four times the memory
        some = thumbnails[start : start + _AT_ONCE]
        flat[start : start + _AT_ONCE] = some.std(axis=(1, 2), dtype=np.float32) < _FLAT
    return flat
