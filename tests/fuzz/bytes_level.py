"""Damage that knows nothing of the format: bits flipped, pieces cut out, doubled or put in the wrong place."""

from __future__ import annotations

import struct
from random import Random

ODD_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1)


def damage_bytes(data: bytes, rng: Random) -> bytes:
    """Return data with one fault of the kind that disks, networks and editors make."""
    if not data:
        return rng.randbytes(rng.randint(0, 40))
    return rng.choice(_FAULTS)(data, rng)


def _flip(data: bytes, rng: Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8, 64))):
        damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _cut_end(data: bytes, rng: Random) -> bytes:
    return data[: rng.choice((0, 1, 2, len(data) // 2, len(data) - 1, rng.randrange(len(data))))]


def _cut_out(data: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 2, 4, 8, 100)) :]


def _put_in(data: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.randbytes(rng.choice((1, 2, 4, 8, 100))) + data[start:]


def _double(data: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.choice((1, 4, 16, 200, len(data)))]
    return data[:start] + piece * rng.choice((2, 3, 20)) + data[start + len(piece) :]


def _overwrite_number(data: bytes, rng: Random) -> bytes:
    size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    number = (rng.choice(ODD_NUMBERS) & ((1 << 8 * size) - 1)).to_bytes(size, order)
    start = rng.randrange(len(data))
    return data[:start] + number + data[start + size :]


def _zero(data: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(data))
    length = min(rng.choice((1, 8, 512, 4096)), len(data) - start)
    return data[:start] + bytes(length) + data[start + length :]


def _append(data: bytes, rng: Random) -> bytes:
    return data + rng.choice((b"\0", b"\n", data, rng.randbytes(30), bytes(5000)))


_FAULTS = (_flip, _flip, _flip, _cut_end, _cut_end, _cut_out, _put_in, _double, _overwrite_number, _zero, _append)


def odd_float32(rng: Random) -> float:
    """Return a number that a float32 holds and arithmetic does not like."""
    return rng.choice((0.0, -0.0, -1.0, 1e-40, 3e38, -3e38, float("nan"), float("inf"), float("-inf"), 1e6, 0.5))


def odd_int64(rng: Random) -> int:
    """Return a number that an int64 holds and few fields should."""
    return rng.choice((0, -1, 1, 2, 7, 255, 2**31, 2**32, 2**53 + 1, 2**63 - 1, -(2**63)))


def patched(data: bytes, offset: int, form: str, number: int) -> bytes:
    """Return data with a number, in `struct`'s form, written over what stands at an offset."""
    size = struct.calcsize(form)
    if not 0 <= offset <= len(data) - size:
        return data
    return data[:offset] + struct.pack(form, number & ((1 << 8 * size) - 1)) + data[offset + size :]
