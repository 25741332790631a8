"""People in frames of their own: centred, upright and of one size, whatever of them is labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.inspection.check.orderly import masked_quantile
from cocoprep.inspection.data_set import Bools, Floats

Complexes = NDArray[np.complex128]

LENGTH_QUANTILE = 0.7  # of a person's limbs: lines of sight shorten limbs, faults lengthen few
_ROUNDS = 6
_UPRIGHT = 0.5  # joints' worth of belief that a body stands upright in the photograph
_STRAY = 0.35  # of the scale: a joint this far from where its axis has it weighs half


@dataclass(frozen=True)
class Frame:
    """N people with K joints in frames of their own.

    Attributes:
        points: (N, K) complex, x + iy in pixels; 0 where not labelled.
        labelled: (N, K) bool.
        scale: (N,) pixels, a robust length of limbs: 1 for a limb that is as long as it mostly is at most.
        own: (N, K) complex: lateral + i down along the body, in scales around the body's middle; 0 where not labelled.
        turn: (N,) complex of length 1: what turns the own frame into the photograph's.
    """

    points: Complexes
    labelled: Bools
    scale: Floats
    own: Complexes
    turn: Complexes


def frame_people(points: Complexes, labelled: Bools, scale: Floats) -> Frame:
    """Return people (N, K) of a scale (N,) in frames of their own.

    All share one axis: how far down the body each joint lies, of the data set's own people. A person's frame is the
    least-squares fit of that axis to the joints, reweighted so that a stray joint counts little. Pulled upright by
    `_UPRIGHT` joints' worth, so that few joints, or joints of one height, have a frame too.
    """
    z = np.where(labelled, points / scale[:, None], 0)
    weight = labelled.astype(np.float64)
    height = _first_heights(z, labelled)
    turn = np.ones(len(z), complex)
    for _ in range(_ROUNDS):
        turn, middle = _fit(z, weight, height)
        own = np.conj(turn)[:, None] * (z - middle[:, None])
        stray = np.hypot(np.abs(own.imag - height), 0.5 * np.abs(own.real)) / _STRAY
        weight = labelled / (1 + stray * stray)
        height = _heights(own.imag, labelled, height)
    return Frame(points, labelled, scale, np.where(labelled, own, 0), turn)


def _first_heights(z: Complexes, labelled: Bools) -> Floats:
    """Return (K,) how far down each joint lies, of people as they stand in the photograph."""
    middle = masked_quantile(z.imag, labelled, 0.5, axis=1)
    return _heights(z.imag - middle[:, None], labelled, np.zeros(z.shape[1]))


def _heights(down: Floats, labelled: Bools, before: Floats) -> Floats:
    found = masked_quantile(down, labelled, 0.5, axis=0)
    found = np.where(np.isnan(found), before, found)
    return np.asarray(found - found.mean())


def _fit(z: Complexes, weight: Floats, height: Floats) -> tuple[Complexes, Complexes]:
    """Return (N,) turn and middle that bring the axis, i times `height`, to the joints with the least squares."""
    total = np.maximum(weight.sum(axis=1), 1e-9)
    at, of_axis = (weight * z).sum(axis=1) / total, (weight @ height) / total
    apart = height[None] - of_axis[:, None]
    lever = (weight * (z - at[:, None]) * np.conj(1j * apart)).sum(axis=1)
    turn = lever + _UPRIGHT * max(float(np.var(height)), 1e-6)
    length = np.abs(turn)
    turn = np.where(length > 0, turn / np.maximum(length, 1e-12), 1)
    return turn, at - turn * 1j * of_axis
