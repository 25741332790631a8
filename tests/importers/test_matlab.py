"""The reader of MAT-files against SciPy's writer and reader, and against files that nobody should believe."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cocoprep.importers.matlab import read_mat

KINDS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")


def saved(content, **options):
    stream = io.BytesIO()
    scipy.io.savemat(stream, content, **options)
    return stream.getvalue()


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(kind, shape, body=b"", *, flags=0, name=b"a"):
    head = element(6, struct.pack("<II", kind | flags, 0)) + element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, head + element(1, name) + body)


HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_numbers_are_those_that_scipy_reads(kind, compressed, data):
    shape = data.draw(arrays.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=4))
    array = data.draw(arrays.arrays(kind, shape))
    content = saved({"a": array}, do_compression=compressed)
    found = read_mat(content)["a"].numbers()
    np.testing.assert_array_equal(found, scipy.io.loadmat(io.BytesIO(content))["a"])
    assert found.shape == array.shape


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_texts_are_those_that_were_written(text):
    assert read_mat(saved({"a": {"name": text}}))["a"].struct()["name"].text() == text


def test_a_struct_array_has_its_fields_in_order():
    points = np.empty((1, 3), [("x", object), ("name", object), ("none", object)])
    for k in range(3):
        points[0, k] = (k + 0.5, f"joint {k}", [])
    found = list(read_mat(saved({"points": points}))["points"].structs())
    assert [(one["x"].number(), one["name"].text(), one["none"].number()) for one in found] == [
        (0.5, "joint 0", None), (1.5, "joint 1", None), (2.5, "joint 2", None),
    ]  # fmt: skip


def test_the_other_order_of_bytes():
    body = struct.pack(">II", 9, 8) + struct.pack(">d", 2.5)
    flags = struct.pack(">IIII", 6, 8, 6, 0)
    dims, name = struct.pack(">IIii", 5, 8, 1, 1), struct.pack(">II", 1 << 16 | 1, 0x61000000)
    inner = flags + dims + name + body
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI"
    assert read_mat(header + struct.pack(">II", 14, len(inner)) + inner)["a"].number() == 2.5


BOMB = zlib.compress(matrix(6, (50_000_000, 1), element(9, bytes(400_000_000))), 9)
ODD = {
    "nothing": (b"", "no MAT-file"),
    "text": (b"joints, but no MAT-file" * 20, "no MAT-file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(200), "7.3"),
    "its header of version 7.3": (b"MATLAB 7.3".ljust(124) + b"\x00\x02IM", "-v7"),
    "cut short": (saved({"a": np.ones((9, 9))})[:-40], "an element of"),
    "an object": (HEADER + matrix(3, (1, 1)), "class 3"),
    "a function": (HEADER + matrix(16, (1, 1)), "class 16"),
    "sparse": (HEADER + matrix(5, (1, 1)), "class 5"),
    "complex": (HEADER + matrix(6, (1, 1), flags=0x0800), "complex"),
    "a negative dimension": (HEADER + matrix(6, (-1, 1)), "the dimensions"),
    "damaged packing": (HEADER + element(15, b"not zlib"), "damaged packed"),
    "a packed array that is cut short": (HEADER + element(15, zlib.compress(matrix(6, (1, 1)))[:-8]), "cut short"),
    "a bomb": (HEADER + struct.pack("<II", 15, len(BOMB)) + BOMB, "holds over"),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_no_such_file_is_told(case):
    data, says = ODD[case]
    with pytest.raises(ValueError, match=says):
        read_mat(data)


FIELDS = element(5, struct.pack("<i", 8)) + element(1, b"x".ljust(8, b"\0"))
NO_FIELDS = element(5, struct.pack("<i", 0)) + element(1, b"")
LIES = {
    "numbers": (matrix(6, (2**31 - 1, 2**31 - 1), element(9, bytes(8))), lambda m: m.numbers(), "8 bytes for"),
    "structs": (matrix(2, (2**31 - 1, 2**31 - 1), FIELDS), lambda m: list(m.structs()), "structs of 1 fields in"),
    "no fields": (matrix(2, (9, 9), NO_FIELDS), lambda m: list(m.structs()), "field names of 0 bytes"),
    "cells": (matrix(1, (2**31 - 1, 9)), lambda m: m.numbers(), "found cells"),
    "text for structs": (matrix(4, (1, 2), element(16, b"ab")), lambda m: list(m.structs()), "found text"),
    "two numbers": (matrix(6, (1, 2), element(9, bytes(16))), lambda m: m.number(), "one number"),
    "a word for a number": (matrix(4, (1, 2), element(16, b"ab")), lambda m: m.number(), "could not convert"),
}  # fmt: skip


@pytest.mark.parametrize("case", LIES)
def test_no_dimension_is_believed_before_its_bytes_are_there(case):
    data, read, says = LIES[case]
    found = read_mat(HEADER + data)["a"]
    with pytest.raises(ValueError, match=says):
        read(found)


def test_cells_within_cells_are_not_followed():
    data = matrix(6, (1, 1), element(9, bytes(8)))
    for _ in range(3000):
        data = matrix(1, (1, 1), data)
    assert read_mat(HEADER + data)["a"].count == 1
