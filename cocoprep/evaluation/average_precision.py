"""Average precision and recall of predictions, over all photographs or over photographs drawn again and again.

B draws of I photographs, each with a number of copies of each photograph; A ranges of sizes, T thresholds of OKS, R
recalls, D predictions. The rules are those of `COCOeval.accumulate` and `summarize` of
https://github.com/cocodataset/cocoapi, equal to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.evaluation.oks_pairs import Floats
from cocoprep.evaluation.pairs import Indices
from cocoprep.evaluation.people_found import RANGES, THRESHOLDS, PeopleFound

RECALLS: Floats = np.linspace(0.0, 1.0, 101)
OKS_FIGURES = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
MOST_NUMBERS = 1 << 17  # of draws times thresholds times predictions at a time: they stay in a core's cache

_NOTHING = -1.0  # of a range of which nobody is there


@dataclass(frozen=True)
class Precision:
    """What a curve of precision over recall is drawn of.

    Attributes:
        precision: (B, A, T, R): the best precision at this recall or a higher one; -1 where nobody counts.
        recall: (B, A, T): the highest that is reached; -1 where nobody counts.
    """

    precision: Floats
    recall: Floats

    @property
    def figures(self) -> dict[str, Floats]:
        """Return (B,) each of `OKS_FIGURES`; -1 where nobody counts."""
        at = {name: [_mean(values) for values in self._parts(name)] for name in ("precision", "recall")}
        return dict(zip(OKS_FIGURES, [*at["precision"], *at["recall"]], strict=True))

    def _parts(self, name: str) -> list[Floats]:
        values: Floats = getattr(self, name)
        every, medium, large = (values[:, place] for place in range(len(RANGES)))
        half, three_quarters = (every[:, np.flatnonzero(t == THRESHOLDS)] for t in (0.5, 0.75))
        return [every, half, three_quarters, medium, large]


def measure_precision(found: PeopleFound, copies: NDArray[np.integer[Any]] | None = None) -> Precision:
    """Measure precision and recall.

    Args:
        found: who is found by which prediction.
        copies: (B, I) how many copies of each photograph are there; None for one of each, which is B = 1. It is as if
            the photograph stood there so many times, with its people and its predictions; of equally sure predictions
            all copies of one come before those of the next.
    """
    drawn: NDArray[np.integer[Any]] = np.ones((1, len(found.images)), np.int32) if copies is None else copies
    shape = len(drawn), len(RANGES), len(THRESHOLDS)
    precision, recall = np.full((*shape, len(RECALLS)), _NOTHING), np.full(shape, _NOTHING)
    step = max(1, MOST_NUMBERS // max(1, len(THRESHOLDS) * len(found.image)))
    for start in range(0, len(drawn), step):
        some = slice(start, start + step)
        people, of_each = drawn[some] @ found.people.T, drawn[some][:, found.image]
        for place in range(len(RANGES)):
            there = np.flatnonzero(people[:, place])
            curves = _curves(found, place, of_each[there], people[there, place])
            precision[start + there, place], recall[start + there, place] = curves
    return Precision(precision, recall)


def _curves(found: PeopleFound, place: int, copies: NDArray[np.integer[Any]], people: Indices) -> tuple[Floats, Floats]:
    """Return (b, T, R) and (b, T) of one range of sizes, of draws with (b, D) copies of predictions, (b,) of people.

    A prediction's copies stand together. Of those that are right the last is the most precise, so the curve at the end
    of each such row has all that counts; and it is the sum of whole numbers, which no order of summing changes.
    """
    shape = len(people), len(THRESHOLDS)
    if not len(found.image) or not len(people):
        return np.zeros((*shape, len(RECALLS))), np.zeros(shape)
    right = np.cumsum(copies[:, None] * found.right[place], axis=2)
    counted = np.cumsum(copies[:, None] * found.counted[place], axis=2)
    precision = right / (counted + np.spacing(1))
    best = np.maximum.accumulate(precision[..., ::-1], axis=2)[..., ::-1]
    at = _first_at(right, _needed(people))
    reached = at < right.shape[2]
    curve = np.take_along_axis(best, np.where(reached, at, 0), axis=2)
    return np.where(reached, curve, 0.0), right[..., -1] / people[:, None]


def _needed(people: Indices) -> Indices:
    """Return (b, R) the least number of people found, of (b,) who count, that reaches each recall."""
    whole = people[:, None]
    about = np.floor(whole * RECALLS).astype(np.int64)
    near = np.maximum(about - 1, 0)[..., None] + np.arange(4)
    enough: Indices = near[..., 0] + (near / whole[..., None] >= RECALLS[:, None]).argmax(axis=2)
    return enough


def _first_at(rising: Indices, wanted: Indices) -> Indices:
    """Return (b, T, R) the first place of each row of `rising` (b, T, D) that has at least what is wanted (b, R)."""
    draws, thresholds, length = rising.shape
    step = int(max(rising.max(), wanted.max())) + 1
    rows = np.arange(draws * thresholds).reshape(draws, thresholds, 1)
    # Each row a step above the last, so that all are one rising row.
    flat = (rising + rows * step).ravel()
    found: Indices = np.searchsorted(flat, (wanted[:, None] + rows * step).ravel()).reshape(draws, thresholds, -1)
    places: Indices = np.minimum(found - rows * length, length)
    return places


def _mean(values: Floats) -> Floats:
    """Return (B,) the mean of each draw's values, all of which are -1 where nobody counts."""
    flat = np.ascontiguousarray(values.reshape(len(values), -1))
    mean: Floats = flat.mean(axis=1)
    return np.where(flat[:, 0] > _NOTHING, mean, _NOTHING)
