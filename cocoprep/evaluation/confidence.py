"""From which confidence on a joint is reported: a threshold per joint, chosen on people whose labels are known.

P people, K joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class JointThresholds:
    """Thresholds and what they cost: a joint is reported where its confidence is at least its threshold.

    "Right" means that the joint is labelled. Figures with nothing behind them are NaN.

    Attributes:
        thresholds: (K,).
        precision: (K,) share of the joints reported that are labelled.
        recall: (K,) share of the labelled joints that are reported.
        f1: (K,) harmonic mean of the two.
        labelled: (K,) int64, how many people have the joint labelled.
        people: how many they were chosen on; of a joint, those among whom it was looked for.
        total_precision: over all joints.
        total_recall: over all joints.
        reported: mean number of joints reported a person.
    """

    thresholds: Floats
    precision: Floats
    recall: Floats
    f1: Floats
    labelled: NDArray[np.int64]
    people: int
    total_precision: float
    total_recall: float
    reported: float


def choose_thresholds(
    confidence: ArrayLike, labelled: ArrayLike, looked_for: ArrayLike | None = None
) -> JointThresholds:
    """Choose for each joint the confidence that tells labelled from unlabelled with the highest F1.

    Of equal F1 the higher threshold is taken. A joint that nobody has labelled gets one above all confidences seen.

    Args:
        confidence: (P, K) finite numbers, P at least 1.
        labelled: (P, K) true where the joint is labelled.
        looked_for: (P, K) false where nobody looked for the joint, so that nothing says whether it is there; None
            where all were looked for.
    """
    sure, right = np.asarray(confidence, np.float64), np.asarray(labelled, bool)
    judged = right | (True if looked_for is None else np.asarray(looked_for, bool))
    columns = zip(sure.T, right.T, judged.T, strict=True)
    thresholds = np.array([_best_threshold(column, there, of) for column, there, of in columns])
    out = sure >= thresholds
    hits, shown, there = (out & right).sum(axis=0), (out & judged).sum(axis=0), right.sum(axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: nothing to judge by
        precision, recall, f1 = hits / shown, hits / there, 2 * hits / (shown + there)
        total = np.float64(hits.sum())
        total_precision, total_recall = float(total / shown.sum()), float(total / there.sum())
    people = len(sure)
    return JointThresholds(
        thresholds, precision, recall, f1, there, people, total_precision, total_recall, float(out.sum() / people)
    )


def _best_threshold(confidence: Floats, labelled: NDArray[np.bool_], judged: NDArray[np.bool_]) -> float:
    if not labelled.any():
        return float(np.nextafter(confidence.max(), np.inf))
    confidence, labelled = confidence[judged], labelled[judged]
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    last = np.append(falling[1:] != falling[:-1], True)  # equal confidences are reported together
    hits = np.cumsum(labelled[order])[last]
    shown = np.arange(1, len(falling) + 1)[last]
    return float(falling[last][(hits / (shown + labelled.sum())).argmax()])  # half of F1
