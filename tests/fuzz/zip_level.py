"""Zips of photographs that lie: in their directory, in their names, or in how much they unpack to."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

from tests.fuzz.bytes_level import ODD_NUMBERS, damage_bytes, patched

ENTRY = b"PK\x01\x02"  # APPNOTE 4.3.12: an entry of the directory
LOCAL = b"PK\x03\x04"  # 4.3.7: what stands before a member
END = b"PK\x05\x06"  # 4.3.16: what ends the directory
# Offsets of an entry's fields, each with its form.
ENTRY_FIELDS = (
    (6, "<H"),
    (8, "<H"),
    (10, "<H"),
    (16, "<I"),
    (20, "<I"),
    (24, "<I"),
    (28, "<H"),
    (30, "<H"),
    (32, "<H"),
)
ENTRY_FIELDS += ((38, "<I"), (42, "<I"))
LOCAL_FIELDS = ((4, "<H"), (6, "<H"), (8, "<H"), (14, "<I"), (18, "<I"), (22, "<I"), (26, "<H"), (28, "<H"))
END_FIELDS = ((4, "<H"), (8, "<H"), (10, "<H"), (12, "<I"), (16, "<I"), (20, "<H"))
NAMES = (
    "../../evil.jpg",
    "/etc/hostname",
    "a\\b.jpg",
    "C:/x.jpg",
    "",
    ".",
    "x/",
    "\x1b[31m.jpg",
    "a" * 60_000,
    "\0.jpg",
)
BOMB_BYTES = 200 << 20
Members = list[tuple[zipfile.ZipInfo, bytes]]


def damage_zip(data: bytes, rng: Random, *, damage_member: Callable[[bytes, Random], bytes] = damage_bytes) -> bytes:
    """Return a zip with a fault in its members, its directory, or its bytes."""
    kind = rng.random()
    if kind < 0.15:
        return damage_bytes(data, rng)
    if kind < 0.45:
        return damage_directory(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    at = rng.randrange(len(members))
    if rng.random() < 0.3:
        members[at] = members[at][0], damage_member(members[at][1], rng)
    else:
        rng.choice(_CHANGES)(members, at, rng)
    return _pack(members)


def damage_directory(data: bytes, rng: Random) -> bytes:
    """Return a zip one of whose numbers is another."""
    mark, fields = rng.choice(((ENTRY, ENTRY_FIELDS), (ENTRY, ENTRY_FIELDS), (LOCAL, LOCAL_FIELDS), (END, END_FIELDS)))
    places = [n for n in range(len(data)) if data.startswith(mark, n)]
    if not places:
        return damage_bytes(data, rng)
    offset, form = rng.choice(fields)
    place = rng.choice(places) + offset
    found = struct.unpack_from(form, data.ljust(place + 8, b"\0"), place)[0]
    return patched(data, place, form, rng.choice((*ODD_NUMBERS, found + 1, found - 1, found * 2, 1 << 28, 12, 14, 95)))


def one_body_many_names(body: bytes, names: list[str]) -> bytes:
    """Return a zip whose entries all unpack the same bytes, each to its full size."""
    packed, crc = zlib.compress(body, 9)[2:-4], zlib.crc32(body)
    first = names[0].encode()
    head = struct.pack("<4s5H3I2H", LOCAL, 20, 0, 8, 0, 33, crc, len(packed), len(body), len(first), 0) + first
    entries = b"".join(
        struct.pack("<4s6H3I5H2I", ENTRY, 20, 20, 0, 8, 0, 33, crc, len(packed), len(body), len(name), 0, 0, 0, 0, 0, 0)
        + name
        for name in (name.encode() for name in names)
    )
    start = len(head) + len(packed)
    end = struct.pack("<4s4H2IH", END, 0, 0, len(names), len(names), len(entries), start, 0)
    return head + packed + entries + end


def _pack(members: Members) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for info, content in members:
            with archive.open(info, "w") as member:
                member.write(content)
            archive.NameToInfo.pop(info.filename, None)  # which would warn of a second one
    return stream.getvalue()


def _like(info: zipfile.ZipInfo, name: str | None = None) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
    made.filename = info.filename if name is None else name
    made.compress_type, made.external_attr = info.compress_type, info.external_attr
    return made


def _double(members: Members, at: int, rng: Random) -> None:
    info, content = members[at]
    members.append((_like(info), rng.choice((content, b"", b"other"))))


def _rename(members: Members, at: int, rng: Random) -> None:
    members[at] = _like(members[at][0], rng.choice(NAMES)), members[at][1]


def _symlink(members: Members, at: int, rng: Random) -> None:
    info = _like(members[at][0])
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    members[at] = info, b"/etc/hostname"


def _method(members: Members, at: int, rng: Random) -> None:
    info = _like(members[at][0])
    info.compress_type = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    members[at] = info, members[at][1]


def _bomb(members: Members, at: int, rng: Random) -> None:
    info = _like(members[at][0])
    info.compress_type = zipfile.ZIP_DEFLATED
    members[at] = info, bytes(rng.choice((1 << 16, 1 << 22, 1 << 24)))


def _in_folders(members: Members, at: int, rng: Random) -> None:
    folders = ("train2017/", "a/", "a/b/", "__MACOSX/", "./", "\x1b/")
    tops = [rng.choice(folders) for _ in members] if rng.random() < 0.5 else [rng.choice(folders)] * len(members)
    members[:] = [(_like(info, top + info.filename), data) for top, (info, data) in zip(tops, members, strict=True)]


def _empty(members: Members, at: int, rng: Random) -> None:
    members[at] = _like(members[at][0]), b""


def _drop(members: Members, at: int, rng: Random) -> None:
    del members[at : rng.choice((at + 1, len(members)))]


_CHANGES = (_double, _rename, _symlink, _method, _bomb, _in_folders, _empty, _drop)
