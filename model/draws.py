"""Random numbers that are a function of keys alone: no state, no order, the same on every machine.

Source: the mixing function of SplitMix64, Steele et al. 2014, "Fast Splittable Pseudorandom Number Generators".
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)


class Purpose(IntEnum):
    """What numbers are drawn for: the first key, so that no two purposes share their numbers."""

    SUBSET = 1
    BLOCKS = 2
    PEOPLE = 3
    AUGMENT = 4
    NOISE = 5
    MORE = 6
    TURN = 7


def hash_keys(*keys: ArrayLike) -> NDArray[np.uint64]:
    """Return uint64 hashes of whole-number keys that broadcast against each other; at least 1-d.

    Keys that differ in one bit give unrelated hashes, so neighbouring ids are not correlated.
    """
    state = np.zeros(1, np.uint64)
    for key in keys:
        state = _mix((state + _STEP) ^ np.asarray(key, np.int64).astype(np.uint64))
    return state


def draw_uniform(*keys: ArrayLike) -> NDArray[np.float64]:
    """Return a number from [0, 1) for each combination of the keys, float64 of 53 random bits."""
    return (hash_keys(*keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def draw_normal(purpose: Purpose, seed: int, count: int) -> NDArray[np.float64]:
    """Return (count,) normal numbers of mean 0 and variance 1, by Box and Muller's transform."""
    pair = draw_uniform(purpose, seed, np.arange(count)[:, None], np.arange(2))
    normal: NDArray[np.float64] = np.sqrt(-2 * np.log1p(-pair[:, 0])) * np.cos(2 * np.pi * pair[:, 1])
    return normal


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
