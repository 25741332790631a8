"""Limbs of impossible length, joints far off their own, and whole poses unlike any other."""

from __future__ import annotations

import numpy as np

from cocoprep.inspection.check.finding import Finding
from cocoprep.inspection.check.orderly import masked_quantile, middle_and_reach
from cocoprep.inspection.check.people import Checked
from cocoprep.inspection.check.suspect import SuspectKind
from cocoprep.inspection.data_set import Floats

_REACHES = 1.8  # of a limb's own spread above its full length, that is taken for sound
_LEAST = 0.2  # as a logarithm: 1.2 times its full length is never told
_FEW_LIMBS = 0.25  # more for a person of whose limbs few are seen, by their number
_FAR = 8.0  # standard deviations from where the other joints have it
_POSE_REACHES = 3.2
_SEVERAL = 3  # limbs: where no joint is in all of them, it is the pose


def limb_excess(checked: Checked) -> Floats:
    """Return (N, L): by how much limbs are too long; 1 where it is just told, 0 or less where they are not."""
    lengths = checked.lengths
    if not lengths.there.size:
        return np.zeros(lengths.there.shape)
    _, reach = middle_and_reach(lengths.logs - np.log(lengths.scale)[:, None], lengths.there, 0.95)
    sound = np.maximum(_REACHES * np.nan_to_num(reach), _LEAST)[None]
    sound = sound + _FEW_LIMBS / np.maximum(lengths.count, 1)[:, None]
    return np.where(lengths.there, lengths.over / sound, 0)


def joint_excess(checked: Checked) -> Floats:
    """Return (N, K): by how much joints are far off; 1 where it is just told."""
    return np.nan_to_num(checked.surprise.joints) / _FAR


def find_in_limbs(checked: Checked) -> list[Finding]:
    """Find people with a limb that is too long, a joint that is far off, or a pose that is out of all bounds."""
    limbs, joints, poses = limb_excess(checked), joint_excess(checked), _pose_excess(checked)
    found: list[Finding] = []
    told = (limbs >= 1).any(axis=1) | (joints >= 1).any(axis=1) | (poses >= 1)
    for n in np.flatnonzero(told).tolist():
        finding = _of_limbs(checked, n, limbs[n], joints[n]) or _of_joint(checked, n, joints[n])
        found.append(finding or _of_pose(n, float(poses[n]), checked))
    return found


def _of_limbs(checked: Checked, n: int, excess: Floats, joints: Floats) -> Finding | None:
    long = np.flatnonzero(excess >= 1)
    if not len(long):
        return None
    ends = checked.lengths.limbs[long]
    shared, often = np.unique(ends, return_counts=True)
    worst = long[int(np.argmax(excess[long]))]
    names, (a, b) = checked.table.names, checked.lengths.limbs[worst].tolist()
    if len(long) >= _SEVERAL and often.max() < len(long):
        return Finding(
            SuspectKind.POSE, n, tuple(shared.tolist()), float(excess[long].mean()),
            f"{len(long)} limbs are longer than such limbs are, without a joint in common",
        )  # fmt: skip
    times = float(np.exp(checked.lengths.over[n, worst]))
    first = (a, b) if (often[shared == a], joints[a]) >= (often[shared == b], joints[b]) else (b, a)
    return Finding(
        SuspectKind.LIMB, n, first, float(excess[worst]),
        f"{names[a]} to {names[b]} is {times:.1f} times as long as it is at full length",
    )  # fmt: skip


def _of_joint(checked: Checked, n: int, excess: Floats) -> Finding | None:
    worst = int(np.argmax(excess))
    if excess[worst] < 1:
        return None
    why = f"{checked.table.names[worst]} is {excess[worst] * _FAR:.0f} deviations from where the other joints have it"
    return Finding(SuspectKind.FAR, n, (worst,), float(excess[worst]), why)


def _pose_excess(checked: Checked) -> Floats:
    poses, there = checked.surprise.poses, np.isfinite(checked.surprise.poses)
    if not there.any():
        return np.zeros(len(poses))
    middle = masked_quantile(poses, there, 0.5, axis=0)
    reach = masked_quantile(poses, there, 0.95, axis=0) - middle
    return np.where(there, (np.nan_to_num(poses) - middle) / np.maximum(_POSE_REACHES * reach, 0.1), 0)


def _of_pose(n: int, excess: float, checked: Checked) -> Finding:
    joints = tuple(np.flatnonzero(checked.labelled[n]).tolist())
    why = f"the pose is {checked.surprise.poses[n]:.1f} deviations a coordinate from the data set's own"
    return Finding(SuspectKind.POSE, n, joints, excess, why)
