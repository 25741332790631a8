"""Boxes that do not belong to the joints, and joints said to be visible where nothing can be seen."""

from __future__ import annotations

import numpy as np

from cocoprep.inspection.check.finding import Finding
from cocoprep.inspection.check.orderly import masked_quantile
from cocoprep.inspection.check.people import OFF_PX, Checked, at_corner, outside_px
from cocoprep.inspection.check.suspect import SuspectKind
from cocoprep.inspection.data_set import Bools, Floats

_SLACK = 0.1  # of a box's longer side, by which joints may lie outside of it
_OUTSIDE = 0.5  # of a person's joints
_SEVERAL = 6  # joints, from which the size of the box is held against that of the body
_REACHES = 5.0
_OFF_SHARE = 0.1  # outside of a photograph, of the person's scale: what is much
_MOST_EXCESS = 4.0


def find_boxes(checked: Checked) -> list[Finding]:
    """Find boxes that most joints lie outside of, and boxes of quite another size than the body."""
    people, labelled = checked.people, checked.labelled
    boxed = np.asarray((people.bbox[:, 2:] > 0).all(axis=1))
    outside = _outside(checked)
    share = outside.sum(axis=1) / np.maximum(labelled.sum(axis=1), 1)
    excess, times = _size_excess(checked, boxed)
    found = []
    for n in np.flatnonzero(boxed & ((share >= _OUTSIDE) | (excess >= 1))).tolist():
        if share[n] >= _OUTSIDE:
            count, all_of = int(outside[n].sum()), int(labelled[n].sum())
            sure = 1 + 2 * float(share[n] - _OUTSIDE) / (1 - _OUTSIDE) + 0.5 * min(np.log2(all_of), 3)
            why = f"{count} of {all_of} labelled joints lie outside of the box"
        else:
            sure, why = float(excess[n]), f"the side of the box is {times[n]:.1f} times what the limbs suggest"
        found.append(Finding(SuspectKind.BOX, n, tuple(np.flatnonzero(outside[n]).tolist()), sure, why))
    return found


def _outside(checked: Checked) -> Bools:
    """Return (N, K) which labelled joints lie outside of the box."""
    x, y, w, h = np.moveaxis(checked.people.bbox[:, :, None], 1, 0)
    slack = _SLACK * np.maximum(w, h) + OFF_PX
    at = checked.frame.points
    held = (at.real >= x - slack) & (at.real <= x + w + slack) & (at.imag >= y - slack) & (at.imag <= y + h + slack)
    return np.asarray(checked.labelled & ~held)


def _size_excess(checked: Checked, boxed: Bools) -> tuple[Floats, Floats]:
    """Return (N,) by how much boxes are too large or small for the body, and how many times as large they are."""
    people = checked.people
    side = np.sqrt(np.maximum(people.bbox[:, 2] * people.bbox[:, 3], 1e-6))
    log = np.log(side / checked.frame.scale)
    there = boxed & (checked.lengths.count >= _SEVERAL)
    if there.sum() < 20:
        return np.zeros(len(log)), np.ones(len(log))
    middle = float(masked_quantile(log, there, 0.5, axis=0))
    over = log - middle
    above = float(masked_quantile(over, there, 0.84, axis=0))
    below = -float(masked_quantile(over, there, 0.16, axis=0))
    sound = _REACHES * np.maximum(np.where(over > 0, above, below), 0.1)
    return np.where(there, np.abs(over) / sound, 0), np.exp(over)


def find_visibility(checked: Checked) -> list[Finding]:
    """Find joints that are labelled as visible, but lie outside of the photograph, or at its corner (0, 0)."""
    at, people = checked.frame.points, checked.people
    off = outside_px(at, people.sizes)
    outside = checked.visible & (off > OFF_PX)
    corner = checked.labelled & at_corner(at)
    found = []
    for n in np.flatnonzero((outside | corner).any(axis=1)).tolist():
        joints = np.flatnonzero(outside[n] | corner[n])
        first = checked.table.names[joints[0]]
        if outside[n].any():
            farthest = float(off[n][outside[n]].max())
            excess = 1 + min(farthest / (_OFF_SHARE * checked.frame.scale[n]), _MOST_EXCESS)
            why = f"{first} is visible, {farthest:.0f} px outside of the photograph"
        else:
            excess, why = _MOST_EXCESS, f"{first} is labelled at exactly (0, 0)"
        found.append(Finding(SuspectKind.VISIBILITY, n, tuple(joints.tolist()), excess, why))
    return found
