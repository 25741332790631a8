"""Who stands where in an image: how many people, how large, how near to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cocoprep.sample.joints import COCO_JOINTS, FigureJoints
from cocoprep.sample.layer import Layer, draw_person
from cocoprep.sample.outfit import random_outfit
from cocoprep.sample.pose import random_pose
from cocoprep.sample.skeleton import pose_skeleton, random_body

_PEOPLE_SHARES = (0.34, 0.28, 0.19, 0.12, 0.07)  # one to five, 2.3 on average

_PORTRAIT_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Spot:
    """A place for one person, in image pixels: `x` of its middle, `foot` of its lowest point, its stature."""

    x: float
    foot: float
    stature_px: float


@dataclass(frozen=True, slots=True)
class Ground:
    """The stage of one image: (width, height), the horizon's row, and the camera's height in statures.

    From a camera at 0.9 statures everyone's neck is at the horizon: the larger, the nearer, and the lower
    the feet.
    """

    size: tuple[int, int]
    horizon: int
    camera: float
    light: tuple[float, float, float]


def random_ground(rng: np.random.Generator, size: tuple[int, int]) -> Ground:
    """Draw horizon, camera height and the direction from which light comes."""
    light = np.array([rng.choice((-1, 1)) * rng.uniform(0.15, 0.6), -rng.uniform(0.45, 0.75), rng.uniform(0.5, 0.8)])
    x, y, z = (float(v) for v in light / np.linalg.norm(light))
    return Ground(size, int(rng.uniform(0.30, 0.60) * size[1]), float(rng.uniform(0.5, 0.95)), (x, y, z))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def random_spots(rng: np.random.Generator, ground: Ground) -> list[Spot]:
    """Draw one to five places, the farthest first; in some images close together."""
    width, height = ground.size
    largest = min(400.0, 0.95 * height)
    spots: list[Spot] = []
    crowded = rng.random() < 0.25
    for _ in range(1 + int(rng.choice(5, p=_PEOPLE_SHARES))):
        if not spots:
            stature, x = _log_uniform(rng, 150, largest), rng.uniform(0.1, 0.9) * width
        elif crowded:
            near = spots[int(rng.integers(len(spots)))]
            stature = near.stature_px * rng.uniform(0.8, 1.2)
            x = near.x + rng.choice((-1, 1)) * rng.uniform(0.35, 0.85) * near.stature_px
        else:
            stature, x = _log_uniform(rng, 55, 0.9 * largest), rng.uniform(0.06, 0.94) * width
        stature = min(stature, largest)
        spots.append(_stand(rng, ground, x, stature))
    return sorted(spots, key=lambda spot: spot.stature_px)


def _stand(rng: np.random.Generator, ground: Ground, x: float, stature_px: float) -> Spot:
    foot = ground.horizon + ground.camera * stature_px * rng.normal(1, 0.1)
    return Spot(float(np.clip(x, 0.05 * ground.size[0], 0.95 * ground.size[0])), float(foot), float(stature_px))


def far_spots(rng: np.random.Generator, ground: Ground) -> list[Spot]:
    """Draw places of people too far away for anyone to label their joints; none in most images."""
    if rng.random() < 0.55:
        return []
    count = int(rng.integers(1, 5))
    xs, statures = rng.uniform(0, ground.size[0], count), rng.uniform(13, 24, count)
    return [_stand(rng, ground, x, s) for x, s in zip(xs.tolist(), statures.tolist(), strict=True)]


def draw_random_person(
    rng: np.random.Generator, ground: Ground, spot: Spot, joints: FigureJoints = COCO_JOINTS
) -> Layer | None:
    """Draw a person of random build, pose and clothes at a place; None if nothing of it is in the image."""
    body = random_body(rng)
    skeleton = pose_skeleton(random_pose(rng), body)
    points = np.array(list(skeleton.points.values()))[:, :2] * spot.stature_px
    low, high = points.min(0), points.max(0)
    height = float(high[1] - low[1])
    # Portraits are cut off below the chest or the hips; nobody else has more than half of the body, and nobody
    # who is not upright more than a quarter, below the image.
    upright = skeleton.points["skull"][1] < -0.25
    below = ground.size[1] + float(rng.uniform(-0.1, 0.5 if upright else 0.25)) * height
    portrait = upright and spot.stature_px > 150 and rng.random() < _PORTRAIT_SHARE
    foot = ground.size[1] + float(rng.uniform(0.2, 0.6)) * height if portrait else min(spot.foot, below)
    origin = np.array([spot.x - (low[0] + high[0]) / 2, foot - high[1], 0.0])
    return draw_person(
        skeleton,
        body,
        random_outfit(rng),
        stature_px=spot.stature_px,
        origin=origin,
        size=ground.size,
        light=ground.light,
        joints=joints,
    )
