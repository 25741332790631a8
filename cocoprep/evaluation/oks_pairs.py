"""OKS of every prediction and every person of its photograph, equal to the bit to pycocotools'.

N people and M predictions of K joints; points are (x, y) in one frame. The rules, and the order of every operation, are
those of `COCOeval.computeOks` of https://github.com/cocodataset/cocoapi: a sum of n numbers has other bits in another
order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.evaluation.pairs import Indices, pairs_of

MOST_NUMBERS = 1 << 21  # of pairs times joints at a time: some tens of megabytes

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class People:
    """N people of a ground truth, crowds and people without labelled joints too, in its order.

    Attributes:
        image_ids: (N,) int64.
        keypoints: (N, K, 2) float64; whatever where a joint is not labelled.
        labelled: (N, K) bool.
        bbox: (N, 4) float64, x, y, width, height.
        area: (N,) float64, the scale of OKS.
        ignored: (N,) bool: whom nobody has to find.
        crowd: (N,) bool: who may be found many times.
    """

    image_ids: Indices
    keypoints: Floats
    labelled: Flags
    bbox: Floats
    area: Floats
    ignored: Flags
    crowd: Flags


@dataclass(frozen=True)
class Pairs:
    """P pairs of a prediction and a person of its photograph, in order of the predictions, then of the people.

    Attributes:
        prediction: (P,) rows of the predictions.
        person: (P,) rows of the people.
        oks: (P,) float64.
    """

    prediction: Indices
    person: Indices
    oks: Floats


def similar_pairs(people: People, image_ids: Indices, keypoints: Floats, sigmas: Floats, *, least: float) -> Pairs:
    """Return the pairs whose OKS is at least `least`.

    Args:
        people: N people.
        image_ids: (M,) of the predictions.
        keypoints: (M, K, 2) float64 of the predictions.
        sigmas: (K,) of the joints.
        least: OKS from which a pair is of interest.
    """
    found = [Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    joints = _LabelledFirst(people.labelled)
    with np.errstate(over="ignore", invalid="ignore"):  # far predictions may overflow: they are infinitely wrong
        for prediction, person in pairs_of(image_ids, people.image_ids, most=max(1, MOST_NUMBERS // len(sigmas))):
            oks = np.empty(len(person))
            for count, rows in joints.by_count(person):
                of, whose = keypoints[prediction[rows]], person[rows]
                if count:
                    oks[rows] = _by_joints(people, whose, of, sigmas, joints.order[whose, :count])
                else:
                    oks[rows] = _by_box(people, whose, of, sigmas)
            near = oks >= least
            found.append(Pairs(prediction[near], person[near], oks[near]))
    return Pairs(
        np.concatenate([one.prediction for one in found]),
        np.concatenate([one.person for one in found]),
        np.concatenate([one.oks for one in found]),
    )


class _LabelledFirst:
    """The joints of each person with those that are labelled in front, in their order."""

    def __init__(self, labelled: Flags) -> None:
        self.order = np.argsort(~labelled, axis=1, kind="stable")
        self._counts = np.count_nonzero(labelled, axis=1)

    def by_count(self, person: Indices) -> Iterator[tuple[int, Indices]]:
        """Yield how many joints are labelled, and the places among `person` of those with as many."""
        counts = self._counts[person]
        for count in np.unique(counts).tolist():
            yield count, np.flatnonzero(counts == count)


def _by_joints(people: People, person: Indices, predicted: Floats, sigmas: Floats, joints: Indices) -> Floats:
    """Return (P,) OKS over the labelled joints (P, n), all of which have the same n: one row, one sum as NumPy sums."""
    places = np.arange(len(person))[:, None]
    apart = predicted[places, joints] - people.keypoints[person[:, None], joints]
    return _mean_similarity(apart, people.area[person], np.square(sigmas * 2)[joints])


def _by_box(people: People, person: Indices, predicted: Floats, sigmas: Floats) -> Floats:
    """Return (P,) OKS of people without labelled joints: by how far all joints lie beyond a box twice as large."""
    corner, size = people.bbox[person, None, :2], people.bbox[person, None, 2:]
    apart = np.maximum(0, (corner - size) - predicted) + np.maximum(0, predicted - (corner + size * 2))
    return _mean_similarity(apart, people.area[person], np.square(sigmas * 2))


def _mean_similarity(apart: Floats, area: Floats, variances: Floats) -> Floats:
    squares = np.square(apart)
    errors = (squares[..., 0] + squares[..., 1]) / variances / (area[:, None] + np.spacing(1)) / 2
    similarity: Floats = np.exp(-errors).sum(axis=1) / errors.shape[1]
    return similarity
