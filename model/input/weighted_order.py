"""In which order people come where some are seen more often than others: a function of seed and epoch, as `Order` is.

An epoch has a list of turns, a person's first turn, its second, and so on. They are shuffled as `Order` shuffles
records: in groups of blocks of consecutive ones, so that a person's turns lie apart and reading stays in large pieces.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cocoprep.model.draws import Purpose, hash_keys
from cocoprep.model.input.order import Order

_ONE = 1 << 32  # fractions are whole numbers of it, so that sums are the same on every machine
_EPOCHS = 4  # remembered: reading is ahead of what is asked for


class WeightedOrder:
    """The order of turns through the epochs; turn `t` is of the person at place `t % people`, its `t // people`th.

    A person of weight w is seen floor(w) times in every epoch, and once more with a probability of the rest, drawn anew
    for each epoch. How many are seen once more is the same, but for one, in all epochs.
    """

    def __init__(self, weights: NDArray[np.float64], batch_size: int, group_records: int, seed: int) -> None:
        """Take (people,) weights, at least 0."""
        self._group_records, self._seed = group_records, seed
        self._always = np.floor(weights).astype(np.int64)
        self._fractions = np.rint((weights - self._always) * _ONE).astype(np.int64)
        self._maybe = np.flatnonzero(self._fractions)
        more = round(math.fsum((weights - self._always).tolist()) * _ONE)
        # Ten of 0.7 are 7, not a little less: what rounding took or gave goes back, a unit a person.
        missing = more - int(self._fractions.sum())
        self._fractions[self._maybe[: abs(missing)]] += np.sign(missing)
        fewest = int(self._always.sum()) + more // _ONE
        self.people, self.used = len(weights), fewest // batch_size * batch_size
        self.groups = Order(fewest + (more % _ONE > 0), self.used, group_records, seed).groups
        self._epoch = lru_cache(maxsize=_EPOCHS)(self._plan)

    def group(self, epoch: int, index: int) -> NDArray[np.int64]:
        """Return the turns of one group in the order of their use; the last groups may have few or none."""
        order, turns = self._epoch(epoch)
        return turns[order.group(epoch, index)] if index < order.groups else turns[:0]

    def find(self, record: int) -> tuple[int, int]:
        """Return where a turn of the stream is: its group, counted through all epochs, and its number there."""
        epoch = record // self.used
        order, _ = self._epoch(epoch)
        counter, number = order.find(record)
        return epoch * self.groups + counter - epoch * order.groups, number

    def _plan(self, epoch: int) -> tuple[Order, NDArray[np.int64]]:
        """Return the turns of an epoch, and the order in which they come."""
        counts = self._always.copy()
        counts[self._seen_once_more(epoch)] += 1
        rounds = range(int(counts.max()))
        turns = np.concatenate([number * self.people + np.flatnonzero(counts > number) for number in rounds])
        return Order(len(turns), self.used, self._group_records, self._seed), turns

    def _seen_once_more(self, epoch: int) -> NDArray[np.int64]:
        """Draw places by systematic sampling, which gives each the probability of its fraction.

        Source: Madow 1949, "On the Theory of Systematic Sampling, II".
        """
        keys = hash_keys(Purpose.MORE, self._seed, epoch, self._maybe)
        shuffled = self._maybe[np.argsort(keys, kind="stable")]
        start = int(hash_keys(Purpose.MORE, self._seed, epoch, -1)[0]) % _ONE
        passed = np.append(start, start + np.cumsum(self._fractions[shuffled])) // _ONE
        return shuffled[np.diff(passed) > 0]
