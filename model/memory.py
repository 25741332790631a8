"""Arrays that TensorFlow takes over as they are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64  # bytes; what begins elsewhere, TensorFlow copies


def empty_pixels(*shape: int) -> NDArray[np.uint8]:
    """Return an uninitialised uint8 array whose data begin where TensorFlow wants them."""
    count = math.prod(shape)
    whole = np.empty(count + ALIGNMENT, np.uint8)
    start = -whole.ctypes.data % ALIGNMENT
    return whole[start : start + count].reshape(shape)
