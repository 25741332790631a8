"""PCK, the percentage of correct keypoints.

A labelled joint is right where it lies within t * max(bbox width, height) of the truth; figures are micro-averaged
over labelled joints. N people, K joints, T thresholds; points are (x, y).
Source: Yang and Ramanan 2013, "Articulated Human Detection with Flexible Mixtures of Parts", with boxes as annotated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

THRESHOLDS = (0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, slots=True)
class Pck:
    """PCK at each threshold (T,), in total and per joint (T, K), and how many joints stand behind it (K,).

    A figure without a joint behind it is NaN.
    """

    thresholds: tuple[float, ...]
    total: NDArray[np.float64]
    per_joint: NDArray[np.float64]
    joints: NDArray[np.int64]


def longer_side(bbox_xywh: ArrayLike) -> NDArray[np.float64]:
    """Return (N,) the longer sides of boxes (N, 4), x, y, width, height: the unit of PCK by box."""
    sides: NDArray[np.float64] = np.asarray(bbox_xywh, np.float64)[:, 2:].max(axis=-1)
    return sides


def pck(
    predicted: ArrayLike,
    truth: ArrayLike,
    labelled: ArrayLike,
    *,
    unit: ArrayLike,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Pck:
    """Score predicted joints.

    Args:
        predicted: (N, K, 2) points.
        truth: (N, K, 2) points of the same frame.
        labelled: (N, K) true where the joint counts.
        unit: (N,) what a threshold is a fraction of, in the same frame: see `longer_side`.
        thresholds: (T,) fractions of that unit.
    """
    counts = np.asarray(labelled, bool)
    distance = np.linalg.norm(np.asarray(predicted, np.float64) - np.asarray(truth, np.float64), axis=-1)
    units = np.asarray(unit, np.float64)[:, None]
    right = np.stack([(distance <= t * units) & counts for t in thresholds])
    joints = counts.sum(axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: no joint, no figure
        total = right.sum(axis=(1, 2)) / np.float64(joints.sum())
        per_joint = right.sum(axis=1) / joints
    return Pck(tuple(thresholds), total, per_joint, joints)
