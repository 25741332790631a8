"""Where the members of a tar lie: one walk from header to header, past what lies between.

The forms are POSIX's ustar and pax and GNU's. A tar is not trusted: no header is held that is not small, no number
leads out of the file, and nothing is repeated without end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from cocoprep.crops.image_source import MAX_FILE_BYTES, Place

BLOCK_BYTES = 512
_ZEROS = bytes(BLOCK_BYTES)
MOST_MEMBERS = 4_000_000
_MOST_TOLD_BYTES = 1 << 20  # of a header that tells of the next; a name takes no more than 4 kB
_MOST_TOLD = 8  # such headers in a row
_READ_OVER_BYTES = 8 << 20  # in a bucket: reading on costs less than a request
_REGULAR = b"0\x007"
_TELLING = b"xXgLK"  # pax of the next member (X: Sun's), pax of all, GNU's long name and long target
_WITHOUT_CONTENT = b"123456"
_KINDS = {b"1": "a hard link in the tar", b"2": "a symbolic link in the tar", b"S": "sparse in the tar"}


def is_tar_head(block: bytes) -> bool:
    """Tell whether a file that begins so is a tar."""
    return len(block) == BLOCK_BYTES and _has_checksum(block)


def index_tar(stream: BinaryIO, size: int, *, by_reading: bool = False) -> Iterator[tuple[str, Place]]:
    """Yield name and place of every member that is no folder.

    Args:
        stream: the tar, at any position.
        size: its bytes.
        by_reading: read what lies between headers too, where every jump is a request.

    Raises:
        ValueError: it is damaged or cut short, or has more members than any data set.
    """
    walk = _Walk(stream, size, by_reading=by_reading)
    for _ in range(MOST_MEMBERS):
        found = walk.next_member()
        if found is None:
            return
        name, place = found
        if name and not name.endswith("/"):
            yield name, place
    raise ValueError(f"more than {MOST_MEMBERS} members")


class _Walk:
    def __init__(self, stream: BinaryIO, size: int, *, by_reading: bool) -> None:
        self._stream, self._size, self._by_reading = stream, size, by_reading
        self._at = stream.seek(0)

    def next_member(self) -> tuple[str, Place] | None:
        """Return the next member, a folder's name with a slash at its end; None after the last."""
        told: dict[str, str] = {}
        for _ in range(_MOST_TOLD + 1):
            start = self._at
            if start >= self._size or (block := self._take(BLOCK_BYTES)) == _ZEROS:
                return None
            if not _has_checksum(block):
                raise ValueError(f"no header of a tar at byte {start}")
            kind, size = block[156:157], _number(block[124:136], start)
            if kind not in _TELLING:
                return self._member(block, kind, size, told)
            told |= _told(kind, self._content_told(size, start), start)
        raise ValueError(f"more than {_MOST_TOLD} headers at byte {start} that tell of the next")

    def _member(self, block: bytes, kind: bytes, size: int, told: dict[str, str]) -> tuple[str, Place]:
        name = told.get("path") or _name(block)
        if "size" in told:
            size = _whole(told["size"], self._at)
        if kind == b"S":
            self._pass_sparse_map(block)
        if kind in _WITHOUT_CONTENT:
            size = 0
        start = self._at
        if start + size > self._size:
            raise ValueError(f"cut short: {name!r:.200} ends at byte {start + size}, the file at {self._size}")
        self._pass(-(-size // BLOCK_BYTES) * BLOCK_BYTES)
        is_folder = kind == b"5" and not name.endswith("/")
        return name.removeprefix("./") + "/" * is_folder, Place(start, size, _fault(kind, size, told))

    def _content_told(self, size: int, start: int) -> bytes:
        if size > _MOST_TOLD_BYTES:
            raise ValueError(f"a header of {size} bytes at byte {start}")
        return self._take(-(-size // BLOCK_BYTES) * BLOCK_BYTES)[:size]

    def _pass_sparse_map(self, block: bytes) -> None:
        more = block[482]
        while more:
            more = self._take(BLOCK_BYTES)[504]

    def _take(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) < count:
            raise ValueError(f"cut short at byte {self._at + len(data)}")
        self._at += count
        return data

    def _pass(self, count: int) -> None:
        self._at += count
        if self._by_reading and count <= _READ_OVER_BYTES:
            self._stream.read(count)
        else:
            self._stream.seek(self._at)


def _has_checksum(block: bytes) -> bool:
    try:
        stated = _number(block[148:156], 0)
    except ValueError:
        return False
    of_field = sum(block[148:156])
    unsigned = sum(block) - of_field + 8 * 0x20
    if stated == unsigned:
        return unsigned > 8 * 0x20
    high = sum(byte > 0x7F for byte in block[:148] + block[156:])  # old tars sum signed bytes
    return stated == unsigned - 256 * high


def _number(field: bytes, at: int) -> int:
    if field[0] == 0x80:  # GNU's form of what octal digits cannot hold
        return int.from_bytes(field[1:], "big")
    return _whole(field.partition(b"\0")[0].decode("latin-1").strip() or "0", at, base=8)


def _whole(digits: str, at: int, *, base: int = 10) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise ValueError(f"{digits!r:.40} for a number at byte {at}")
    return int(digits, base)


def _name(block: bytes) -> str:
    name = block[:100].partition(b"\0")[0]
    before = block[345:500].partition(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return _text(before + b"/" + name if before else name)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _told(kind: bytes, content: bytes, at: int) -> dict[str, str]:
    """Return what a header tells of the next member: `path`, `size`, `sparse`."""
    if kind == b"L":
        return {"path": _text(content.partition(b"\0")[0])}
    if kind == b"K":
        return {}
    records = dict(_pax_records(content, at))
    if kind == b"g":
        if records.keys() & {"path", "size"}:
            raise ValueError(f"a header at byte {at} that gives all members one name or size")
        return {}
    told: dict[str, str] = {key: records[key] for key in ("path", "size") if key in records}
    if any(key.startswith("GNU.sparse.") for key in records):
        told |= {"sparse": "", "path": records.get("GNU.sparse.name", told.get("path", ""))}
    return told


def _pax_records(content: bytes, at: int) -> Iterator[tuple[str, str]]:
    content, start = content.rstrip(b"\0"), 0
    while start < len(content):
        digits = content[start : start + 20].partition(b" ")[0]
        end = start + _whole(digits.decode("latin-1"), at)
        record = content[start:end]
        key, equals, value = record.partition(b" ")[2].partition(b"=")
        if len(record) < end - start or not equals or not record.endswith(b"\n"):
            raise ValueError(f"a pax header at byte {at} that is none")
        yield _text(key), _text(value[:-1])
        start = end


def _fault(kind: bytes, size: int, told: dict[str, str]) -> str | None:
    if "sparse" in told:
        return _KINDS[b"S"]
    if kind not in _REGULAR:
        return _KINDS.get(kind, "no regular file in the tar")
    if size > MAX_FILE_BYTES:
        return f"{size} bytes, more than the limit of {MAX_FILE_BYTES}"
    return None
