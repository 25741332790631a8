"""Pairs of photographs that may be the same, among all pairs: by their hashes, then by their thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.inspection.hashes import Hashes, hash_thumbnails

# Measured on real photographs: docs/datasets.md. Copies differ in fewer bits and correlate better.
MOST_BITS = 12
LEAST_ALIKE = 0.9
BEST = 3  # of the earlier photographs of a data set that are taken up for one: frames of a video are all alike
_ROWS, _COLUMNS = 256, 4096  # of hashes compared at once: what fits a processor's cache
_AT_ONCE = 4096  # pairs of thumbnails


@dataclass(frozen=True)
class Candidates:
    """Pairs that may be the same, (M,) each.

    Attributes:
        later: int64, places of photographs.
        earlier: int64, below `later`.
        mirrored: bool, whether one is taken as seen in a mirror.
        bits: uint8, in how many the hashes differ.
        alike: float32, correlation of the thumbnails.
    """

    later: NDArray[np.int64]
    earlier: NDArray[np.int64]
    mirrored: NDArray[np.bool_]
    bits: NDArray[np.uint8]
    alike: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.later)

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Candidates:
        """Return some of them."""
        return Candidates(
            self.later[which], self.earlier[which], self.mirrored[which], self.bits[which], self.alike[which]
        )


def find_candidates(
    thumbnails: NDArray[np.uint8],
    homes: NDArray[np.int64],
    *,
    across: bool = False,
    workers: int = 1,
    on_rows: Callable[[int, int], None] = lambda done, total: None,
) -> Candidates:
    """Find the pairs that may be the same picture, as it is or mirrored.

    Args:
        thumbnails: (N, side, side) uint8 grey, of different photographs, those of the first data set first.
        homes: (N,) the data set of each, none below the one before.
        across: pairs within one data set are passed over.
        workers: threads to compare with.
        on_rows: told of how many photographs it is known, of how many.

    Returns:
        In the order of `later`; of one and each data set before it, or its own, the `BEST` most alike.
    """
    straight, mirrored = hash_thumbnails(thumbnails), hash_thumbnails(thumbnails, mirrored=True)
    search = _Search(thumbnails, homes, straight, mirrored, across).search_rows
    starts = range(0, len(thumbnails), _ROWS)
    found = [_nothing()]
    on_rows(0, len(thumbnails))
    with ThreadPoolExecutor(workers) as pool:
        for start, some in zip(starts, pool.map(search, starts), strict=True):
            found.append(some)
            on_rows(min(start + _ROWS, len(thumbnails)), len(thumbnails))
    return _joined(found)


def correlate(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (N,) correlation, -1 to 1, of (N, H, W) pictures with as many others; 0 where one is flat."""
    flat = [pictures.reshape(len(pictures), -1).astype(np.float32) for pictures in (one, other)]
    a, b = (pixels - pixels.mean(axis=1, keepdims=True) for pixels in flat)
    product, scale = (a * b).sum(axis=1), np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    found: NDArray[np.float32] = np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)
    return found


@dataclass(frozen=True)
class _Search:
    thumbnails: NDArray[np.uint8]
    homes: NDArray[np.int64]
    straight: Hashes
    mirrored: Hashes
    across: bool

    def search_rows(self, start: int) -> Candidates:
        """Compare some photographs with all before each."""
        rows, best = slice(start, min(start + _ROWS, len(self.homes))), _nothing()
        buffers = np.empty((_ROWS, _COLUMNS), np.uint64), np.empty((_ROWS, _COLUMNS), np.uint8)
        for first in range(0, rows.stop, _COLUMNS):
            columns = slice(first, min(first + _COLUMNS, rows.stop))
            if self.across and self.homes[first] == self.homes[rows.stop - 1]:  # they never fall
                break
            for hashes, is_mirrored in ((self.straight, False), (self.mirrored, True)):
                for later, earlier, bits in _near(self.straight, hashes, rows, columns, buffers):
                    alike = self._alike(later, earlier, mirrored=is_mirrored)
                    good = (alike >= LEAST_ALIKE) & ((not self.across) | (self.homes[later] != self.homes[earlier]))
                    if good.any():
                        found = Candidates(later, earlier, np.full(len(alike), is_mirrored), bits, alike)
                        best = _best(_joined([best, found.take(good)]), self.homes)
        return best

    def _alike(self, later: NDArray[np.int64], earlier: NDArray[np.int64], *, mirrored: bool) -> NDArray[np.float32]:
        others = self.thumbnails[earlier]
        return correlate(self.thumbnails[later], others[:, :, ::-1] if mirrored else others)


def _near(
    straight: Hashes,
    hashes: Hashes,
    rows: slice,
    columns: slice,
    buffers: tuple[Hashes, NDArray[np.uint8]],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]]:
    """Yield places of later and of earlier photographs whose hashes are near, and in how many bits they differ."""
    # Memory that is used again is twice as fast as new.
    part = slice(rows.stop - rows.start), slice(columns.stop - columns.start)
    differing, bits = (buffer[part] for buffer in buffers)
    np.bitwise_xor(straight[rows, None], hashes[None, columns], out=differing)
    np.bitwise_count(differing, out=bits)
    for some in _pieces(np.flatnonzero(bits <= MOST_BITS)):
        row, column = np.divmod(some, bits.shape[1])
        later, earlier = row + rows.start, column + columns.start
        before = earlier < later
        if before.any():
            yield later[before], earlier[before], bits[row[before], column[before]]


def _pieces(places: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    return (places[start : start + _AT_ONCE] for start in range(0, len(places), _AT_ONCE))


def _best(found: Candidates, homes: NDArray[np.int64]) -> Candidates:
    """Keep, of one photograph with those of one data set, the most alike."""
    order = np.lexsort((found.earlier, found.mirrored, -found.alike, homes[found.earlier], found.later))
    group = np.stack([found.later, homes[found.earlier]])[:, order]
    begins = np.flatnonzero(np.r_[True, (group[:, 1:] != group[:, :-1]).any(axis=0)][: len(order)])
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(np.r_[begins, len(order)]))
    return found.take(order[rank < BEST])


def _joined(parts: list[Candidates]) -> Candidates:
    columns = zip(*((p.later, p.earlier, p.mirrored, p.bits, p.alike) for p in parts), strict=True)
    return Candidates(*(np.concatenate(column) for column in columns))


def _nothing() -> Candidates:
    numbers = np.empty(0, np.int64)
    return Candidates(numbers, numbers, np.empty(0, bool), np.empty(0, np.uint8), np.empty(0, np.float32))
