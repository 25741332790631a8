"""Which prediction is of which person."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.oks import oks_of_pairs
from cocoprep.evaluation.pairs import pairs_of
from cocoprep.pose.keypoints import KeypointTable

LOWEST_OKS = 0.1


def match_people(truth: Truth, predictions: Predictions, table: KeypointTable) -> NDArray[np.int64]:
    """Say for each annotation which prediction is of that person.

    Where predictions know the annotation whose box they were made from, that decides; of several the one with the
    highest score. Otherwise an image's predictions take, in order of score, each the free person with the highest
    OKS, if that is at least 0.1 (Ronchi and Perona 2017, "Benchmarking and Error Diagnosis in Multi-Instance Pose
    Estimation"). Of equal scores the earlier line goes first, of equal OKS the earlier annotation is taken.

    Returns:
        (N,) int64 places in `predictions`; -1 where nobody predicted the person, and where the person does not count.
    """
    if predictions.annotation_ids is not None:
        return _by_annotation(truth, predictions, predictions.annotation_ids)
    return _by_similarity(truth, predictions, table)


def _by_annotation(truth: Truth, predictions: Predictions, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    # Worst first, so that the best prediction of an annotation is the one that stays.
    order = np.argsort(-predictions.scores, kind="stable")[::-1]
    place_of = {int(ids[place]): int(place) for place in order}
    counted = zip(truth.annotation_ids.tolist(), truth.counts.tolist(), strict=True)
    return np.array([place_of.get(number, -1) if counts else -1 for number, counts in counted], np.int64)


def _by_similarity(truth: Truth, predictions: Predictions, table: KeypointTable) -> NDArray[np.int64]:
    people = np.flatnonzero(truth.counts)
    order = np.argsort(-predictions.scores, kind="stable")
    matches = np.full(len(truth.annotation_ids), -1, np.int64)
    free = [True] * len(people)  # lists: of a few candidates Python chooses sooner than NumPy
    for ranks, candidates in pairs_of(predictions.image_ids[order], truth.image_ids[people]):
        line, of = order[ranks], people[candidates]
        points, visibility = truth.keypoints[of], truth.visibility[of]
        oks = oks_of_pairs(predictions.keypoints[line], points, visibility, truth.scale_area[of], table.oks_sigmas)
        likely = oks >= LOWEST_OKS
        rank, person, similarity = ranks[likely], candidates[likely].tolist(), oks[likely].tolist()
        starts = np.flatnonzero(np.diff(rank, prepend=-1)).tolist()
        for start, stop in pairwise([*starts, len(rank)]):
            near = [n for n in range(start, stop) if free[person[n]]]
            if near:
                taken = person[max(near, key=similarity.__getitem__)]
                free[taken] = False
                matches[people[taken]] = order[rank[start]]
    return matches
