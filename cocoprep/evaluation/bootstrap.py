"""How sure a figure is: photographs drawn again and again, and the figure over each draw.

Efron and Tibshirani 1993, "An Introduction to the Bootstrap": of I photographs, I are drawn with replacement, all that
is on them with them, B times. Photographs, not people, are drawn: people of one photograph are alike. Two results are
held against each other on the same draws. The interval is that of percentiles, expanded as of Hesterberg 2015, "What
Teachers Should Know About the Bootstrap": draws of few photographs differ less from each other than few photographs do
from the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.checks import require_number

DRAWS, LEVEL = 1000, 0.95
LEAST_DRAWS, MOST_DRAWS = 100, 100_000
# Where all differ the same way, so do all draws, and 0 is within no interval of theirs. Of five photographs that is by
# chance in 1 of 16 cases, more than an interval of 95 % may miss; of six in 1 of 32.
LEAST_PHOTOGRAPHS = 6


@dataclass(frozen=True)
class Interval:
    """A figure and where it lies.

    Attributes:
        value: over all photographs as they are; NaN where nobody stands behind it.
        low: lower end of the interval; NaN where there is none, as too few photographs stand behind it.
        high: its upper end.
    """

    value: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Tell whether 0 is outside."""
        return self.low > 0 or self.high < 0


def check_draws(draws: int, seed: int) -> None:
    """Raise ConfigError where a number makes no draws."""
    require_number("--draws", draws, LEAST_DRAWS, MOST_DRAWS, whole=True)
    require_number("--seed", seed, 0, whole=True)


def draw_copies(images: int, *, draws: int = DRAWS, seed: int = 0) -> NDArray[np.int32]:
    """Draw photographs.

    Args:
        images: I, how many there are.
        draws: B, how often.
        seed: the same, the same draws.

    Returns:
        (B, I) how many copies of each photograph are drawn; each row sums to I.

    Raises:
        ConfigError: a number that makes no draws.
    """
    check_draws(draws, seed)
    rng = np.random.default_rng(seed)
    copies = np.empty((draws, images), np.int32)  # of 100,000 draws the largest array there is
    for of_draw in copies:
        of_draw[:] = np.bincount(rng.integers(images, size=images), minlength=images)
    return copies


def interval_of(value: float, drawn: ArrayLike, *, photographs: int, level: float = LEVEL) -> Interval:
    """Return the interval of a figure.

    Args:
        value: over all photographs.
        drawn: (B,) over each draw; NaN where nobody stood behind it, which says nothing.
        photographs: how many stand behind it; fewer than `LEAST_PHOTOGRAPHS` have no interval.
        level: the share of such intervals that hold the truth.
    """
    known = np.asarray(drawn, np.float64)
    known = known[np.isfinite(known)]
    if photographs < LEAST_PHOTOGRAPHS or not len(known) or not np.isfinite(value):
        return Interval(value, float("nan"), float("nan"))
    beyond = share_beyond(photographs, level)
    low, high = np.quantile(known, [beyond, 1 - beyond])
    return Interval(value, float(low), float(high))


def share_beyond(photographs: int, level: float) -> float:
    """Return the share of draws beyond each end: as of a normal distribution beyond what Student's t would reach.

    Args:
        photographs: n, two at least. A draw's variance is short of theirs by (n - 1) / n.
        level: the share of intervals that hold the truth.
    """
    return NormalDist().cdf(-sqrt(photographs / (photographs - 1)) * students_t((1 + level) / 2, photographs - 1))


def students_t(share: float, freedom: int) -> float:
    """Return below what a share of Student's t of so many degrees of freedom lies.

    The series of Abramowitz and Stegun 1964, 26.7.5: of 97.5 % right to 0.1 % from 4 degrees of freedom on.
    """
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / freedom**power for power, term in enumerate(terms, start=1)))
