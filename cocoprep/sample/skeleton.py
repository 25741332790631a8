"""Forward kinematics: from angles and proportions to points and frames in front of a camera.

A body is measured in statures (1 is the height of the standing person). In its own frame x points to its
left, y up and z forward. The camera looks along -z and sees x to the right, y down and z towards itself,
without perspective; a body with yaw 0 faces it, so that its left is on the right of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from cocoprep.sample.pose import LimbAngles, Pose

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SIDES = (("left", 1.0), ("right", -1.0))


@dataclass(frozen=True, slots=True)
class Body:
    """Proportions of a person: lengths in statures, and `build`, the thickness relative to the average."""

    build: float
    head: float
    neck: float
    chest: float
    belly: float
    shoulder: float
    hip: float
    upper_arm: float
    forearm: float
    thigh: float
    shin: float
    foot: float


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Points (3,) by name and frames (3, 3) by part, whose columns are the part's left, up and forward."""

    points: dict[str, Vector]
    frames: dict[str, Matrix]


def random_body(rng: np.random.Generator) -> Body:
    """Draw the proportions of a grown-up, or in one of six cases of a child."""
    child = float(rng.random() < 1 / 6)
    vary = rng.normal(1, 0.05, 11)
    return Body(
        build=float(rng.uniform(0.88, 1.28)),
        head=0.150 * vary[0] * (1 + 0.30 * child),
        neck=0.045 * vary[1],
        chest=0.185 * vary[2],
        belly=0.120 * vary[3],
        shoulder=0.118 * vary[4] * (1 - 0.05 * child),
        hip=0.058 * vary[5],
        upper_arm=0.172 * vary[6] * (1 - 0.08 * child),
        forearm=0.150 * vary[7] * (1 - 0.08 * child),
        thigh=0.240 * vary[8] * (1 - 0.12 * child),
        shin=0.232 * vary[9] * (1 - 0.12 * child),
        foot=0.135 * vary[10],
    )


def rotation(axis: int, angle: float) -> Matrix:
    """Return the (3, 3) matrix that turns by `angle` degrees about the axis 0 (x), 1 (y) or 2 (z)."""
    c, s = cos(radians(angle)), sin(radians(angle))
    turn = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn[i, i] = turn[j, j] = c
    turn[i, j], turn[j, i] = -s, s
    return turn


def _limb_frames(parent: Matrix, limb: LimbAngles, side: float, bend: float) -> tuple[Matrix, Matrix]:
    """Return the frames of the two halves of a limb, whose axis is minus their y."""
    swing = rotation(2, side * limb.abduct) @ rotation(0, -limb.flex) @ rotation(1, -side * limb.inward)
    upper = parent @ swing
    return upper, upper @ rotation(0, bend)


def _down(length: float) -> Vector:
    return np.array([0.0, -length, 0.0])


def _place_trunk(pose: Pose, body: Body, points: dict[str, Vector], frames: dict[str, Matrix]) -> None:
    forward, left, turned = pose.spine
    frames["pelvis"] = np.eye(3)
    for name, share in (("belly", 0.5), ("chest", 1.0)):
        frames[name] = rotation(1, share * turned) @ rotation(2, -share * left) @ rotation(0, share * forward)
    nod, tilt, turn = pose.head
    frames["head"] = frames["chest"] @ rotation(1, turn) @ rotation(2, -tilt) @ rotation(0, nod)
    points["pelvis"] = np.zeros(3)
    points["waist"] = frames["belly"] @ np.array([0, body.belly, 0])
    points["throat"] = points["waist"] + frames["chest"] @ np.array([0, body.chest, 0])
    points["chin"] = points["throat"] + (frames["chest"] + frames["head"]) @ np.array([0, body.neck / 2, 0.006])
    points["skull"] = points["chin"] + frames["head"] @ np.array([0, 0.50 * body.head, 0.10 * body.head])


def _place_face(body: Body, points: dict[str, Vector], frames: dict[str, Matrix]) -> None:
    """Put nose, eyes and ears where a head of `body.head` height has them."""
    spots = {"nose": (0.0, -0.06, 0.49)}
    for side, sign in SIDES:
        spots[f"{side}_eye"] = (0.165 * sign, 0.06, 0.385)
        spots[f"{side}_ear"] = (0.415 * sign, -0.03, -0.03)
    for name, spot in spots.items():
        points[name] = points["skull"] + body.head * (frames["head"] @ np.array(spot))


def _place_arms(pose: Pose, body: Body, points: dict[str, Vector], frames: dict[str, Matrix]) -> None:
    for (side, sign), arm in zip(SIDES, pose.arms, strict=True):
        # A raised arm lifts its shoulder.
        lift = 0.035 * (1 - cos(radians(max(abs(arm.flex), abs(arm.abduct))))) / 2
        root = np.array([sign * body.shoulder, lift - 0.035, 0])
        upper, lower = _limb_frames(frames["chest"], arm, sign, -arm.bend)
        frames[f"{side}_upper_arm"], frames[f"{side}_forearm"] = upper, lower
        points[f"{side}_shoulder"] = points["throat"] + frames["chest"] @ root
        points[f"{side}_elbow"] = points[f"{side}_shoulder"] + upper @ _down(body.upper_arm)
        points[f"{side}_wrist"] = points[f"{side}_elbow"] + lower @ _down(body.forearm)
        points[f"{side}_hand"] = points[f"{side}_wrist"] + lower @ _down(0.055)


def _place_legs(pose: Pose, body: Body, points: dict[str, Vector], frames: dict[str, Matrix]) -> None:
    for (side, sign), leg in zip(SIDES, pose.legs, strict=True):
        upper, lower = _limb_frames(frames["pelvis"], leg, sign, leg.bend)
        frames[f"{side}_thigh"], frames[f"{side}_shin"] = upper, lower
        points[f"{side}_hip"] = np.array([sign * body.hip, -0.012, 0])
        points[f"{side}_knee"] = points[f"{side}_hip"] + upper @ _down(body.thigh)
        points[f"{side}_ankle"] = points[f"{side}_knee"] + lower @ _down(body.shin)
        points[f"{side}_heel"] = points[f"{side}_ankle"] + lower @ np.array([0, -0.022, -0.018])
        points[f"{side}_toe"] = points[f"{side}_ankle"] + lower @ np.array([0, -0.030, body.foot - 0.045])


def pose_skeleton(pose: Pose, body: Body) -> Skeleton:
    """Return the posed body in camera axes, in statures, its pelvis at the origin."""
    points: dict[str, Vector] = {}
    frames: dict[str, Matrix] = {}
    _place_trunk(pose, body, points, frames)
    _place_face(body, points, frames)
    _place_arms(pose, body, points, frames)
    _place_legs(pose, body, points, frames)
    upright = rotation(0, pose.pitch) @ rotation(1, pose.yaw)
    view = np.diag([1.0, -1.0, 1.0]) @ rotation(2, -pose.roll) @ upright
    return Skeleton(
        points={name: view @ point for name, point in points.items()},
        frames={name: view @ frame for name, frame in frames.items()},
    )
