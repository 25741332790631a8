"""Read MATLAB's MAT-files of version 5, as `save` writes them but for -v7.3: numbers, texts, structs and cells.

The form is that of "MAT-File Format", The MathWorks, chapter 1. SciPy's reader is not used, since these files come from
strangers: it takes memory by the dimensions that a file states (2.3 GB for one of 184 bytes), and some damaged ones end
the process (1.17.1). Here nothing is decoded before it is asked for, no number is believed before the bytes that it
speaks of are known to be there, and objects, functions and sparse arrays are refused. The tests compare with SciPy.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

_HEADER_BYTES = 128
_VERSION = 0x0100
_COMPRESSED, _MATRIX = 15, 14
_CELL, _STRUCT, _CHAR, _NUMERIC = 1, 2, 4, range(6, 16)
_COMPLEX = 0x0800
_TYPES = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
    16: "u1", 17: "u2", 18: "u4",
}  # fmt: skip
_CODES = {(1, 1): "b", (2, 1): "B", (3, 2): "h", (4, 2): "H", (5, 4): "i", (6, 4): "I", (7, 4): "f", (9, 8): "d"}
_ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_TAG_BYTES = 8
_MOST_DIMENSIONS, _MOST_FIELDS, _MOST_ARRAYS = 32, 1000, 10_000
_FREE_BYTES, _MOST_TIMES = 64 << 20, 100  # what a packed array may become: MPII's unpacks to some twenty times


_Order = Literal["<", ">"]


class _Element(NamedTuple):
    kind: int
    start: int
    end: int
    following: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """One array of a file, whose values are still bytes.

    Attributes:
        name: of the variable; empty within others.
        kind: MATLAB's class.
        shape: its dimensions.
    """

    name: str
    kind: int
    shape: tuple[int, ...]
    _data: memoryview
    _at: int
    _order: _Order

    @property
    def count(self) -> int:
        """Return how many values, structs or cells the dimensions state."""
        return math.prod(self.shape)

    def numbers(self) -> NDArray[Any]:
        """Return the array as it is stored, of the file's shape. Raises ValueError where it is of no real numbers."""
        if self.kind not in _NUMERIC:
            raise ValueError(f"expected numbers, found {self._noun}")
        element = _element(self._data, self._at, self._order)
        stored = _TYPES.get(element.kind)
        if stored is None:
            raise ValueError(f"numbers of the unknown type {element.kind}")
        dtype = np.dtype(stored).newbyteorder(self._order)
        if element.end - element.start != self.count * dtype.itemsize:
            raise ValueError(f"{element.end - element.start} bytes for {self.count} numbers of {dtype.itemsize}")
        return np.frombuffer(self._data[element.start : element.end], dtype).reshape(self.shape, order="F")

    def number(self) -> float | None:
        """Return the one number; None where the array is empty. Raises ValueError where it is something else."""
        if self.kind == _CHAR:
            text = self.text().strip()
            return float(text) if text else None
        if not self.count:
            return None
        if self.count != 1:
            raise ValueError(f"expected one number, found {self.count}")
        element = _element(self._data, self._at, self._order)
        code = _CODES.get((element.kind, element.end - element.start)) if self.kind in _NUMERIC else None
        if code is not None:  # MPII has 2 million of them, for each of which an array would take four times as long
            return float(struct.unpack_from(self._order + code, self._data, element.start)[0])
        return float(self.numbers().item())

    def text(self) -> str:
        """Return the text. Raises ValueError where there is none."""
        if self.kind != _CHAR:
            if self.count == 0:
                return ""
            raise ValueError(f"expected text, found {self._noun}")
        if self.count == 0:
            return ""
        element = _element(self._data, self._at, self._order)
        encoding = _ENCODINGS.get(element.kind)
        if encoding is None:
            raise ValueError(f"text of the unknown type {element.kind}")
        if encoding.startswith("utf-") and encoding != "utf-8":
            encoding += "-le" if self._order == "<" else "-be"
        return bytes(self._data[element.start : element.end]).decode(encoding, "replace")

    def structs(self) -> Iterator[dict[str, Matrix]]:
        """Yield each struct, its fields by name. Raises ValueError where these are none."""
        if not self.count and self.kind != _STRUCT:
            return  # MATLAB writes [] where it has no struct
        if self.kind != _STRUCT:
            raise ValueError(f"expected structs, found {self._noun}")
        names, at = self._fields()
        if not names or _TAG_BYTES * len(names) * self.count > len(self._data) - at:
            if not self.count or not names:
                return
            raise ValueError(f"{self.count} structs of {len(names)} fields in {len(self._data) - at} bytes")
        for _ in range(self.count):
            found = {}
            for name in names:
                element = _element(self._data, at, self._order)
                found[name] = _matrix(self._data[element.start : element.end], element.kind, self._order)
                at = element.following
            yield found

    def struct(self) -> dict[str, Matrix]:
        """Return the fields of the one struct. Raises ValueError where there is none, or are several."""
        if self.count != 1:
            raise ValueError(f"expected one struct, found {self.count}")
        return next(self.structs(), {})

    def _fields(self) -> tuple[list[str], int]:
        length = _element(self._data, self._at, self._order)
        names = _element(self._data, length.following, self._order)
        size = int.from_bytes(self._data[length.start : length.end], "little" if self._order == "<" else "big")
        if not 0 < size <= 1 << 12 or (names.end - names.start) % size:
            raise ValueError(f"field names of {size} bytes in {names.end - names.start}")
        if (names.end - names.start) // size > _MOST_FIELDS:
            raise ValueError(f"{(names.end - names.start) // size} fields, more than {_MOST_FIELDS}")
        raw = bytes(self._data[names.start : names.end])
        parts = [raw[k : k + size].partition(b"\0")[0].decode("latin-1") for k in range(0, len(raw), size)]
        return parts, names.following

    @property
    def _noun(self) -> str:
        if self.kind in _NUMERIC:
            return "numbers"
        return {_CELL: "cells", _STRUCT: "structs", _CHAR: "text"}.get(self.kind, f"MATLAB's class {self.kind}")


def read_mat(data: bytes) -> dict[str, Matrix]:
    """Return the arrays of a MAT-file by name.

    Raises:
        ValueError: it is no MAT-file of version 5, is damaged, or unpacks to absurdly much.
    """
    order = _order(data)
    view, found, at = memoryview(data), dict[str, Matrix](), _HEADER_BYTES
    allowed = max(_FREE_BYTES, _MOST_TIMES * len(data))
    while at < len(data):
        element = _element(view, at, order)
        at = element.end if element.kind == _COMPRESSED else element.following
        content = view[element.start : element.end]
        if element.kind == _COMPRESSED:
            content = _inflate(content, allowed)
            allowed -= len(content)
            element = _element(content, 0, order)
            content = content[element.start : element.end]
        matrix = _matrix(content, element.kind, order)
        found[matrix.name] = matrix
        if len(found) > _MOST_ARRAYS:
            raise ValueError(f"more than {_MOST_ARRAYS} arrays")
    return found


def _order(data: bytes) -> _Order:
    mark = data[126:128]
    if data.startswith(b"\x89HDF") or data[124:126] in (b"\x00\x02", b"\x02\x00"):
        raise ValueError("a MAT-file of version 7.3, which is HDF5. In MATLAB, save it with -v7")
    if mark not in (b"IM", b"MI"):
        raise ValueError("no MAT-file of version 5 or 7")
    order: _Order = "<" if mark == b"IM" else ">"
    (version,) = struct.unpack(order + "H", data[124:126])
    if version != _VERSION:
        raise ValueError(f"a MAT-file of version {version:#x}, expected {_VERSION:#x}")
    return order


def _element(data: memoryview, at: int, order: _Order) -> _Element:
    """Return the place of a data element, in bytes. Raises ValueError where it reaches beyond the end."""
    if at + _TAG_BYTES > len(data):
        raise ValueError("it ends within an element")
    kind, size = struct.unpack_from(order + "II", data, at)
    if kind >> 16:  # a small element, whose data stand within its tag
        kind, size = kind & 0xFFFF, kind >> 16
        if size > 4:
            raise ValueError(f"a small element of {size} bytes")
        return _Element(kind, at + 4, at + 4 + size, at + _TAG_BYTES)
    start, end = at + _TAG_BYTES, at + _TAG_BYTES + size
    if end > len(data):
        raise ValueError(f"an element of {size} bytes where {len(data) - start} are left")
    return _Element(kind, start, end, min(len(data), end + -size % 8))


def _matrix(data: memoryview, kind: int, order: _Order) -> Matrix:
    if kind != _MATRIX:
        raise ValueError(f"expected an array, found an element of type {kind}")
    if not len(data):
        return Matrix("", _NUMERIC[0], (0, 0), data, 0, order)
    flags = _element(data, 0, order)
    if flags.end - flags.start != 8:
        raise ValueError(f"array flags of {flags.end - flags.start} bytes, expected 8")
    (word,) = struct.unpack_from(order + "I", data, flags.start)
    dimensions = _element(data, flags.following, order)
    count = (dimensions.end - dimensions.start) // 4
    if not 0 < count <= _MOST_DIMENSIONS:
        raise ValueError(f"{count} dimensions")
    shape = struct.unpack_from(f"{order}{count}i", data, dimensions.start)
    name = _element(data, dimensions.following, order)
    what = word & 0xFF
    if what not in (_CELL, _STRUCT, _CHAR, *_NUMERIC) or word & _COMPLEX:
        raise ValueError(f"{'complex numbers' if word & _COMPLEX else f'class {what}'}, which is not read")
    if min(shape) < 0:
        raise ValueError(f"the dimensions {shape}")
    return Matrix(bytes(data[name.start : name.end]).decode("latin-1"), what, shape, data, name.following, order)


def _inflate(packed: memoryview, most: int) -> memoryview:
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(packed, max(1, most))
    except zlib.error as error:
        raise ValueError(f"a damaged packed array ({error})") from error
    if not stream.eof:
        raise ValueError("a packed array that " + (f"holds over {most} bytes" if len(data) >= most else "is cut short"))
    return memoryview(data)
