"""Where each joint of a person is expected by the person's others: a Gaussian of the data set's own people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cocoprep.inspection.check.frame import Frame
from cocoprep.inspection.data_set import Bools, Floats, Ints

MOST_JOINTS = 40  # of a table, that are compared: the time grows by the cube
_TOGETHER = 1 << 10  # people
_SHRUNK = 0.05  # of the covariance, to its diagonal
_LARGEST = 2.5  # scales: a stray joint bends the covariance no more than this
_LEAST_SPREAD = 0.03  # scales


@dataclass(frozen=True)
class Surprise:
    """How unexpected N people are.

    Attributes:
        joints: (N, K) Mahalanobis distance of a joint from where the others have it; NaN where it is not labelled, or
            not among those compared, or the only one.
        poses: (N,) root of the mean square of the Mahalanobis distance of the whole, by coordinate; NaN for fewer than
            two joints.
    """

    joints: Floats
    poses: Floats


def compared_joints(count: int) -> Ints:
    """Return which of K joints are compared: all, or `MOST_JOINTS` evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_JOINTS)).round().astype(np.int64))


def surprise(frame: Frame, flip: Sequence[int]) -> Surprise:
    """Return how unexpected people are, by the mean and covariance of all, and of all mirrored."""
    places = compared_joints(frame.labelled.shape[1])
    there = frame.labelled[:, places]
    values = np.stack([frame.own.real[:, places], frame.own.imag[:, places]], axis=2)
    kept = np.isin(np.asarray(flip)[places], places)
    partners = np.where(kept, np.searchsorted(places, np.asarray(flip)[places]).clip(0, len(places) - 1), -1)
    mean, covariance = _moments(values, there, partners)
    joints = np.full(frame.labelled.shape, np.nan)
    poses = np.full(len(there), np.nan)
    for start in range(0, len(there), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        joints[part, places], poses[part] = _distances(values[part] - mean, there[part], covariance)
    return Surprise(joints, poses)


def _moments(values: Floats, there: Bools, partners: Ints) -> tuple[Floats, Floats]:
    """Return mean (k, 2) and covariance (2k, 2k) of coordinates (N, k, 2), each of those people that have both."""
    values = np.clip(values, -_LARGEST, _LARGEST)
    paired = np.where(partners >= 0, partners, np.arange(len(partners)))
    mirrored, there_too = values[:, paired] * [-1, 1], there[:, paired]
    values, there = np.concatenate([values, mirrored]), np.concatenate([there, there_too])
    weight = there.astype(np.float64)
    mean = (values * weight[..., None]).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)[:, None]
    flat = ((values - mean) * weight[..., None]).reshape(len(values), 2 * len(mean))
    both = np.repeat(weight, 2, axis=1)
    count = both.T @ both
    covariance = (flat.T @ flat) / np.maximum(count, 1)
    diagonal = np.maximum(np.diag(covariance), _LEAST_SPREAD**2)
    covariance = (1 - _SHRUNK) * covariance + _SHRUNK * np.diag(diagonal)
    # Made of different people each, it may be no covariance at all.
    size, axes = np.linalg.eigh(covariance)
    return mean, (axes * np.maximum(size, _SHRUNK * _LEAST_SPREAD)) @ axes.T


def _distances(apart: Floats, there: Bools, covariance: Floats) -> tuple[Floats, Floats]:
    """Return (n, k) and (n,) as `Surprise`, of people (n, k, 2) around the mean."""
    both = np.repeat(there, 2, axis=1)
    own = np.where(both[:, :, None] & both[:, None], covariance, np.eye(len(covariance)))
    inverse = np.linalg.inv(own)
    flat = np.where(both, apart.reshape(len(apart), -1), 0)
    pull = np.einsum("nij,nj->ni", inverse, flat)
    count = there.sum(axis=1)
    whole = np.sqrt(np.maximum((pull * flat).sum(axis=1), 0) / np.maximum(2 * count, 1))
    k = np.arange(there.shape[1])
    # Of the inverse, a joint's own block is the inverse of its covariance given the others.
    a, b, d = inverse[:, 2 * k, 2 * k], inverse[:, 2 * k, 2 * k + 1], inverse[:, 2 * k + 1, 2 * k + 1]
    p, q = pull[:, 0::2], pull[:, 1::2]
    squared = (d * p * p - 2 * b * p * q + a * q * q) / np.maximum(a * d - b * b, 1e-12)
    alone = count < 2
    joints = np.where(there & ~alone[:, None], np.sqrt(np.maximum(squared, 0)), np.nan)
    return joints, np.where(alone, np.nan, whole)
