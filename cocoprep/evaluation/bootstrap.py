"""How sure a figure is: photographs drawn again and again, and the figure over each draw.

Efron and Tibshirani 1993, "An Introduction to the Bootstrap": of I photographs, I are drawn with replacement, all that
is on them with them, B times. Photographs, not people, are drawn: people of one photograph are alike. Two results are
held against each other on the same draws. The interval is that of percentiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.checks import require_number

DRAWS, LEVEL = 1000, 0.95
LEAST_DRAWS, MOST_DRAWS = 100, 100_000


@dataclass(frozen=True)
class Interval:
    """A figure and where it lies.

    Attributes:
        value: over all photographs as they are; NaN where nobody stands behind it.
        low: lower end of the interval; NaN where there is none.
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


def draw_copies(images: int, *, draws: int = DRAWS, seed: int = 0) -> NDArray[np.int64]:
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
    return np.array([np.bincount(rng.integers(images, size=images), minlength=images) for _ in range(draws)], np.int64)


def interval_of(value: float, drawn: ArrayLike, *, level: float = LEVEL) -> Interval:
    """Return the interval of a figure.

    Args:
        value: over all photographs.
        drawn: (B,) over each draw; NaN where nobody stood behind it, which says nothing.
        level: the share of such intervals that hold the truth.
    """
    known = np.asarray(drawn, np.float64)
    known = known[np.isfinite(known)]
    if not len(known) or not np.isfinite(value):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
