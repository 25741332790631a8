"""`.npz` archives whose arrays, headers or directory are not what `numpy.savez` writes."""

from __future__ import annotations

import io
import zipfile
from random import Random

import numpy as np
from numpy.lib import format as npy

from tests.fuzz.bytes_level import damage_bytes
from tests.fuzz.zip_level import damage_directory

TYPES = (
    "<f8",
    "<f4",
    "<f2",
    ">f4",
    "<i8",
    "<i4",
    "|u1",
    "|b1",
    "<c16",
    "|S4",
    "<U3",
    "|V8",
    "|O",
    "<M8[s]",
    "<f16",
    "|V0",
)
HEADERS = (
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3, 4), }",
    "{'descr': [('a', '<f8'), ('b', '|O')], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }",
    "{'descr': '<f8', 'fortran_order': 1, 'shape': (1.5,), }",
    "{'descr': '<f8', 'shape': (1,), }",
    "__import__('os').abort()",
    "(" * 500,
    "{" * 9_000,
    "\x1b[31m",
    "",
)
Members = list[tuple[str, bytes]]


def damage_npz(data: bytes, rng: Random) -> bytes:
    """Return an archive with a fault: in its arrays most often, else in how they are packed."""
    if rng.random() < 0.1:
        return damage_bytes(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    for _ in range(rng.choice((1, 1, 2, 3))):
        if members:
            rng.choice(_CHANGES)(members, rng.randrange(len(members)), rng)
    method = rng.choice((zipfile.ZIP_STORED,) * 8 + (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    packed = pack(members, method)
    return damage_directory(packed, rng) if rng.random() < 0.1 else packed


def pack(members: Members, method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip of members, whose names need not be different."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
            info.filename, info.compress_type = name, method
            with archive.open(info, "w") as member:
                member.write(content)
            archive.NameToInfo.pop(name, None)  # which would warn of a second one
    return stream.getvalue()


def array_bytes(array: np.ndarray) -> bytes:
    """Return an array as a member of an `.npz`."""
    stream = io.BytesIO()
    npy.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


def _array(content: bytes) -> np.ndarray:
    """Return a member's array; where an earlier change has spoilt it, another."""
    try:
        return npy.read_array(io.BytesIO(content), allow_pickle=False)
    except Exception:  # a header that is no Python makes NumPy raise whatever its parser does
        return np.arange(6.0).reshape(2, 3)


def _retype(members: Members, at: int, rng: Random) -> None:
    name, content = members[at]
    try:
        with np.errstate(all="ignore"):
            changed = _array(content).astype(rng.choice(TYPES))
    except Exception:  # of what such types do not hold NumPy raises this and that
        changed = np.array([{}], object)
    members[at] = name, array_bytes(changed)


def _reshape(members: Members, at: int, rng: Random) -> None:
    name, content = members[at]
    array = _array(content)
    shapes = (array.reshape(-1), array[..., None], array[None], np.swapaxes(array, 0, -1) if array.ndim else array)
    more = (
        np.zeros((0, *array.shape[1:]), array.dtype),
        np.concatenate([array.reshape(-1)] * 2),
        array.reshape(-1)[:1],
    )
    ends = (array[1:], array[:-1], array[..., 1:]) if array.ndim else ()
    members[at] = name, array_bytes(np.asarray(rng.choice((*shapes, *more, *ends, np.asfortranarray(array)))))


def _odd_numbers(members: Members, at: int, rng: Random) -> None:
    name, content = members[at]
    array = _array(content).copy()
    if array.size and array.dtype.kind in "fiu":
        flat = array.reshape(-1)
        places = slice(None) if rng.random() < 0.3 else rng.randrange(array.size)
        odd = (0, -1, 1e30, -1e30, np.nan, np.inf, -np.inf, 1e-40, 1e300)
        with np.errstate(all="ignore"):
            flat[places] = np.array(
                rng.choice(odd if array.dtype.kind == "f" else (0, 1, -1, 2**62)), np.float64
            ).astype(array.dtype)
        array = flat.reshape(array.shape)
    members[at] = name, array_bytes(array)


def _header(members: Members, at: int, rng: Random) -> None:
    name, content = members[at]
    length = int.from_bytes(content[8:10], "little")
    text = rng.choice((*HEADERS, content[10 : 10 + length].decode().replace("False", "True"))).encode()
    version = rng.choice((b"\x01\x00",) * 4 + (b"\x02\x00", b"\x03\x00", b"\x09\x09"))
    size = len(text).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    members[at] = name, content[:6] + version + size + text + content[10 + length :]


def _bytes(members: Members, at: int, rng: Random) -> None:
    members[at] = members[at][0], damage_bytes(members[at][1], rng)


def _drop(members: Members, at: int, rng: Random) -> None:
    del members[at]


def _double(members: Members, at: int, rng: Random) -> None:
    members.append(members[at])


def _rename(members: Members, at: int, rng: Random) -> None:
    name = rng.choice(("../../evil.npy", "/evil.npy", "x", "", "\x1b[31m.npy", "a/" * 200 + "x.npy", members[0][0]))
    members[at] = name, members[at][1]


def _exchange(members: Members, at: int, rng: Random) -> None:
    members[at] = members[at][0], rng.choice(members)[1]


def _object(members: Members, at: int, rng: Random) -> None:
    members[at] = members[at][0], array_bytes(np.array([{}, "x"], object))


_CHANGES = (_retype, _retype, _reshape, _reshape, _odd_numbers, _odd_numbers, _header, _bytes, _drop, _double, _rename)
_CHANGES += (_exchange, _object)
