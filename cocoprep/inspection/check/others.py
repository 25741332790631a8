"""Two people with one set of labels, and joints that lie where another person has the same one."""

from __future__ import annotations

import numpy as np

from cocoprep.inspection.check.finding import Finding
from cocoprep.inspection.check.limbs import joint_excess, limb_excess
from cocoprep.inspection.check.near import pairs_of
from cocoprep.inspection.check.people import Checked
from cocoprep.inspection.check.suspect import SuspectKind
from cocoprep.inspection.data_set import Floats, Ints

_SAME = 0.6  # mean likeness of joints, as of OKS, from which two are one
_LEAST_SHARED = 3  # joints
_MOSTLY = 0.6  # of the labels of the one with fewer, that the other has too
_CLOSE = 1.0  # tolerances: the joint is the other's
_UNEXPECTED = 0.4  # of what is told of a joint alone: here another has the same joint there too


def find_beside(checked: Checked) -> list[Finding]:
    """Find people who have the joints of another on the photograph, all or single ones."""
    strange = np.maximum(joint_excess(checked), _by_joint(checked, limb_excess(checked)))
    found: list[Finding] = []
    for one, other in pairs_of(checked.people.images):
        apart = _apart(checked, one, other)
        found += _duplicates(checked, one, other, apart)
        found += _joints_of_others(checked, one, other, apart, strange)
    return found


def _by_joint(checked: Checked, limbs: Floats) -> Floats:
    """Return (N, K): of each joint the largest excess of a limb that ends in it."""
    found = np.zeros(checked.labelled.shape)
    for limb, ends in enumerate(checked.lengths.limbs.tolist()):
        for k in ends:
            np.maximum(found[:, k], limbs[:, limb], out=found[:, k])
    return found


def _apart(checked: Checked, one: Ints, other: Ints) -> Floats:
    """Return (P, K) how far apart two have each joint, in tolerances of the smaller; inf where one has it not."""
    points, labelled = checked.frame.points, checked.labelled
    tolerance = np.minimum(checked.tolerance[one], checked.tolerance[other])
    there = labelled[one] & labelled[other]
    return np.where(there, np.abs(points[one] - points[other]) / tolerance, np.inf)


def _duplicates(checked: Checked, one: Ints, other: Ints, apart: Floats) -> list[Finding]:
    shared = np.isfinite(apart)
    count = shared.sum(axis=1)
    fewer = np.minimum(checked.labelled[one].sum(axis=1), checked.labelled[other].sum(axis=1))
    alike = np.where(shared, np.exp(-0.5 * np.minimum(apart, 40) ** 2), 0).sum(axis=1) / np.maximum(count, 1)
    same = (alike >= _SAME) & (count >= _LEAST_SHARED) & (count >= _MOSTLY * fewer)
    found = []
    for p in np.flatnonzero(same).tolist():
        a, b = _later(checked, int(one[p]), int(other[p]))
        found.append(
            Finding(
                SuspectKind.DUPLICATE, a, tuple(np.flatnonzero(shared[p]).tolist()),
                1 + 4 * float(alike[p] - _SAME) / (1 - _SAME),
                f"{count[p]} joints lie where those of {checked.people.annotation_ids[b]} do, alike {alike[p]:.2f}", b,
            )
        )  # fmt: skip
    return found


def _later(checked: Checked, a: int, b: int) -> tuple[int, int]:
    """Return two people, first the one to leave out: with fewer labels, or else of the higher number."""
    labels, numbers = checked.people.labelled, checked.people.annotation_ids
    return (a, b) if (labels[a], -numbers[a]) < (labels[b], -numbers[b]) else (b, a)


def _joints_of_others(checked: Checked, one: Ints, other: Ints, apart: Floats, strange: Floats) -> list[Finding]:
    """Find single joints that two people have in one place, and that one of them can hardly have there."""
    close = apart < _CLOSE
    close &= (close.sum(axis=1) <= 0.5 * np.isfinite(apart).sum(axis=1))[:, None]
    found = []
    for p, k in np.argwhere(close & (np.maximum(strange[one], strange[other]) >= _UNEXPECTED)).tolist():
        a, b = int(one[p]), int(other[p])
        if strange[a, k] < strange[b, k]:
            a, b = b, a
        name, number = checked.table.names[k], checked.people.annotation_ids[b]
        why = f"{name} lies on that of {number}, where the other joints hardly have it"
        found.append(Finding(SuspectKind.OTHER, a, (k,), float(strange[a, k]) / _UNEXPECTED, why, b))
    return found
