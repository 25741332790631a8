"""Tars of photographs that lie: in their headers, in their names, in what stands between them, or in their length."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from random import Random

from tests.fuzz.bytes_level import damage_bytes
from tests.fuzz.zip_level import NAMES

BLOCK = 512
# Offsets of a header's fields, each with its length.
FIELDS = ((0, 100), (100, 8), (124, 12), (148, 8), (156, 1), (157, 100), (257, 6), (263, 2), (345, 155), (482, 1))
NUMBERS = (
    b"",
    b"0",
    b"77777777777",
    b"\x80" + bytes(10) + b"\xff",
    b"\x80" + b"\xff" * 11,
    b"\xff" * 12,
    b"-1",
    b"9",
    b"\0",
)
KINDS = b"0\x001234567xXgLKSVMDNZA"
PAX = (
    b"16 path=../evil\n", b"12 size=512\n", b"21 size=999999999999\n", b"11 size=-1\n", b"0 \n", b"5 a=\n", b"=\n",
    b"x", b"22 GNU.sparse.major=1\n", b"9 path=\n", b"99999999999999999999 a=b\n",
    b"13 path=\xff\xfe\n", b"13 path=\x1b[\n",
)  # fmt: skip
Members = list[tuple[tarfile.TarInfo, bytes]]


def damage_tar(data: bytes, rng: Random, *, damage_member: Callable[[bytes, Random], bytes] = damage_bytes) -> bytes:
    """Return a tar with a fault in its members, in a header, or in its bytes."""
    kind = rng.random()
    if kind < 0.15:
        return damage_bytes(data, rng)
    if kind < 0.45:
        return _damage_header(data, rng)
    if kind < 0.6:
        return _tell_more(data, rng)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = [(info, archive.extractfile(info).read()) for info in archive if info.isreg()]
    at = rng.randrange(len(members))
    if rng.random() < 0.3:
        members[at] = members[at][0], damage_member(members[at][1], rng)
    else:
        rng.choice(_CHANGES)(members, at, rng)
    return _pack(members, rng)


def _damage_header(data: bytes, rng: Random) -> bytes:
    """Return a tar one of whose fields is another, mostly under a right checksum."""
    at = rng.choice(_headers(data))
    offset, length = rng.choice(FIELDS)
    value = {156: bytes([rng.choice(KINDS)]), 482: rng.randbytes(1)}.get(offset, rng.choice(NUMBERS))
    damaged = bytearray(data)
    damaged[at + offset : at + offset + length] = value[:length].ljust(length, rng.choice((b"\0", b" ")))
    return bytes(damaged) if rng.random() < 0.2 else _with_checksum(damaged, at)


def _tell_more(data: bytes, rng: Random) -> bytes:
    """Return a tar with headers that tell of the next put in between."""
    at = rng.choice(_headers(data))
    content = b"".join(rng.choice(PAX) for _ in range(rng.choice((1, 1, 2, 50))))
    if rng.random() < 0.2:
        content = rng.choice((bytes(1 << 21), b"a/" * 3000, rng.randbytes(100)))
    head = tarfile.TarInfo("told")
    head.type, head.size = bytes([rng.choice(b"xXgLK")]), rng.choice((len(content), len(content), 0, 1 << 30, 1))
    told = head.tobuf(tarfile.GNU_FORMAT) + content.ljust(-(-len(content) // BLOCK) * BLOCK, b"\0")
    return data[:at] + told * rng.choice((1, 1, 1, 7, 20)) + data[at:]


def _headers(data: bytes) -> list[int]:
    places, at = [], 0
    while at + BLOCK <= len(data) and data[at : at + BLOCK].strip(b"\0"):
        places.append(at)
        at += BLOCK + -(-int(data[at + 124 : at + 135], 8) // BLOCK) * BLOCK
    return places


def _with_checksum(data: bytearray, at: int) -> bytes:
    data[at + 148 : at + 156] = b" " * 8
    data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + BLOCK])
    return bytes(data)


def _pack(members: Members, rng: Random) -> bytes:
    form = rng.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def _like(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, "/etc/hostname" if kind != tarfile.REGTYPE else ""
    return made


def _double(members: Members, at: int, rng: Random) -> None:
    info, content = members[at]
    members.append((_like(info.name), rng.choice((content, b"", b"other"))))


def _rename(members: Members, at: int, rng: Random) -> None:
    members[at] = _like(rng.choice(NAMES).replace("\0", "\1")), members[at][1]


def _other_kind(members: Members, at: int, rng: Random) -> None:
    members[at] = _like(members[at][0].name, rng.choice((b"1", b"2", b"3", b"4", b"5", b"6", b"Z"))), b""


def _in_folders(members: Members, at: int, rng: Random) -> None:
    folders = ("train2017/", "a/", "a/b/", "__MACOSX/", "./", "/", "../", "\x1b/")
    tops = [rng.choice(folders) for _ in members] if rng.random() < 0.5 else [rng.choice(folders)] * len(members)
    members[:] = [(_like(top + info.name), content) for top, (info, content) in zip(tops, members, strict=True)]


def _empty(members: Members, at: int, rng: Random) -> None:
    members[at] = _like(members[at][0].name), b""


def _drop(members: Members, at: int, rng: Random) -> None:
    del members[at : rng.choice((at + 1, len(members)))]


_CHANGES = (_double, _rename, _other_kind, _in_folders, _empty, _drop)
