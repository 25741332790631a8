"""PCK, the percentage of correct keypoints, and its area under the curve.

A labelled joint is right where it lies within a threshold times a unit of the truth; figures are micro-averaged over
labelled joints. The unit is the longer side of the person's box (Yang and Ramanan 2013, "Articulated Human Detection
with Flexible Mixtures of Parts", with boxes as annotated), or the length of the torso (Sapp and Taskar 2013, "MODEC"),
or the size of the head (PCKh of Andriluka et al. 2014: as the file states it, else as the joints of the head show it).
N people, K joints, T thresholds; points are (x, y).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.pose.affine import distances
from cocoprep.pose.boxes import longer_side
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import Noun

PCK_THRESHOLDS = (0.05, 0.1, 0.2, 0.5)
UNITS = ("box", "torso", "head")
CURVE = tuple(step / 200 for step in range(101))  # 0, 0.005 ... 0.5: where the curve is drawn, and its area taken
PEOPLE_AT_ONCE = 4096  # so that a large data set takes no more memory than a small one

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pck:
    """PCK at each threshold (T,), in total and per joint (T, K), and how many joints stand behind it (K,).

    A figure without a joint behind it is NaN.
    """

    thresholds: tuple[float, ...]
    total: NDArray[np.float64]
    per_joint: NDArray[np.float64]
    joints: NDArray[np.int64]

    def at(self, some: slice) -> Pck:
        """Return the same at some of the thresholds."""
        return Pck(self.thresholds[some], self.total[some], self.per_joint[some], self.joints)


@dataclass(frozen=True)
class PckFigures:
    """PCK of all people by one unit.

    Attributes:
        unit: box, torso or head.
        pck: at the thresholds asked for.
        auc: area under the curve from 0 to 0.5 by the trapezium rule, over 0.5: a perfect result has 1.
        auc_per_joint: (K,) the same of each joint; NaN where none is behind it.
        curve: PCK at `CURVE`.
        people: whose unit is known.
        without_unit: people whose torso or head is not labelled, or whose box has no size; they are left out.
        stated: of `people` those whose unit the file states: sizes of heads.
    """

    unit: str
    pck: Pck
    auc: float
    auc_per_joint: Floats
    curve: Pck
    people: int
    without_unit: int
    stated: int = 0


def torso_length(keypoints: ArrayLike, labelled: ArrayLike, table: KeypointTable) -> Floats:
    """Return (N,) the mean length of the table's torso: for COCO, of its diagonals, shoulder to the other side's hip.

    Args:
        keypoints: (N, K, 2) points.
        labelled: (N, K) true where the joint is labelled.
        table: names the joints.

    Returns:
        The one length where the other is not labelled; NaN where none is, or the table has no torso.
    """
    at, known = np.asarray(keypoints, np.float64), np.asarray(labelled, bool)
    total, count = np.zeros(len(at)), np.zeros(len(at))
    for ends in table.torso:
        a, b = map(table.names.index, ends)
        both = known[:, a] & known[:, b]
        total += np.where(both, distances(at[:, a], at[:, b]), 0.0)
        count += both
    mean: Floats = np.divide(total, count, out=np.full(len(at), np.nan), where=count > 0)
    return mean


def head_size(keypoints: ArrayLike, labelled: ArrayLike, table: KeypointTable) -> Floats:
    """Return (N,) the longest distance between two labelled joints of the head; NaN where there are no two.

    Args:
        keypoints: (N, K, 2) points.
        labelled: (N, K) true where the joint is labelled.
        table: names the joints: for COCO, nose, eyes and ears.
    """
    head = [table.names.index(name) for name in table.head]
    at, known = np.asarray(keypoints, np.float64)[:, head], np.asarray(labelled, bool)[:, head]
    longest = np.full(len(at), np.nan)
    for a in range(len(head)):
        for b in range(a):
            apart = np.where(known[:, a] & known[:, b], distances(at[:, a], at[:, b]), np.nan)
            longest = np.fmax(longest, apart)
    return longest


def pck(
    predicted: ArrayLike,
    truth: ArrayLike,
    labelled: ArrayLike,
    *,
    unit: ArrayLike,
    thresholds: Sequence[float] = PCK_THRESHOLDS,
) -> Pck:
    """Score predicted joints.

    Args:
        predicted: (N, K, 2) points.
        truth: (N, K, 2) points of the same frame.
        labelled: (N, K) true where the joint counts.
        unit: (N,) what a threshold is a fraction of, in the same frame: see `longer_side`.
        thresholds: (T,) fractions of that unit.
    """
    counts, units = np.asarray(labelled, bool), np.asarray(unit, np.float64)
    found, true = np.asarray(predicted), np.asarray(truth)
    right = np.zeros((len(thresholds), counts.shape[1]), np.int64)
    for start in range(0, len(counts), PEOPLE_AT_ONCE):
        some = slice(start, start + PEOPLE_AT_ONCE)
        with np.errstate(over="ignore"):  # farther than any number is wrong too
            distance = np.linalg.norm(found[some].astype(np.float64) - true[some].astype(np.float64), axis=-1)
        right += _count_right(distance, units[some], counts[some], np.array(thresholds, np.float64))
    joints = counts.sum(axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: no joint, no figure
        total = right.sum(axis=1) / np.float64(joints.sum())
        per_joint = right / joints
    return Pck(tuple(thresholds), total, per_joint, joints)


def _count_right(distance: Floats, unit: Floats, labelled: NDArray[np.bool_], thresholds: Floats) -> NDArray[np.int64]:
    """Return (T, K) how many labelled joints (N, K) lie within each threshold times the unit (N,)."""
    order = np.argsort(thresholds)
    rising, most = thresholds[order], len(thresholds)
    person, joint = np.nonzero(labelled)
    apart, units = distance[person, joint], unit[person]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # The place of the first threshold that a joint is within, found once for all; a quotient is rounded in another
        # way than the product by which a joint is right, so the neighbours are looked at.
        first = np.searchsorted(rising, apart / units)
        while (before := (first > 0) & (apart <= rising[first - 1] * units)).any():
            first -= before
        while (beyond := (first < most) & ~(apart <= rising[np.minimum(first, most - 1)] * units)).any():
            first += beyond
    joints = labelled.shape[1]
    by_first = np.bincount(first * joints + joint, minlength=(most + 1) * joints).reshape(most + 1, joints)
    right = np.empty((most, joints), np.int64)
    right[order] = by_first[:most].cumsum(axis=0)
    return right


def auc(thresholds: Sequence[float], values: ArrayLike) -> Floats:
    """Return the area under values (T, ...) at rising thresholds (T,) by the trapezium rule, over their range."""
    steps = np.diff(np.asarray(thresholds, np.float64))
    heights = np.asarray(values, np.float64)
    area: Floats = np.tensordot(steps, (heights[1:] + heights[:-1]) / 2, axes=1) / steps.sum()
    return area


def pck_by_unit(
    unit: str,
    predicted: Floats,
    truth: Floats,
    labelled: NDArray[np.bool_],
    *,
    lengths: Floats,
    thresholds: Sequence[float] = PCK_THRESHOLDS,
) -> PckFigures:
    """Score people by one unit.

    Args:
        unit: its name.
        predicted: (N, K, 2) points; infinite for a person nobody predicted, whose joints then are all wrong.
        truth: (N, K, 2) points of the same frame.
        labelled: (N, K) true where the joint counts.
        lengths: (N,) the unit of each person; a person whose unit is NaN or not positive is left out.
        thresholds: fractions of the unit.
    """
    known = np.isfinite(lengths) & (lengths > 0)
    both = pck(
        predicted[known], truth[known], labelled[known], unit=lengths[known], thresholds=(*thresholds, *CURVE)
    )  # fmt: skip
    figures, curve = both.at(slice(len(thresholds))), both.at(slice(len(thresholds), None))
    area = auc(CURVE, np.column_stack([curve.total, curve.per_joint]))
    return PckFigures(unit, figures, float(area[0]), area[1:], curve, int(known.sum()), int((~known).sum()))


def measure_pck(
    truth: Truth,
    predictions: Predictions,
    matches: NDArray[np.int64],
    table: KeypointTable,
    *,
    thresholds: Sequence[float] = PCK_THRESHOLDS,
) -> dict[str, PckFigures]:
    """Score every counting person by each of `UNITS`; `matches` is of `match_people`.

    The units are of all joints of the person, also where only some are scored.
    """
    counts = truth.counts
    at, labelled = truth.keypoints[counts], truth.visibility[counts] > 0
    predicted = matched_keypoints(predictions, matches[counts])
    lengths = unit_lengths(truth, table)
    found = {
        unit: pck_by_unit(unit, predicted, at, labelled, lengths=lengths[unit][counts], thresholds=thresholds)
        for unit in UNITS
    }
    if truth.head_size is not None:
        found["head"] = replace(found["head"], stated=int(np.isfinite(truth.head_size[counts]).sum()))
    return found


def head_sizes(stated: int, people: int, noun: Noun) -> str:
    """Return in words whose size of the head is the file's and whose that of the joints."""
    if not stated:
        return "PCKh by the joints of the head, since the file states no head sizes: not those of MPII's papers"
    if stated == people:
        return "PCKh by the head sizes of the file"
    return (
        f"PCKh by the head sizes of the file for {noun.count(stated)}, by the joints of the head for {people - stated}"
    )


def unit_lengths(truth: Truth, table: KeypointTable) -> dict[str, Floats]:
    """Return (N,) each of `UNITS` of every person, in image pixels; NaN where it is not known.

    `table` is that of the truth, or of the truth's joints in other words.
    """
    whole, joints = (truth, table) if truth.whole is None else (truth.whole, truth.whole.table)
    labelled = whole.visibility > 0
    heads = head_size(whole.keypoints, labelled, joints)
    if truth.head_size is not None:
        heads = np.where(np.isfinite(truth.head_size), truth.head_size, heads)
    return {
        "box": longer_side(whole.bbox),
        "torso": torso_length(whole.keypoints, labelled, joints),
        "head": heads,
    }


def matched_keypoints(predictions: Predictions, matches: NDArray[np.int64]) -> Floats:
    """Return (N, K, 2) the points predicted for each person; infinite where nobody predicted the person."""
    points = np.full((len(matches), *predictions.keypoints.shape[1:]), np.inf)
    found = matches >= 0
    points[found] = predictions.keypoints[matches[found]]
    return points
