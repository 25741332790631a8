"""Pairs of people on one photograph."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cocoprep.inspection.data_set import Ints

MOST_COMPARED = 500  # people of one photograph: their pairs grow by the square
_TOGETHER = 1 << 14  # pairs


def pairs_of(images: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield places of two people on the same photograph, every pair once, some at a time.

    Those of photographs with more than `MOST_COMPARED` are passed over.

    Args:
        images: (N,) the photograph of each.
    """
    order = np.argsort(images, kind="stable")
    image = images[order]
    many = np.bincount(np.maximum(image, 0))[image] > MOST_COMPARED if len(image) else np.zeros(0, bool)
    first = np.flatnonzero(~many)
    for step in range(1, MOST_COMPARED):
        first = first[: np.searchsorted(first, len(image) - step)]
        first = first[image[first] == image[first + step]]
        if not len(first):
            return
        for start in range(0, len(first), _TOGETHER):
            some = first[start : start + _TOGETHER]
            yield order[some], order[some + step]


def crowded(images: Ints) -> int:
    """Count the people of photographs with more than `MOST_COMPARED`."""
    return int((np.bincount(images)[images] > MOST_COMPARED).sum()) if len(images) else 0
