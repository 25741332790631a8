"""How long limbs are: the size of each person by them, and limbs that are longer than the data set's ever are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cocoprep.inspection.check.frame import LENGTH_QUANTILE, Complexes
from cocoprep.inspection.check.orderly import masked_quantile
from cocoprep.inspection.data_set import Bools, Floats

_ROUNDS = 3
LONG_QUANTILE = 0.95  # of a limb over people: where it is seen at its full length
_LEAST_PX = 1e-3
_SEVERAL = 6  # joints, from which the spread of a body says something
_MOST = 0.985  # of people, whose limbs are not longer by their spread


@dataclass(frozen=True)
class Lengths:
    """The lengths of L limbs of N people.

    Attributes:
        limbs: (L, 2) places of joints.
        logs: (N, L) logarithm of the length in pixels.
        there: (N, L) whether both ends are labelled, and apart.
        scale: (N,) pixels: the size of each person, of which a limb at its full length is `exp(full)`.
        full: (L,) logarithm of each limb's full length by the scale.
        count: (N,) how many limbs speak for the scale.
    """

    limbs: NDArray[np.int64]
    logs: Floats
    there: Bools
    scale: Floats
    full: Floats
    count: NDArray[np.int64]

    @cached_property
    def over(self) -> Floats:
        """Return (N, L): by how much, as a logarithm, limbs are longer than at their full length; -inf if not there."""
        return np.where(self.there, self.logs - np.log(self.scale)[:, None] - self.full, -np.inf)


def measure_lengths(
    points: Complexes, labelled: Bools, trusted: Bools, limbs: NDArray[np.int64], box_px: Floats
) -> Lengths:
    """Return how long limbs are, and by them how large people are.

    A person's size and a limb's full length by it are found in turns: the size is a high quantile of what the person's
    limbs say, since a line of sight shortens most of them; the full length is one of what people say.

    Args:
        points: (N, K) complex.
        labelled: (N, K).
        trusted: (N, K) which joints say how long limbs are; of a limb between no such joints, all do.
        limbs: (L, 2).
        box_px: (N,) what the size of the box says, one voice among the limbs'; NaN for none.
    """
    span = np.abs(points[:, limbs[:, 0]] - points[:, limbs[:, 1]]).reshape(len(points), len(limbs))
    there = labelled[:, limbs[:, 0]] & labelled[:, limbs[:, 1]] & (span > _LEAST_PX)
    box = np.isfinite(box_px) & (box_px > _LEAST_PX)
    said = np.log(np.column_stack([np.where(there, span, 1), np.where(box, box_px, 1)]))
    told = there & trusted[:, limbs[:, 0]] & trusted[:, limbs[:, 1]]
    told = np.where(told.any(axis=0), told, there)
    voices = np.column_stack([told, box])
    size = np.where(box, said[:, -1], masked_quantile(said[:, :-1], told, 0.5, axis=1))
    size = np.where(np.isnan(size), 0.0, size)
    full = np.zeros(said.shape[1])
    for _ in range(_ROUNDS):
        high = masked_quantile(said - size[:, None], voices, LONG_QUANTILE, axis=0)
        high[-1] = masked_quantile((said - size[:, None])[:, -1:], voices[:, -1:], 0.5, axis=0)[0]
        full = np.where(np.isnan(high), full, high)
        by_limbs = masked_quantile(said - full, voices, LENGTH_QUANTILE, axis=1)
        size = np.where(np.isnan(by_limbs), size, by_limbs)
    # A limb at the upper quantile is a little over its full length by that size: settle it for good.
    size = _within_reach(size, points, labelled)
    high = masked_quantile(said[:, :-1] - size[:, None], told, LONG_QUANTILE, axis=0)
    full = np.where(there.any(axis=0), high, 0.0)
    longest = full[there.any(axis=0)].max() if there.any() else 0.0  # whose full length is 1 by the scale
    size, full = size + longest, full - longest
    return Lengths(limbs, said[:, :-1], there, np.exp(size), full, np.asarray(there.sum(axis=1), np.int64))


def _within_reach(size: Floats, points: Complexes, labelled: Bools) -> Floats:
    """Return sizes (N,), as logarithms, no larger than bodies that spread so far have: all limbs may be too long."""
    count = np.maximum(labelled.sum(axis=1), 1)
    middle = np.where(labelled, points, 0).sum(axis=1) / count
    spread = np.sqrt((np.abs(np.where(labelled, points - middle[:, None], 0)) ** 2).sum(axis=1) / count)
    there = (count >= _SEVERAL) & (spread > _LEAST_PX)
    by_spread = size - np.log(np.where(there, spread, 1))
    most = masked_quantile(by_spread, there, _MOST, axis=0)
    return np.where(there, np.minimum(size, size - by_spread + most), size)
