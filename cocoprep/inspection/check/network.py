"""A network as one more witness: what it is sure of, and the label contradicts.

How far it is to be believed, the data set tells: where it is as sure as here, how often do label and network agree?
It must not have learned from the people that are checked, or it repeats their faults.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.inspection.check.finding import Finding
from cocoprep.inspection.check.people import Checked
from cocoprep.inspection.check.suspect import SuspectKind
from cocoprep.inspection.data_set import Bools, Floats

_NEAR = 1.0  # tolerances: the label is what the network says
_AWAY = 3.0  # tolerances: it is not
_RARE = 0.02  # of labels where it is at least as sure: those that far away are suspected where they are that few
_FEWEST = 50  # people, of whom a share is told
_WINDOW = 0.05  # of people, those nearest in sureness: how often labels are what the network says
_ANYWHERE = 0.02  # density of where a joint is that the network has missed, over that of where it is what it says


@dataclass(frozen=True)
class Predicted:
    """What a network predicts of M people of K joints.

    Attributes:
        annotation_ids: (M,) int64 of whom.
        keypoints: (M, K, 2) float64 pixel indices in the photograph.
        confidence: (M, K) float64, how sure of each joint.
    """

    annotation_ids: NDArray[np.int64]
    keypoints: Floats
    confidence: Floats


@dataclass(frozen=True)
class Said:
    """What a network says of the N people that are checked.

    Attributes:
        points: (N, K) complex, x + iy in pixels.
        confidence: (N, K), -inf where it says nothing.
        right: (N, K) from 0 to 1, how often labels agree where it is as sure; 0 where it says nothing.
    """

    points: NDArray[np.complex128]
    confidence: Floats
    right: Floats

    def log_odds(self, checked: Checked, joints: Sequence[int]) -> Floats:
        """Return (N,) log odds that partners among `joints` are labelled as they are, not exchanged; 0: nothing told.

        A label lies about what the network says, as often as it is right, or anywhere.
        """
        flip = list(checked.table.flip_index)
        both = checked.labelled[:, joints] & checked.labelled[:, flip][:, joints]
        own, other = (
            np.abs(self.points - points)[:, joints] / checked.tolerance[:, joints]
            for points in (checked.frame.points, checked.frame.points[:, flip])
        )
        right = self.right[:, joints]
        usual, exchanged = (
            np.log(right * np.exp(-0.5 * apart * apart) + (1 - right) * _ANYWHERE) for apart in (own, other)
        )
        return np.asarray(np.where(both & (right > 0), usual - exchanged, 0).sum(axis=1))


def said_of(checked: Checked, predicted: Predicted) -> Said | None:
    """Return what a network says of those that are checked; None where it says nothing of any."""
    order = np.argsort(predicted.annotation_ids, kind="stable")
    ids = predicted.annotation_ids[order]
    if not len(ids):
        return None
    place = np.searchsorted(ids, checked.people.annotation_ids).clip(0, len(ids) - 1)
    known = ids[place] == checked.people.annotation_ids
    said = predicted.keypoints[order[place]]
    points = said[..., 0] + 1j * said[..., 1]
    confidence = np.where(known[:, None], predicted.confidence[order[place]], -np.inf)
    near = np.abs(points - checked.frame.points) < _NEAR * checked.tolerance
    right = _agreeing(confidence, near, checked.labelled & known[:, None])
    return Said(points, confidence, right)


def find_elsewhere(checked: Checked, said: Said, exchanged: Collection[int]) -> list[Finding]:
    """Find joints of which a network is sure elsewhere, of people who are not suspected to be exchanged anyway."""
    there = checked.labelled & np.isfinite(said.confidence)
    own = np.where(there, np.abs(said.points - checked.frame.points) / checked.tolerance, 0)
    away = own >= _AWAY
    share = _share_at_least_as_sure(said.confidence, away, there)
    odds = np.where(away, np.log(_RARE / share), -np.inf)
    return [
        _elsewhere(checked, n, own[n], odds[n])
        for n in np.flatnonzero(odds.max(axis=1, initial=-np.inf) >= 0).tolist()
        if n not in exchanged
    ]


def _agreeing(confidence: Floats, near: Bools, there: Bools) -> Floats:
    """Return (N, K) how often labels are near what the network says, among those of the joint where it is as sure."""
    found = np.zeros(confidence.shape)
    for k in range(confidence.shape[1]):
        people = np.flatnonzero(there[:, k])
        people = people[np.argsort(confidence[people, k], kind="stable")]
        reach = max(round(_WINDOW * len(people) / 2), 5)
        total = np.concatenate([[0], np.cumsum(near[people, k])])
        low = np.clip(np.arange(len(people)) - reach, 0, None)
        high = np.clip(np.arange(len(people)) + reach + 1, None, len(people))
        found[people, k] = (total[high] - total[low] + 0.5) / (high - low + 1)
    return found


def _share_at_least_as_sure(confidence: Floats, away: Bools, there: Bools) -> Floats:
    """Return (N, K) how many others' labels are away, of the joint and where the network is at least as sure."""
    found = np.ones(confidence.shape)
    for k in range(confidence.shape[1]):
        people = np.flatnonzero(there[:, k])
        people = people[np.argsort(-confidence[people, k], kind="stable")]
        among = np.clip(np.arange(len(people)) + 1, min(_FEWEST, len(people)), None)
        others = np.cumsum(away[people, k])[among - 1] - away[people, k]
        found[people, k] = (np.maximum(others, 0) + 0.5) / among
    return found


def _elsewhere(checked: Checked, n: int, own: Floats, odds: Floats) -> Finding:
    joints = np.flatnonzero(odds >= 0)
    joints = joints[np.argsort(-odds[joints], kind="stable")]
    name = checked.table.names[joints[0]]
    more = f", and {len(joints) - 1} more" if len(joints) > 1 else ""
    why = f"the network is sure of {name} {own[joints[0]]:.0f} tolerances from its label{more}"
    return Finding(SuspectKind.NETWORK, n, tuple(joints.tolist()), 1 + float(odds[joints[0]]) / 3, why)
