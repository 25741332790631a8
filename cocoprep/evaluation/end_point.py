"""The end-point error: how far predicted joints lie from labelled ones. N people, K joints; points are (x, y)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.pose.affine import distances
from cocoprep.pose.boxes import longer_side

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EndPointErrors:
    """How far from the truth the labelled joints of predicted people lie. NaN where there is none.

    Attributes:
        mean_px: in image pixels.
        median_px: in image pixels.
        mean_px_per_joint: (K,).
        median_px_per_joint: (K,).
        mean_of_box: as a fraction of the longer side of the person's box; boxes without a size left out.
        median_of_box: the same.
        joints: (K,) how many stand behind each.
        people: predicted.
        undetected: people whom nobody predicted; none of their joints is in here.
    """

    mean_px: float
    median_px: float
    mean_px_per_joint: Floats
    median_px_per_joint: Floats
    mean_of_box: float
    median_of_box: float
    joints: NDArray[np.int64]
    people: int
    undetected: int


def end_point_errors(
    predicted: ArrayLike, truth: ArrayLike, labelled: ArrayLike, *, sides: ArrayLike, undetected: int = 0
) -> EndPointErrors:
    """Measure how far predicted joints lie from the truth.

    Args:
        predicted: (N, K, 2) points of people who were predicted.
        truth: (N, K, 2) points of the same frame, image pixels.
        labelled: (N, K) true where the joint counts.
        sides: (N,) the longer sides of the people's boxes.
        undetected: how many people were not found, to be told beside.
    """
    counts = np.asarray(labelled, bool)
    distance = distances(predicted, truth)
    units = np.broadcast_to(np.asarray(sides, np.float64)[:, None], distance.shape)
    of_box = distance[counts & (units > 0)] / units[counts & (units > 0)]
    columns = [column[of_joint] for column, of_joint in zip(distance.T, counts.T, strict=True)]
    return EndPointErrors(
        mean_px=_mean(distance[counts]),
        median_px=_median(distance[counts]),
        mean_px_per_joint=np.array([_mean(column) for column in columns]),
        median_px_per_joint=np.array([_median(column) for column in columns]),
        mean_of_box=_mean(of_box),
        median_of_box=_median(of_box),
        joints=counts.sum(axis=0),
        people=len(distance),
        undetected=undetected,
    )


def measure_end_point_errors(truth: Truth, predictions: Predictions, matches: NDArray[np.int64]) -> EndPointErrors:
    """Measure the end-point error of every counting person who was predicted; `matches` is of `match_people`."""
    found = truth.counts & (matches >= 0)
    return end_point_errors(
        predictions.keypoints[matches[found]],
        truth.keypoints[found],
        truth.visibility[found] > 0,
        sides=longer_side(truth.bbox[found]),
        undetected=int((truth.counts & ~found).sum()),
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else float("nan")
