"""Annotations without a labelled joint: what may be why, and examples of each."""

from __future__ import annotations

import numpy as np

from cocoprep.inspection.box_figures import size_kinds, touched_edges
from cocoprep.inspection.data_set import Bools, Floats, Ints, People

WHYS = ("crowd", "small", "cut", "overlapped", "other")  # the first that applies is counted
HEAVY_OVERLAP = 0.3  # IoU with another box


def whys_of(people: People, overlaps: Floats) -> Bools:
    """Return (N, 5) bool: what of `WHYS` applies to each; other where nothing else does.

    They are a crowd; small by COCO's areas; a box that the picture's edge cuts; and one that overlaps another. None is
    a proof: the file does not say why nobody labelled a joint.

    Args:
        people: N of them.
        overlaps: (N,) the largest IoU of each with another, NaN where it is not measured.
    """
    found = np.stack([
        people.crowd,
        size_kinds(people) == 0,
        people.sized & touched_edges(people).any(axis=1),
        np.nan_to_num(overlaps) > HEAVY_OVERLAP,
    ], axis=1)  # fmt: skip
    return np.concatenate([found, ~found.any(axis=1, keepdims=True)], axis=1)


def count_whys(people: People, overlaps: Floats) -> dict[str, int]:
    """Return how many without labels there are of each of `WHYS`."""
    unlabelled: Bools = people.labelled == 0
    counts = np.bincount(_first_whys(people, overlaps, unlabelled), minlength=len(WHYS))
    return dict(zip(WHYS, counts.tolist(), strict=True))


def _first_whys(people: People, overlaps: Floats, chosen: Ints | Bools) -> Ints:
    return np.asarray(whys_of(people.take(chosen), overlaps[chosen]).argmax(axis=1), np.int64)


def choose_unlabelled(people: People, overlaps: Floats, most: int) -> Ints:
    """Return the places of up to `most` without labels: of each of `WHYS` as many as there are in turn, evenly spread.

    The same people give the same choice.
    """
    places = np.flatnonzero(people.labelled == 0)
    whys = _first_whys(people, overlaps, places)
    groups = [places[whys == n] for n in range(len(WHYS))]
    wanted = _shared_out([len(group) for group in groups], most)
    chosen = [group[np.arange(n) * len(group) // max(n, 1)] for group, n in zip(groups, wanted, strict=True)]
    return np.concatenate(chosen).astype(np.int64)


def _shared_out(there: list[int], most: int) -> list[int]:
    """Return how many to take of each, `most` in all: evenly, and of what has fewer, all."""
    taken = [0] * len(there)
    while sum(taken) < min(most, sum(there)):
        for n, many in enumerate(there):
            taken[n] += taken[n] < many and sum(taken) < most
    return taken
