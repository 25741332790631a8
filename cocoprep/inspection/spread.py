"""How numbers are spread: mean, deviation, quantiles, and how many lie in each of some bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Spread:
    """A distribution of `count` numbers; without any, its figures are NaN.

    Attributes:
        count: of numbers.
        mean: of them.
        deviation: the standard deviation, of the numbers themselves: divided by their count.
        quantiles: of `QUANTILES`, as NumPy's `linear` method gives them.
        least: the smallest.
        most: the largest.
        edges: (B + 1,) of the bins; those at the ends take what lies beyond.
        bins: (B,) int64, how many lie in each.
    """

    count: int
    mean: float
    deviation: float
    quantiles: tuple[float, ...]
    least: float
    most: float
    edges: tuple[float, ...]
    bins: NDArray[np.int64]

    @property
    def median(self) -> float:
        """Return the number that half of them do not reach."""
        return self.quantiles[QUANTILES.index(0.5)]


def spread_of(values: ArrayLike, edges: ArrayLike) -> Spread:
    """Return how numbers (n,) are spread over bins between `edges` (B + 1,), which rise."""
    numbers, borders = np.asarray(values, np.float64).ravel(), np.asarray(edges, np.float64)
    places = np.clip(np.searchsorted(borders, numbers, side="right") - 1, 0, len(borders) - 2)
    bins = np.bincount(places, minlength=len(borders) - 1).astype(np.int64)
    if not len(numbers):
        return Spread(0, *(float("nan"),) * 2, (float("nan"),) * len(QUANTILES), *(float("nan"),) * 2,
                      tuple(borders.tolist()), bins)  # fmt: skip
    quantiles = tuple(np.quantile(numbers, QUANTILES).tolist())
    mean, deviation = float(numbers.mean()), float(numbers.std())
    least, most = float(numbers.min()), float(numbers.max())
    return Spread(len(numbers), mean, deviation, quantiles, least, most, tuple(borders.tolist()), bins)


def spread_of_counts(counts: ArrayLike) -> Spread:
    """Return the spread of whole numbers from 0 up, of which `counts` (B,) says how often each occurs."""
    many = np.asarray(counts, np.int64)
    return spread_of(np.repeat(np.arange(len(many)), many), np.arange(len(many) + 1))
