"""Order statistics of arrays in which values are missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cocoprep.inspection.data_set import Bools, Floats


def masked_quantile(values: NDArray[np.floating], there: Bools, share: float, *, axis: int) -> Floats:
    """Return a quantile along an axis of those values that are there: the nearest of them; NaN where none is."""
    if not values.size:
        shape = [n for at, n in enumerate(values.shape) if at != axis % values.ndim]
        return np.full(shape, np.nan)
    ordered = np.sort(np.where(there, values, np.inf), axis=axis)
    count = there.sum(axis=axis, keepdims=True)
    place = np.clip(np.rint(share * (count - 1)).astype(np.int64), 0, values.shape[axis] - 1)
    found = np.take_along_axis(ordered, place, axis=axis)
    return np.asarray(np.where(count > 0, found, np.nan).squeeze(axis), np.float64)


def middle_and_reach(values: Floats, there: Bools, share: float) -> tuple[Floats, Floats]:
    """Return of each column of (N, M) the median, and how far the quantile `share` lies above it."""
    middle = masked_quantile(values, there, 0.5, axis=0)
    return middle, masked_quantile(values, there, share, axis=0) - middle
