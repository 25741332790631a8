"""Rows of two tables that belong together, such as predictions and people of one photograph."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

MOST_PAIRS = 1 << 18  # a chunk of pairs of 17 joints then takes some tens of megabytes

Indices = NDArray[np.int64]


def pairs_of(keys: Indices, among: Indices, *, most: int | None = None) -> Iterator[tuple[Indices, Indices]]:
    """Pair each of `keys` (A,) with every one of `among` (B,) that has the same value.

    Args:
        keys: of the one table.
        among: of the other.
        most: pairs of a piece; `MOST_PAIRS` where None.

    Yields:
        rows of `keys` and rows of `among`, both (P,), in order of the first, then of the second; in pieces of about
        `most`, of which none splits the pairs of one key.
    """
    most = MOST_PAIRS if most is None else most
    order = np.argsort(among, kind="stable")
    first = np.searchsorted(among[order], keys, side="left")
    counts = np.searchsorted(among[order], keys, side="right") - first
    ends = np.cumsum(counts)
    start = 0
    while start < len(keys):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + most, side="right")))
        piece = counts[start:stop]
        left = np.repeat(np.arange(start, stop), piece)
        within = np.arange(len(left)) - np.repeat(ends[start:stop] - piece - done, piece)
        yield left, order[first[left] + within]
        start = stop
