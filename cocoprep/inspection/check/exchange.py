"""Left and right exchanged: is a person likelier with mirror partners exchanged, by all others of the data set?

Nothing is known beforehand of how people look. A function of a person's joints that turns its sign where the partners
are exchanged is fitted so that it is positive for the data set's people as they are labelled, by logistic regression:
its value is the logarithm of the odds that this labelling, and not the exchanged one, is the data set's usual one. Few
exchanged people hardly bend it, and each person is judged by a fit without itself.

Mirrored people are people too. So of all products of what turns with the exchange and what does not, only those that a
mirror leaves as they are take part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cocoprep.inspection.check.frame import Frame
from cocoprep.inspection.data_set import Bools, Floats

_MOST_FEATURES, _FEATURES_A_PERSON = 700, 3
_LEAST_PEOPLE = 30
_ROUNDS = 6
_RIDGE = 150.0  # what features of size 1 weigh is believed to be within 0.08; half and twice do as well
_FITTED = 20_000  # people: more do not change the fit
_LARGEST = 2.5  # coordinates, in scales: a stray joint has no more weight


@dataclass(frozen=True)
class _Columns:
    """Columns of values (N,), each with whether a mirror leaves it as it is."""

    values: list[Floats]
    stays: list[bool]

    def add(self, value: Floats, *, stays: bool) -> None:
        self.values.append(value)
        self.stays.append(stays)


def log_odds(frame: Frame, visible: Bools, flip: Sequence[int], joints: Sequence[int]) -> Floats:
    """Return (N,) log odds that partners among `joints` are labelled as the data set's are, not exchanged.

    0 where nothing tells: where none of them is labelled, or there are fewer than `_LEAST_PEOPLE` that have some.

    Args:
        frame: N people.
        visible: (N, K) whether joints are labelled as visible.
        flip: (K,) mirror partners.
        joints: that may be exchanged.
    """
    usable = frame.labelled[:, list(joints)].sum(axis=1) >= 2
    found = np.zeros(len(usable))
    if usable.sum() < _LEAST_PEOPLE:
        return found
    features = _features(frame, visible, flip, joints, usable)
    found[usable] = _fit(features)
    return found


def _features(frame: Frame, visible: Bools, flip: Sequence[int], joints: Sequence[int], usable: Bools) -> Floats:
    """Return (n, F) products of a column that turns its sign with the exchange, and one that does not."""
    turning, others = _columns(frame, visible, flip, joints, usable)
    pairs = [
        (a, b)
        for a in range(len(turning.values))
        for b in range(len(others.values))
        if turning.stays[a] == others.stays[b]
    ]
    most = min(_MOST_FEATURES, _FEATURES_A_PERSON * int(usable.sum()))
    if len(pairs) > most:
        # The sums and the joints of the middle, and of the rest as many as can be, always the same ones.
        chosen = np.random.default_rng(0).permutation(len(pairs))[:most]
        pairs = [pairs[n] for n in sorted(chosen.tolist())]
    found = np.empty((int(usable.sum()), len(pairs)), order="F")
    kept = 0
    for a, b in pairs:
        column = np.multiply(turning.values[a], others.values[b], out=found[:, kept])
        size = float(np.sqrt(column @ column / len(column)))
        if size > 1e-6:
            column /= size
            kept += 1
    return found[:, :kept]


def _columns(
    frame: Frame, visible: Bools, flip: Sequence[int], joints: Sequence[int], usable: Bools
) -> tuple[_Columns, _Columns]:
    """Return what turns its sign where `joints` are exchanged, and what stays as it is."""
    x = np.clip(frame.own.real[usable], -_LARGEST, _LARGEST)
    y = np.clip(frame.own.imag[usable], -_LARGEST, _LARGEST)
    there, seen = frame.labelled[usable].astype(float), visible[usable].astype(float)
    turning, others = _Columns([], []), _Columns([], [])
    others.add(np.ones(len(x)), stays=True)
    for k, partner in enumerate(flip):
        if k == partner:
            others.add(x[:, k], stays=False)
            for value in (y, there, seen):
                others.add(value[:, k], stays=True)
        elif k < partner:
            differences = turning if k in joints else others
            both, alone = there[:, k] * there[:, partner], there[:, k] - there[:, partner]
            of_one_x, of_one_y = x[:, k] + x[:, partner], y[:, k] + y[:, partner]
            differences.add(both * (x[:, k] - x[:, partner]), stays=True)
            differences.add(both * (y[:, k] - y[:, partner]), stays=False)
            differences.add(alone * of_one_x, stays=True)
            differences.add(alone * of_one_y, stays=False)
            differences.add(alone, stays=False)
            differences.add(seen[:, k] - seen[:, partner], stays=False)
            others.add(both * of_one_x, stays=False)
            others.add(both * of_one_y, stays=True)
            others.add(both, stays=True)
            others.add(seen[:, k] + seen[:, partner], stays=True)
            others.add(np.abs(alone) * of_one_x, stays=False)
    return turning, others


def _fit(features: Floats) -> Floats:
    """Return (n,) the value for each of a logistic regression onto 1 of all the others, by ridge."""
    n, width = features.shape
    every = -(-n // _FITTED)
    some = features[::every]
    weights = np.zeros(width)
    # Most of the time goes into the second derivative. It says where to go and how far a person pulls, for which single
    # precision will do; where the fit ends, the first derivative alone decides.
    rough = features.astype(np.float32)
    for _ in range(_ROUNDS):
        share = 1 / (1 + np.exp(np.clip(some @ weights, -30, 30)))  # of the exchanged one
        curve = np.maximum(share * (1 - share), 0.01)
        curved = rough[::every] * np.sqrt(curve, dtype=np.float32)[:, None]
        inverse = np.linalg.inv((curved.T @ curved).astype(np.float64) + _RIDGE * np.eye(width))
        weights += inverse @ (some.T @ share - _RIDGE * weights)
    value = features @ weights
    # Without itself: what it did to the fit is taken out to first order (Cook and Weisberg, 1982).
    share = 1 / (1 + np.exp(np.clip(value, -30, 30)))
    lever = np.einsum("nf,nf->n", rough @ inverse.astype(np.float32), rough).astype(np.float64)
    used = np.arange(n) % every == 0
    value[used] -= (lever * share / np.maximum(1 - lever * share * (1 - share), 0.1))[used]
    return np.asarray(value)
