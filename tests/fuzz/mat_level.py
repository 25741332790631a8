"""MAT-files with a fault in an element, a dimension or a size that they state, or in their bytes; packed at times."""

from __future__ import annotations

import struct
import zlib
from random import Random

from tests.fuzz.bytes_level import ODD_NUMBERS, damage_bytes, patched

_HEADER = 128


def damage_mat(data: bytes, rng: Random) -> bytes:
    """Return a MAT-file, not packed, with a few faults; packed, or as a bomb, now and then."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = rng.choice((_tag, _tag, _tag, damage_bytes))(data, rng)
    if rng.random() < 0.3 and len(data) > _HEADER:
        data = data[:_HEADER] + _packed(data[_HEADER:], rng)
    return data


def _tag(data: bytes, rng: Random) -> bytes:
    """Write an odd number where an element says its type or its size, or an array a dimension."""
    if len(data) < _HEADER + 16:
        return damage_bytes(data, rng)
    place = _HEADER + 4 * rng.randrange((len(data) - _HEADER) // 4)
    number = rng.choice((*ODD_NUMBERS, *range(20), 1 << 16, 0x40001, 0x90001, 0xFFFF0001))
    return patched(data, place, "<I", number)


def _packed(content: bytes, rng: Random) -> bytes:
    if rng.random() < 0.1:  # 200 MB of zeros, which say that they are an array
        content = content[:64] + bytes(200_000_000)
    packed = zlib.compress(content, 1)
    if rng.random() < 0.3:
        packed = damage_bytes(packed, rng)
    return struct.pack("<II", 15, rng.choice((len(packed), len(packed), len(packed), 0, 2**32 - 1))) + packed
