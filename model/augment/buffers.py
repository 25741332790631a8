"""How much memory there is; and large arrays that TensorFlow takes over as they are, in memory that is used again.

A batch takes some 17 MB. To get them from the system anew for every batch, page by page, costs a twentieth of all the
time that reading takes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64  # bytes; what begins elsewhere, TensorFlow copies
KEPT = 8  # unused buffers of one size

_unused: defaultdict[int, list[NDArray[np.uint8]]] = defaultdict(list)  # by size in bytes


class _Lease:
    """A buffer lent to the arrays made of it. When the last of them is gone, it can be used again."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        size = math.prod(shape)
        try:
            self._buffer = _unused[size].pop()
        except IndexError:
            self._buffer = np.empty(size + ALIGNMENT, np.uint8)
        address = self._buffer.ctypes.data
        start = address + -address % ALIGNMENT
        self.__array_interface__: dict[str, Any] = {
            "shape": shape, "typestr": "|u1", "data": (start, False), "version": 3,
        }  # fmt: skip

    def __del__(
        self,
        # Bound here: when the interpreter ends, the module may have lost its names.
        unused: defaultdict[int, list[NDArray[np.uint8]]] = _unused,
        alignment: int = ALIGNMENT,
        kept: int = KEPT,
    ) -> None:
        buffers = unused[self._buffer.size - alignment]
        if len(buffers) < kept:
            buffers.append(self._buffer)


def empty_pixels(*shape: int) -> NDArray[np.uint8]:
    """Return an uninitialised uint8 array whose data begin where TensorFlow wants them."""
    return np.asarray(_Lease(shape))
