"""Where the figure has the joints of a keypoint table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.errors import ConfigError
from cocoprep.pose.joint_names import name_key
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17, named_table, table_names
from cocoprep.sample.skeleton import Body, Skeleton

_CROWN = "crown"  # the top of the head, which is no point of the skeleton

# By what a joint is called without its side: the figure's point; how far, in statures, the surface before a joint may
# be from the joint that still counts as its own; and how often annotators leave a hidden one out.
_PLACES = {
    "nose": ("nose", 0.012, 0.85),
    "eye": ("eye", 0.014, 0.85),
    "ear": ("ear", 0.024, 0.6),
    "shoulder": ("shoulder", 0.070, 0.5),
    "elbow": ("elbow", 0.052, 0.5),
    "wrist": ("wrist", 0.042, 0.5),
    "hip": ("hip", 0.105, 0.5),
    "knee": ("knee", 0.068, 0.5),
    "ankle": ("ankle", 0.056, 0.5),
    "finger": ("hand", 0.040, 0.5),
    "toe": ("toe", 0.045, 0.5),
    "head": (_CROWN, 0.040, 0.5),
    "head_top": (_CROWN, 0.040, 0.5),
    "head_bottom": ("chin", 0.070, 0.5),
    "upper_neck": ("chin", 0.070, 0.5),
    "neck": ("throat", 0.075, 0.5),
    "thorax": ("throat", 0.075, 0.5),
    "pelvis": ("pelvis", 0.105, 0.5),
}
_PAIRED = {"eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "finger", "toe"}


@dataclass(frozen=True, slots=True)
class FigureJoint:
    """One joint: the skeleton's `point`, its `reach` in statures, and the share `skipped` where it is hidden."""

    point: str
    reach: float
    skipped: float


FigureJoints = tuple[FigureJoint, ...]


def figure_joints(table: KeypointTable) -> FigureJoints:
    """Return where the figure has a table's K joints.

    Raises:
        ConfigError: it does not have them all; names one, and the tables that can be drawn.
    """
    joints = [_joint(name) for name in table.names]
    lacking = [name for name, joint in zip(table.names, joints, strict=True) if joint is None]
    if lacking:
        drawn = [name for name in table_names() if all(map(_joint, named_table(name).names))]
        raise ConfigError(
            f"--keypoints: {len(lacking)} of the {len(table)} joints of {table.name:.100} are none of the drawn "
            f"figure's, such as {lacking[0]!r:.100}. Expected one of {', '.join(drawn)}, or other joints of theirs."
        )
    return tuple(joint for joint in joints if joint is not None)


def joint_points(joints: FigureJoints, skeleton: Skeleton, body: Body) -> NDArray[np.float64]:
    """Return (K, 3) where a posed body has its joints, in the skeleton's frame."""
    crown = skeleton.points["skull"] + 0.5 * body.head * skeleton.frames["head"][:, 1]
    return np.array([crown if joint.point == _CROWN else skeleton.points[joint.point] for joint in joints])


def _joint(name: str) -> FigureJoint | None:
    side, shared = name_key(name)
    if shared not in _PLACES or (side == "centre") == (shared in _PAIRED):
        return None
    point, reach, skipped = _PLACES[shared]
    return FigureJoint(point if side == "centre" else f"{side}_{point}", reach, skipped)


COCO_JOINTS = figure_joints(COCO_17)
