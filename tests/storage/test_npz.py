"""Arrays from files that others made: what `numpy.savez` writes, and nothing that takes more memory than the file."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cocoprep.errors import RecordError
from cocoprep.storage.npz import decode_npz


def saved(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@given(
    st.dictionaries(
        st.text("abc/_.", min_size=1, max_size=5).filter(lambda name: not name.endswith(".npy")),
        hnp.arrays(st.sampled_from(["f4", "f8", "u1", "i8", "?", "<U3"]), hnp.array_shapes(min_dims=0, min_side=0)),
        max_size=4,
    )
)
def test_what_numpy_wrote_comes_back(arrays):
    found = decode_npz(saved(**arrays), "a.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)
        assert found[name].flags.writeable


def test_fortran_order_too():
    array = np.asfortranarray(np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(decode_npz(saved(a=array), "a.npz")["a"], array)


def with_header(header, content=b""):
    """Return an npz whose one array has a header of its own, checksums and all."""
    text = header.ljust(117).encode() + b"\n"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content)
    return stream.getvalue()


def compressed(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing of the kind",
        saved(a=np.zeros(3))[:-10],
        saved(a=np.array([{}], object)),
        compressed(a=np.zeros(10**7)),
        with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
        with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", bytes(8)),
        with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (10**9,), }"),
        with_header("{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000,), }"),
        with_header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", bytes(8)),
        with_header("__import__('os').abort()"),
        with_header("(" * 100),
    ],
    ids=lambda data: f"{len(data)}-bytes",
)
def test_anything_else_is_damaged_and_takes_no_memory(data):
    tracemalloc.start()
    try:
        with pytest.raises(RecordError, match=r"^a\.npz: damaged \(.{1,250}\)\.$"):
            decode_npz(data, "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 10 * len(data) + 10**6
    finally:
        tracemalloc.stop()
