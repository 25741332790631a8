"""Sizes of effects: how far two samples differ, in units that do not depend on what was counted.

Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd edition, 1988: h for shares (chapter 6), d for means
(chapter 2), and the words for both: 0.2 is small, 0.5 medium, 0.8 large. Lin, Divergence measures based on the Shannon
entropy, 1991; its square root is a distance: Endres and Schindelin, A new metric for probability distributions, 2003.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

FEWEST = 10  # of fewer, whatever is found may be chance: the errors below are those of many
BY_CHANCE = 0.05  # how often any figure of samples of the same may be told to differ
_WORDS = ((0.8, "large"), (0.5, "medium"), (0.2, "small"))


@dataclass(frozen=True)
class Effect:
    """How far a second sample is from a first.

    Attributes:
        measure: h, of two shares, or d, of two means.
        size: positive where the second is larger.
        error: its standard error, were all that is counted independent of each other.
        fewest: of how many the smaller sample is.
        compared: how many figures are looked through, of which this is one: the more, the more differ by chance.
    """

    measure: Literal["h", "d"]
    size: float
    error: float
    fewest: int
    compared: int = 1

    @property
    def may_be_chance(self) -> bool:
        """Tell whether samples of one and the same would often differ as much in one of the figures (Bonferroni)."""
        errors = NormalDist().inv_cdf(1 - BY_CHANCE / (2 * self.compared))
        return self.fewest < FEWEST or abs(self.size) <= errors * self.error

    @property
    def words(self) -> str:
        """Return Cohen's word for it."""
        return next((word for least, word in _WORDS if abs(self.size) >= least), "slight")


def cohen_h(share: float, number: int, other: float, other_number: int) -> Effect | None:
    """Return how far a share of an other number is from a share of a number; None where one is of nothing."""
    if not number or not other_number:
        return None
    size = 2 * math.asin(math.sqrt(min(other, 1))) - 2 * math.asin(math.sqrt(min(share, 1)))
    return Effect("h", size, math.sqrt(1 / number + 1 / other_number), min(number, other_number))


def cohen_d(first: tuple[float, float, int], second: tuple[float, float, int]) -> Effect | None:
    """Return how far two means are from each other, in the root of the mean of their variances.

    That is Cohen's unit where variances differ (2.3.2): samples of other sizes have the same.

    Args:
        first: mean, standard deviation, and of how many.
        second: the same of the other.

    Returns:
        None where either is of fewer than two, or nothing varies though the means differ.
    """
    (mean, deviation, number), (other_mean, other_deviation, other_number) = first, second
    if min(number, other_number) < 2:
        return None
    unit = math.sqrt((deviation**2 + other_deviation**2) / 2)
    if unit <= 1e-12 * max(abs(mean), abs(other_mean)):
        return Effect("d", 0.0, 0.0, min(number, other_number)) if mean == other_mean else None
    error = math.sqrt(deviation**2 / number + other_deviation**2 / other_number)
    return Effect("d", (other_mean - mean) / unit, error / unit, min(number, other_number))


def js_distance(counts: ArrayLike, others: ArrayLike) -> float | None:
    """Return the Jensen-Shannon distance of two distributions by counts (B,), 0 to 1; None where one is empty."""
    first, second = np.asarray(counts, np.float64), np.asarray(others, np.float64)
    if not first.sum() or not second.sum():
        return None
    first, second = first / first.sum(), second / second.sum()
    middle = (first + second) / 2
    divergence = 0.0
    for one in (first, second):
        there = one > 0
        divergence += float((one[there] * np.log2(one[there] / middle[there])).sum()) / 2
    return math.sqrt(min(max(divergence, 0), 1))
