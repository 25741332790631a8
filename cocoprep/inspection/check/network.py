"""A network as one more witness: what it is sure of, and the label contradicts.

It must not have learned from the people that are checked, or it repeats their faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.inspection.check.finding import Finding
from cocoprep.inspection.check.orderly import masked_quantile
from cocoprep.inspection.check.parts import exchanged_together
from cocoprep.inspection.check.people import Checked
from cocoprep.inspection.check.suspect import SuspectKind
from cocoprep.inspection.data_set import Bools, Floats

_NEAR = 1.0  # tolerances: the label is what the network says
_AWAY = 3.0  # tolerances: it is not
_SURE_QUANTILE = 0.25  # of how sure it is of a joint where the label agrees
_MOST_COST = 4.5  # of a joint, in half squared tolerances: three tolerances and more are all the same
_EXCHANGED = 6.0  # by which the exchanged labels must cost less, in all: an odds of 400
_AGREES = 1.5  # that the exchanged labels may cost, of each joint in the mean


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


def find_against(checked: Checked, predicted: Predicted) -> list[Finding]:
    """Find people whose labels a network contradicts where it is sure: sides exchanged, or single joints elsewhere."""
    order = np.argsort(predicted.annotation_ids, kind="stable")
    ids = predicted.annotation_ids[order]
    if not len(ids):
        return []
    place = np.searchsorted(ids, checked.people.annotation_ids).clip(0, len(ids) - 1)
    known = ids[place] == checked.people.annotation_ids
    said = predicted.keypoints[order[place]]
    points = said[..., 0] + 1j * said[..., 1]
    confidence = np.where(known[:, None], predicted.confidence[order[place]], -np.inf)
    own = np.abs(points - checked.frame.points) / checked.tolerance
    sure = _sure(confidence, own, checked.labelled & known[:, None])
    exchanged = _find_exchanged(checked, points, own, sure)
    explained = {one.person for one in exchanged}
    away = np.where(sure, own, 0) / _AWAY
    return exchanged + [
        _elsewhere(checked, n, away[n]) for n in np.flatnonzero(away.max(axis=1) >= 1).tolist() if n not in explained
    ]


def _sure(confidence: Floats, apart: Floats, there: Bools) -> Bools:
    """Return (N, K) where a network is as sure as it mostly is of that joint where the label is what it says."""
    least = masked_quantile(np.where(there, confidence, 0), there & (apart < _NEAR), _SURE_QUANTILE, axis=0)
    return np.asarray(there & (confidence >= np.where(np.isnan(least), np.inf, least)))


def _find_exchanged(checked: Checked, points: NDArray[np.complex128], own: Floats, sure: Bools) -> list[Finding]:
    """Find people whose labels fit what the network says once left and right are exchanged."""
    flip = list(checked.table.flip_index)
    other = np.abs(points - checked.frame.points[:, flip]) / checked.tolerance
    both = sure & checked.labelled[:, flip]
    usual, swapped = (np.minimum(0.5 * apart * apart, _MOST_COST) for apart in (own, other))
    best: dict[int, Finding] = {}
    for kind, joints in exchanged_together(checked.table).items():
        part = both[:, joints]
        gain = np.where(part, (usual - swapped)[:, joints], 0).sum(axis=1)
        left = np.where(part, swapped[:, joints], 0).sum(axis=1) / np.maximum(part.sum(axis=1), 1)
        for n in np.flatnonzero((gain >= _EXCHANGED) & (left <= _AGREES)).tolist():
            if n not in best or best[n].excess < gain[n] / _EXCHANGED:
                best[n] = _swapped(n, kind, [k for k in joints if both[n, k]], float(gain[n]))
    return list(best.values())


def _swapped(n: int, kind: SuspectKind, joints: Sequence[int], gain: float) -> Finding:
    why = f"of {len(joints)} joints that the network is sure of, left and right are where it has right and left"
    return Finding(kind, n, tuple(joints), gain / _EXCHANGED, why)


def _elsewhere(checked: Checked, n: int, away: Floats) -> Finding:
    joints = np.flatnonzero(away >= 1)
    joints = joints[np.argsort(-away[joints], kind="stable")]
    name, times = checked.table.names[joints[0]], away[joints[0]] * _AWAY
    more = f", and {len(joints) - 1} more" if len(joints) > 1 else ""
    why = f"the network is sure of {name} {times:.0f} tolerances from its label{more}"
    return Finding(SuspectKind.NETWORK, n, tuple(joints.tolist()), float(away[joints[0]]), why)
