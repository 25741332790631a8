"""Shards whose records are framed well and hold what no build writes, or are framed badly."""

from __future__ import annotations

import io
import struct
import zlib
from random import Random
from typing import Any

from cocoprep.shards.record import _Example
from cocoprep.shards.tfrecord import masked_crc32c, read_records, write_records
from tests.fuzz.bytes_level import ODD_NUMBERS, damage_bytes, odd_float32, odd_int64
from tests.fuzz.picture_level import damage_picture, other_picture

KINDS = ("bytes_list", "float_list", "int64_list")


def damage_shard(data: bytes, rng: Random) -> bytes:
    """Return a shard with a fault in its records' content most often, else in their frames or the bytes."""
    kind = rng.random()
    if kind < 0.15:
        return damage_bytes(data, rng)
    records = list(read_records(io.BytesIO(data)))
    at = rng.randrange(len(records))
    if kind < 0.3:
        return rng.choice(_FRAMINGS)(records, at, rng)
    records[at] = damage_record(records[at], rng)
    return framed(records)


def framed(records: list[bytes]) -> bytes:
    """Return records as a file."""
    stream = io.BytesIO()
    write_records(stream, records)
    return stream.getvalue()


def damage_record(record: bytes, rng: Random) -> bytes:
    """Return one record with a fault in its features."""
    if rng.random() < 0.1:
        return damage_bytes(record, rng)
    example = _Example.FromString(record)
    features = example.features.feature
    for _ in range(rng.choice((1, 1, 2))):
        if features:
            rng.choice(_CHANGES)(features, rng.choice(sorted(features)), rng)
    return example.SerializeToString(deterministic=True) + rng.choice((b"",) * 9 + (b"\x7a\x03abc",))


def _drop(features: Any, name: str, rng: Random) -> None:
    del features[name]


def _add(features: Any, name: str, rng: Random) -> None:
    features[rng.choice(("x", "", "\x1b[31m", "y" * 5_000))].CopyFrom(features[name])


def _retype(features: Any, name: str, rng: Random) -> None:
    kind = rng.choice((*KINDS, None))
    features[name].Clear()
    if kind:
        getattr(features[name], kind).value.extend([b"1"] if kind == "bytes_list" else [1] * rng.choice((1, 4, 17, 34)))


def _numbers(features: Any, name: str, rng: Random) -> None:
    """Put odd numbers into a list of numbers, or odd bytes into one of bytes."""
    kind = features[name].WhichOneof("kind")
    values = getattr(features[name], kind).value if kind else None
    if not values:
        return
    places = range(len(values)) if rng.random() < 0.3 else [rng.randrange(len(values))]
    for place in places:
        if kind == "float_list":
            values[place] = odd_float32(rng)
        elif kind == "int64_list":
            values[place] = odd_int64(rng)
        else:
            values[place] = damage_bytes(values[place], rng)


def _count(features: Any, name: str, rng: Random) -> None:
    kind = features[name].WhichOneof("kind")
    if kind:
        values = getattr(features[name], kind).value
        found = list(values)
        del values[:]
        values.extend(rng.choice((found + found, found[1:], [], found * 50)))


def _picture(features: Any, _: str, rng: Random) -> None:
    value = features["image"].bytes_list.value
    if value:
        value[0] = other_picture(rng) if rng.random() < 0.5 else damage_picture(value[0], rng)


def _heatmaps(features: Any, _: str, rng: Random) -> None:
    value = features["heatmaps"].bytes_list.value
    if value:
        raw = zlib.decompress(value[0]) if value[0][:1] == b"x" and _whole(value[0]) else b""
        bombs = (bytes(1 << 24), b"\xff" * len(raw))
        value[0] = zlib.compress(rng.choice((raw + b"\0", raw[:-1], b"", *bombs))) + rng.choice((b"", b"", b"more"))


def _whole(data: bytes) -> bool:
    try:
        return bool(zlib.decompress(data))
    except zlib.error:
        return False


def _name(features: Any, _: str, rng: Random) -> None:
    value = features["file_name"].bytes_list.value
    if value:
        value[0] = rng.choice((b"", b"\xff\xfe", b"\x1b]0;x\x07", b"../../evil", b"x" * 100_000, b"a\nb\0"))


_CHANGES = (_drop, _add, _retype, _numbers, _numbers, _numbers, _count, _picture, _picture, _heatmaps, _name)


def _length_lie(records: list[bytes], at: int, rng: Random) -> bytes:
    """State another length, with a CRC that is right."""
    length = struct.pack("<Q", rng.choice((*ODD_NUMBERS, 1 << 31, 1 << 30, len(records[at]) + 1, len(records[at]) - 1)))
    head = length + struct.pack("<I", masked_crc32c(length))
    tail = records[at] + struct.pack("<I", masked_crc32c(records[at]))
    return framed(records[:at]) + head + tail + framed(records[at + 1 :])


def _empty(records: list[bytes], at: int, rng: Random) -> bytes:
    return framed([*records[:at], b"", *records[at + 1 :]])


def _double(records: list[bytes], at: int, rng: Random) -> bytes:
    return framed([*records, records[at]])


def _drop_record(records: list[bytes], at: int, rng: Random) -> bytes:
    return framed([*records[:at], *records[at + 1 :]])


def _exchange(records: list[bytes], at: int, rng: Random) -> bytes:
    return framed(records[::-1])


def _nested(records: list[bytes], at: int, rng: Random) -> bytes:
    """A message in a message in a message, further down than any parser likes."""
    inner = b""
    for _ in range(200):
        inner = b"\x0a" + _varint(len(inner)) + inner
    return framed([*records[:at], inner, *records[at + 1 :]])


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


_FRAMINGS = (_length_lie, _length_lie, _empty, _double, _drop_record, _exchange, _nested)
