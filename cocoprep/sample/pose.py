"""Random body poses: joint angles by family (standing, running, sitting, handstand), seen from any side.

All angles are degrees. A limb's angles are the same for both sides of the body, so a pose is mirrored by
swapping its limbs and turning the signs of whatever leans to one side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, slots=True)
class LimbAngles:
    """Say how an arm or a leg is held.

    `flex` swings it forward from hanging down (180 is straight up), `abduct` away from the body, `inward`
    turns the plane in which elbow or knee bends, `bend` bends that.
    """

    flex: float
    abduct: float
    inward: float
    bend: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Hold all angles of a body and the direction from which it is seen.

    Pairs are (left, right). `spine` and `head` are (forward, to the own left, turned to the own left).
    `yaw` 0 faces the camera, 180 shows the back; `roll` turns the whole body clockwise in the image.
    """

    arms: tuple[LimbAngles, LimbAngles]
    legs: tuple[LimbAngles, LimbAngles]
    spine: tuple[float, float, float] = (0.0, 0.0, 0.0)
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0


Rng = np.random.Generator


def mirror_pose(pose: Pose) -> Pose:
    """Swap left and right of the body, its view left as it is."""
    (bend, lean, twist), (nod, tilt, turn) = pose.spine, pose.head
    return replace(
        pose,
        arms=pose.arms[::-1],
        legs=pose.legs[::-1],
        spine=(bend, -lean, -twist),
        head=(nod, -tilt, -turn),
    )


def _limb(
    rng: Rng,
    flex: tuple[float, float],
    abduct: tuple[float, float],
    bend: tuple[float, float],
    inward: tuple[float, float] = (-10, 15),
) -> LimbAngles:
    """Draw each angle evenly from its (low, high)."""
    return LimbAngles(*(float(rng.uniform(*span)) for span in (flex, abduct, inward, bend)))


# flex, abduct, bend, inward of an arm; what people do with their arms whatever the legs do.
_ARM_HABITS: tuple[tuple[float, tuple[tuple[float, float], ...]], ...] = (
    (0.24, ((-15, 20), (4, 22), (3, 35))),  # hanging
    (0.10, ((-25, 5), (35, 55), (80, 110), (55, 85))),  # hand on the hip
    (0.10, ((20, 40), (2, 14), (95, 120), (50, 80))),  # folded before the chest
    (0.12, ((145, 180), (0, 25), (0, 40))),  # straight up
    (0.10, ((0, 20), (75, 110), (50, 115), (-100, -75))),  # waving
    (0.11, ((-10, 20), (65, 110), (0, 25))),  # out to the side
    (0.10, ((55, 105), (-5, 30), (0, 60))),  # reaching forward
    (0.08, ((15, 50), (5, 25), (110, 140), (0, 35))),  # holding a telephone
    (0.05, ((-60, -25), (5, 25), (5, 60))),  # behind
)


def _arm(rng: Rng) -> LimbAngles:
    """Draw one arm from the habits."""
    shares = np.array([share for share, _ in _ARM_HABITS])
    return _limb(rng, *_ARM_HABITS[int(rng.choice(len(shares), p=shares / shares.sum()))][1])


def _arms(rng: Rng) -> tuple[LimbAngles, LimbAngles]:
    """Draw two arms, alike in half of all cases."""
    left = _arm(rng)
    if rng.random() < 0.5:
        return left, _arm(rng)
    wobble = rng.normal(0, 7, 4)
    return left, LimbAngles(
        left.flex + wobble[0], left.abduct + wobble[1], left.inward + wobble[2], abs(left.bend + wobble[3])
    )


def _stand(rng: Rng) -> Pose:
    wide = float(rng.uniform(0, 14))
    legs = _limb(rng, (-5, 8), (wide, wide + 8), (0, 12)), _limb(rng, (-5, 25), (wide, wide + 8), (0, 40))
    return Pose(_arms(rng), legs, spine=(rng.normal(2, 6), rng.normal(0, 6), rng.normal(0, 10)))


def _walk(rng: Rng) -> Pose:
    legs = _limb(rng, (18, 38), (0, 6), (2, 25)), _limb(rng, (-30, -12), (0, 6), (10, 45))
    arms = _limb(rng, (-40, -10), (4, 14), (5, 40)), _limb(rng, (10, 40), (4, 14), (10, 60))
    arms = arms if rng.random() < 0.7 else _arms(rng)
    return Pose(arms, legs, spine=(rng.normal(4, 4), 0, rng.normal(-8, 5)))


def _run(rng: Rng) -> Pose:
    legs = _limb(rng, (35, 95), (0, 10), (25, 110)), _limb(rng, (-40, -5), (0, 10), (25, 110))
    arms = _limb(rng, (-65, -20), (5, 30), (60, 110)), _limb(rng, (20, 80), (5, 20), (60, 120))
    return Pose(arms, legs, spine=(rng.uniform(5, 30), 0, rng.normal(-12, 6)), roll=rng.normal(0, 8))


def _sit(rng: Rng) -> Pose:
    kind = rng.random()
    if kind < 0.55:  # on a seat
        legs = _limb(rng, (72, 100), (3, 22), (60, 105)), _limb(rng, (72, 100), (3, 22), (60, 105))
    elif kind < 0.8:  # on the ground, legs before the body
        legs = _limb(rng, (75, 120), (5, 25), (0, 120)), _limb(rng, (75, 120), (5, 25), (0, 120))
    else:  # cross-legged
        legs = (
            _limb(rng, (75, 90), (45, 60), (105, 125), (50, 70)),
            _limb(rng, (75, 90), (45, 60), (105, 125), (50, 70)),
        )
    return Pose(_arms(rng), legs, spine=(rng.uniform(-25, 30), rng.normal(0, 6), rng.normal(0, 12)))


def _crouch(rng: Rng) -> Pose:
    if rng.random() < 0.6:
        legs = _limb(rng, (75, 125), (8, 40), (90, 140)), _limb(rng, (75, 125), (8, 40), (90, 140))
    else:  # kneeling on the right knee
        legs = _limb(rng, (80, 100), (3, 15), (80, 105)), _limb(rng, (-10, 10), (3, 15), (85, 110))
    return Pose(_arms(rng), legs, spine=(rng.uniform(5, 45), rng.normal(0, 8), rng.normal(0, 12)))


def _bow(rng: Rng) -> Pose:
    legs = _limb(rng, (15, 55), (2, 14), (0, 40)), _limb(rng, (15, 55), (2, 14), (0, 40))
    arms = _limb(rng, (50, 130), (0, 30), (0, 50)), _limb(rng, (30, 130), (0, 30), (0, 60))
    bend = float(rng.uniform(35, 85))
    return Pose(arms, legs, spine=(bend, rng.normal(0, 6), rng.normal(0, 10)), head=(-0.4 * bend, 0, 0))


def _star(rng: Rng) -> Pose:
    legs = _limb(rng, (-10, 20), (15, 50), (0, 45)), _limb(rng, (-10, 20), (15, 50), (0, 45))
    arms = _limb(rng, (-10, 20), (80, 155), (0, 30)), _limb(rng, (-10, 20), (80, 155), (0, 30))
    return Pose(arms, legs, spine=(rng.normal(-4, 8), rng.normal(0, 8), 0), roll=rng.normal(0, 15))


def _lunge(rng: Rng) -> Pose:
    legs = _limb(rng, (60, 95), (0, 20), (55, 100)), _limb(rng, (-45, -15), (0, 15), (0, 35))
    return Pose(_arms(rng), legs, spine=(rng.normal(8, 12), rng.normal(0, 8), rng.normal(0, 15)))


def _kick(rng: Rng) -> Pose:
    legs = _limb(rng, (55, 120), (0, 50), (0, 40)), _limb(rng, (-15, 5), (0, 12), (0, 25))
    spine = (rng.uniform(-35, 10), rng.normal(0, 12), rng.normal(0, 15))
    return Pose(_arms(rng), legs, spine=spine, roll=rng.normal(0, 15))


def _dance(rng: Rng) -> Pose:
    legs = _limb(rng, (-30, 85), (0, 55), (0, 110)), _limb(rng, (-20, 40), (0, 25), (0, 60))
    spine = (rng.normal(0, 18), rng.normal(0, 16), rng.normal(0, 20))
    return Pose(_arms(rng), legs, spine=spine, roll=rng.normal(0, 20))


def _handstand(rng: Rng) -> Pose:
    legs = _limb(rng, (-40, 60), (0, 45), (0, 70)), _limb(rng, (-40, 60), (0, 45), (0, 70))
    arms = _limb(rng, (155, 180), (0, 25), (0, 15)), _limb(rng, (155, 180), (0, 25), (0, 15))
    return Pose(arms, legs, spine=(rng.normal(-5, 8), 0, 0), head=(-25, 0, 0), roll=180 + rng.normal(0, 18))


def _cartwheel(rng: Rng) -> Pose:
    return replace(_star(rng), roll=float(rng.uniform(50, 310)))


def _lie(rng: Rng) -> Pose:
    base = (_stand, _walk, _sit, _dance)[int(rng.integers(4))](rng)
    return replace(base, roll=float(rng.choice((-90, 90)) + rng.normal(0, 14)))


def _dive(rng: Rng) -> Pose:
    base = (_star, _run, _dance)[int(rng.integers(3))](rng)
    return replace(base, roll=float(rng.choice((-1, 1)) * rng.uniform(35, 150)))


Family = Callable[[Rng], Pose]

# The large share of lying, falling and upside-down bodies keeps a constant guess of the joints below half
# right.
_FAMILIES: tuple[tuple[float, Family], ...] = (
    (0.13, _stand),
    (0.08, _walk),
    (0.09, _run),
    (0.10, _sit),
    (0.07, _crouch),
    (0.07, _bow),
    (0.04, _star),
    (0.04, _lunge),
    (0.05, _kick),
    (0.06, _dance),
    (0.08, _handstand),
    (0.09, _cartwheel),
    (0.12, _lie),
    (0.04, _dive),
)


def _random_yaw(rng: Rng, family: Family) -> float:
    """Draw the side from which a body is seen; a bent one mostly from its side, where it is readable."""
    if family in {_bow, _run, _lunge, _kick} and rng.random() < 0.7:
        return float(rng.choice((-75, 75)) + rng.normal(0, 22))
    kind = rng.random()
    if kind < 0.42:
        return float(rng.normal(0, 25))
    if kind < 0.60:
        return float(180 + rng.normal(0, 25))
    return float(rng.uniform(0, 360))


def random_pose(rng: np.random.Generator) -> Pose:
    """Draw a pose of any family, mirrored in half of all cases, with its view."""
    shares = np.array([share for share, _ in _FAMILIES])
    family = _FAMILIES[int(rng.choice(len(shares), p=shares / shares.sum()))][1]
    pose = family(rng)
    nod, tilt, turn = pose.head
    head = (nod + rng.normal(0, 8), tilt + rng.normal(0, 6), turn + rng.normal(0, 18))
    pose = replace(
        pose,
        head=head,
        yaw=_random_yaw(rng, family),
        pitch=float(rng.normal(5, 6)),
        roll=pose.roll + float(rng.normal(0, 4)),
    )
    return mirror_pose(pose) if rng.random() < 0.5 else pose
