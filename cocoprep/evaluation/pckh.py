"""PCKh as papers on MPII Human Pose print it: at 0.5 Head, Shoulder, Elbow, Wrist, Hip, Knee, Ankle, Total; at 0.1.

Andriluka and others 2014, "2D Human Pose Estimation: New Benchmark and State of the Art Analysis". A joint is right
where it lies within half the size of the head, which the data set states of everybody: 0.6 of the diagonal of the
head's box. The rule is that of the validation set, as lib/dataset/mpii.py of
https://github.com/leoxiaobin/deep-high-resolution-net.pytorch has it, and mmpose: every joint that is labelled counts,
hidden ones too; a part is the mean of its left and its right joint's PCK, Head is the top of the head alone; Total is
over all labelled joints together but pelvis and thorax, the upper neck among them. (MPII's own Matlab code for the test
set takes Head for the mean of top of the head and upper neck.) What HRNet's tables call Mean@0.1 is the total at 0.11:
its code takes number 11 of the thresholds 0, 0.01, 0.02 and so on. mmpose takes number 10, which is 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cocoprep.errors import ConfigError
from cocoprep.evaluation.pck import PckFigures
from cocoprep.pose.joint_map import map_joints
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import named_table

THRESHOLD = 0.5
FINE = (0.1, 0.11)  # the first is mmpose's PCKh@0.1, the other is what HRNet calls so
PARTS = {
    "Head": ("head_top",),
    **{part: (f"left_{part.lower()}", f"right_{part.lower()}") for part in ("Shoulder", "Elbow", "Wrist")},
    **{part: (f"left_{part.lower()}", f"right_{part.lower()}") for part in ("Hip", "Knee", "Ankle")},
}
NOT_COUNTED = ("pelvis", "thorax")


@dataclass(frozen=True)
class Pckh:
    """PCKh, shares from 0 to 1; NaN where no joint is behind one.

    Attributes:
        parts: at 0.5, by name, in the order of `PARTS`.
        total: at 0.5, of all joints but those not counted.
        fine: the same at each of `FINE`.
        joints: how many labelled joints are behind the total.
        people: whose head has a size.
        stated: of them those whose head's size the file states.
    """

    parts: dict[str, float]
    total: float
    joints: int
    people: int
    stated: int
    fine: dict[float, float]


def measure_pckh(head: PckFigures, table: KeypointTable, whole: KeypointTable) -> Pckh | None:
    """Return the papers' figures from PCK by head; None where the people have no such joints.

    Args:
        head: PCK by the size of the head, whose curve has `THRESHOLD` and `FINE`.
        table: the K joints that were scored.
        whole: all joints of the people.
    """
    if not set(_places(whole)).issuperset(name for part in PARTS.values() for name in part):
        return None
    places, curve, counts = _places(table), head.curve, head.curve.joints
    at_half = curve.per_joint[curve.thresholds.index(THRESHOLD)]
    per_joint = {name: float(at_half[k]) for name, k in places.items()}
    parts = {part: float(np.mean([per_joint.get(name, np.nan) for name in names])) for part, names in PARTS.items()}
    left_out = {places[name] for name in NOT_COUNTED if name in places}
    counted = [k for k in range(len(table)) if k not in left_out and counts[k]]
    joints = int(counts[counted].sum())

    def total(threshold: float) -> float:
        at = curve.per_joint[curve.thresholds.index(threshold)]
        return float((at[counted] * counts[counted]).sum()) / joints if joints else float("nan")

    fine = {threshold: total(threshold) for threshold in FINE}
    return Pckh(parts, total(THRESHOLD), joints, head.people, head.stated, fine)


def _places(table: KeypointTable) -> dict[str, int]:
    """Return where MPII's joints are in a table."""
    mpii = named_table("mpii-16")
    try:
        found = map_joints(table, mpii).places
    except ConfigError:  # no joint in common
        return {}
    return {name: place for name, place in zip(mpii.names, found, strict=True) if place is not None}
