"""In which order people come: a function of seed and epoch, known without reading a record.

Records lie in blocks of consecutive ones. An epoch deals the blocks into groups at random, and shuffles the records of
a group as a whole: disks and buckets are read in large pieces, and any step of any epoch is found at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.model.draws import Purpose, hash_keys

BLOCK_RECORDS = 128


@dataclass(frozen=True, slots=True)
class Order:
    """The order of records, named by their places from 0, through the epochs.

    Attributes:
        people: how many records there are.
        used: how many of them an epoch takes: whole batches. Which ones are left out differs from epoch to epoch.
        group_records: how many records are shuffled together, about.
        seed: of it all.
    """

    people: int
    used: int
    group_records: int
    seed: int

    @property
    def groups(self) -> int:
        """Return how many groups an epoch has."""
        return -(-self._blocks // self._blocks_a_group)

    def group(self, epoch: int, index: int) -> NDArray[np.int64]:
        """Return the places of one group's records in the order of their use; the last groups may have few or none."""
        blocks = self._shuffled_blocks(epoch)[self._blocks_a_group * index :][: self._blocks_a_group]
        places = (blocks[:, None] * BLOCK_RECORDS + np.arange(BLOCK_RECORDS)).ravel()
        places = places[places < self.people]
        shuffled = places[np.argsort(hash_keys(Purpose.PEOPLE, self.seed, epoch, places), kind="stable")]
        return shuffled[: max(0, self.used - int(self._starts(epoch)[index]))]

    def find(self, record: int) -> tuple[int, int]:
        """Return where a record of the stream is: its group, counted through all epochs, and its number there."""
        epoch, within = divmod(record, self.used)
        starts = self._starts(epoch)
        index = int(np.searchsorted(starts, within, side="right")) - 1
        return epoch * self.groups + index, within - int(starts[index])

    @property
    def _blocks(self) -> int:
        return -(-self.people // BLOCK_RECORDS)

    @property
    def _blocks_a_group(self) -> int:
        return max(1, self.group_records // BLOCK_RECORDS)

    def _shuffled_blocks(self, epoch: int) -> NDArray[np.int64]:
        keys = hash_keys(Purpose.BLOCKS, self.seed, epoch, np.arange(self._blocks))
        return np.argsort(keys, kind="stable")

    def _starts(self, epoch: int) -> NDArray[np.int64]:
        """Return (groups,) how many records of an epoch come before each group."""
        sizes = np.minimum(BLOCK_RECORDS, self.people - self._shuffled_blocks(epoch) * BLOCK_RECORDS)
        before: NDArray[np.int64] = np.append(0, np.cumsum(sizes))[:-1]
        return before[:: self._blocks_a_group]
