"""A clothed person as tubes: trunk, limbs, head and clothes on a posed skeleton.

All lengths here are in statures, and thicknesses are half-widths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cocoprep.sample import outfit as ink
from cocoprep.sample.outfit import Outfit, cover
from cocoprep.sample.raster import STEPS, Bytes, Floats, Tube
from cocoprep.sample.skeleton import SIDES, Body, Skeleton, Vector

Widths = Sequence[float]

ROUND = np.eye(3)
"""Frame of a part with the same thickness on all sides, for which no direction matters."""


def _table(knots: Widths) -> Floats:
    """Return (STEPS,) half-widths that pass evenly through the knots."""
    values = np.array(knots, np.float32)
    places, shares = _steps(len(knots))
    return np.asarray(values[places] + (values[places + 1] - values[places]) * shares)


@cache
def _steps(count: int) -> tuple[NDArray[np.intp], Floats]:
    """Return (STEPS,) knots before each step along `count` even ones, and shares of the way to the next."""
    along = np.linspace(0, count - 1, STEPS)
    places = np.minimum(along.astype(np.intp), count - 2)
    return places, (along - places).astype(np.float32)


def _tube(
    start: Vector,
    end: Vector,
    wide: Widths,
    inks: Bytes | tuple[Bytes, Bytes],
    *,
    deep: Widths | None = None,
    frame: NDArray[np.float64] = ROUND,
    panels: tuple[Bytes, Bytes] | None = None,
    flat_end: bool = False,
) -> Tube:
    left, right = inks if isinstance(inks, tuple) else (inks, inks)
    widths = _table(wide)
    depths = widths if deep is None else _table(deep)
    return Tube(start, end, widths, depths, frame, left, right, panels, flat_end)


def _ball(centre: Vector, radius: float, colour: int) -> Tube:
    return _tube(centre, centre, (radius, radius), cover(colour))


def _trunk(skeleton: Skeleton, body: Body, outfit: Outfit) -> Iterator[Tube]:
    """Yield chest, hips, shoulders and neck; a light bib is in front and a dark yoke behind."""
    points, build = skeleton.points, body.build
    chest, belly = skeleton.frames["chest"], skeleton.frames["belly"]
    bands = [((i + 0.25) / outfit.stripes, (i + 0.7) / outfit.stripes) for i in range(outfit.stripes)]
    shirts = [cover(ink.SHIRT[i], *((a, b, ink.STRIPE[i]) for a, b in bands)) for i in (0, 1)]
    girth = (0.5 + 0.5 * build) * body.shoulder / 0.118
    yield _tube(
        points["waist"] - chest[:, 1] * 0.012, points["throat"] - chest[:, 1] * 0.004,
        [w * girth for w in (0.078, 0.084, 0.093, 0.102, 0.106, 0.098, 0.050)], (shirts[0], shirts[1]),
        deep=[w * build for w in (0.060, 0.064, 0.068, 0.070, 0.068, 0.058, 0.042)], frame=chest,
        panels=(cover(ink.BIB, (0.95, 1.0, ink.NECKLINE)), cover(ink.YOKE)),
    )  # fmt: skip
    belt = (0.64, 0.75, ink.BELT)
    trousers = [cover(ink.TROUSERS[i], (0.72, 1.0, ink.SHIRT[i]), belt) for i in (0, 1)]
    girth = (0.5 + 0.5 * build) * body.hip / 0.058
    yield _tube(
        points["pelvis"] - belly[:, 1] * 0.018, points["waist"],
        [w * girth for w in (0.082, 0.092, 0.090, 0.082, 0.078)], (trousers[0], trousers[1]),
        deep=[w * build for w in (0.060, 0.068, 0.066, 0.060, 0.058)], frame=belly,
        panels=(cover(ink.PATCH, (0.72, 1.0, ink.BIB), belt), cover(ink.SEAT, (0.72, 1.0, ink.YOKE), belt)),
    )  # fmt: skip
    middle = (points["left_shoulder"] + points["right_shoulder"]) / 2
    for i, (side, _) in enumerate(SIDES):
        shirt, sleeve = ink.SHIRT[i], (0.0, 0.3, ink.SHOULDER[i])
        yield _tube(
            points[f"{side}_shoulder"], middle, (0.040 * build, 0.044 * build),
            cover(shirt, sleeve), frame=chest,
            panels=(cover(shirt, sleeve, (0.6, 1.0, ink.BIB)), cover(shirt, sleeve, (0.6, 1.0, ink.YOKE))),
        )  # fmt: skip
    throat = points["throat"] - chest[:, 1] * 0.02
    chin = points["chin"] + skeleton.frames["head"][:, 1] * 0.02
    yield _tube(throat, chin, (0.034 * build, 0.030 * build), cover(ink.SKIN))


def _arms(skeleton: Skeleton, body: Body, outfit: Outfit) -> Iterator[Tube]:
    points, build = skeleton.points, body.build
    for i, (side, _) in enumerate(SIDES):
        cloth, pad = ink.SLEEVE[i], ink.ELBOW[i]
        shoulder, elbow, wrist, hand = (points[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist", "hand"))
        upper = cover(ink.SKIN, (0.0, outfit.sleeve, cloth), (0.0, 0.14, ink.SHOULDER[i]), (0.87, 1.0, pad))
        fore = cover(ink.SKIN, (0.0, outfit.sleeve - 1, cloth), (0.0, 0.13, pad), (0.84, 1.0, ink.WRIST[i]))
        sleeve = 1.10 if outfit.sleeve >= 2 else 1.0
        thick = build * sleeve
        yield _tube(shoulder, elbow, [w * thick for w in (0.041, 0.040, 0.037, 0.033, 0.030)], upper)
        yield _tube(elbow, wrist, [w * thick for w in (0.030, 0.032, 0.029, 0.024, 0.021)], fore)
        yield _tube(wrist, hand, [w * build for w in (0.019, 0.025, 0.022)], cover(ink.SKIN))


def _legs(skeleton: Skeleton, body: Body, outfit: Outfit) -> Iterator[Tube]:
    """Yield thighs, shins and shoes; a patch on the front of the knee shows which way it faces."""
    points, frames, build = skeleton.points, skeleton.frames, body.build
    thick = build * (1.12 if outfit.leg >= 2 else 1.0)
    for i, (side, _) in enumerate(SIDES):
        cloth, pad = ink.LEG[i], ink.KNEE[i]
        hip, knee, ankle = (points[f"{side}_{n}"] for n in ("hip", "knee", "ankle"))
        thigh = (0.0, outfit.leg, cloth), (0.86, 1.0, pad)
        shin = (0.0, outfit.leg - 1, cloth), (0.82, 1.0, ink.SOCK[i]), (0.0, 0.13, pad)
        yield _tube(
            hip, knee, [w * thick for w in (0.062, 0.063, 0.057, 0.050, 0.043)], cover(ink.SKIN, *thigh),
            frame=frames[f"{side}_thigh"],
            panels=(cover(ink.SKIN, *thigh, (0.93, 1.0, ink.PATCH)), cover(ink.SKIN, *thigh)),
        )  # fmt: skip
        yield _tube(
            knee, ankle, [w * thick for w in (0.042, 0.044, 0.041, 0.034, 0.028)], cover(ink.SKIN, *shin),
            frame=frames[f"{side}_shin"],
            panels=(cover(ink.SKIN, *shin, (0.0, 0.06, ink.PATCH)), cover(ink.SKIN, *shin)),
        )  # fmt: skip
        sole = [w * (0.6 + 0.4 * build) for w in (0.030, 0.031, 0.030, 0.024)]
        yield _tube(points[f"{side}_heel"], points[f"{side}_toe"], sole, cover(ink.SHOE[i]))
    if outfit.skirt:
        yield from _skirt(skeleton, body)


def _skirt(skeleton: Skeleton, body: Body) -> Iterator[Tube]:
    """Yield a skirt where the legs are close enough together to wear one."""
    left, right = skeleton.points["left_knee"], skeleton.points["right_knee"]
    gap = float(np.linalg.norm(left - right))
    if gap > 0.26:
        return
    hem, girth = 0.115 + 0.36 * gap, 0.082 * body.build
    yield _tube(
        skeleton.points["waist"] * 0.75, (left + right) * 0.40,
        (girth, 0.135 * body.build, hem + 0.02, hem + 0.04),
        (cover(ink.TROUSERS[0]), cover(ink.TROUSERS[1])),
        deep=(0.8 * girth, 0.092 * body.build, 0.105, 0.12), frame=skeleton.frames["pelvis"], flat_end=True,
    )  # fmt: skip


def _head(skeleton: Skeleton, body: Body, outfit: Outfit) -> Iterator[Tube]:
    """Yield skull, ears and hair."""
    points, size = skeleton.points, body.head
    frame = skeleton.frames["head"]
    _, up, forward = (frame[:, i] * size for i in range(3))
    skull = points["skull"]
    yield _tube(
        skull - 0.16 * up, skull + 0.10 * up, [w * size for w in (0.31, 0.37, 0.39, 0.385)],
        cover(ink.SKIN), deep=[w * size for w in (0.36, 0.42, 0.44, 0.43)], frame=frame,
    )  # fmt: skip
    for i, (side, _) in enumerate(SIDES):
        ear = points[f"{side}_ear"]
        yield _tube(ear - 0.05 * up, ear + 0.05 * up, [w * size for w in (0.06, 0.10)], cover(ink.SKIN))
        yield _ball(ear - 0.13 * up + 0.02 * forward, 0.062 * size, ink.EARRING[i])
    if outfit.beard:
        yield _tube(
            skull - 0.22 * up + 0.10 * forward, skull - 0.12 * up + 0.05 * forward,
            (0.30 * size, 0.36 * size), cover(ink.HAIR), deep=(0.34 * size, 0.36 * size), frame=frame,
        )  # fmt: skip
    yield from _hair(skull, frame, size, outfit.hair)


def _hair(skull: Vector, frame: NDArray[np.float64], size: float, style: str) -> Iterator[Tube]:
    """Yield the hair: an egg set back and up from the skull, whose front it leaves bare."""
    if style == "bald":
        return
    up, forward = frame[:, 1] * size, frame[:, 2] * size
    sides = (cover(ink.LOCK[0]), cover(ink.LOCK[1]))
    back = skull - 0.11 * forward
    crown = (cover(ink.CAP), cover(ink.CAP)) if style == "cap" else sides
    yield _tube(
        back + 0.04 * up, back + 0.16 * up, [w * size for w in (0.40, 0.42)], crown,
        deep=[w * size for w in (0.40, 0.42)], frame=frame,
    )  # fmt: skip
    if style == "cap":
        brim = skull + 0.27 * up + 0.30 * forward
        yield _tube(
            brim, brim + 0.30 * forward - 0.04 * up, (0.30 * size, 0.26 * size, 0.14 * size), cover(ink.CAP),
            deep=(0.05 * size,) * 3, frame=np.stack([frame[:, 0], frame[:, 2], frame[:, 1]], axis=1),
        )  # fmt: skip
    elif style == "long":
        low = skull - 0.22 * forward
        yield _tube(
            low, low - 0.52 * up, [w * size for w in (0.40, 0.43, 0.40, 0.33)], sides,
            deep=[w * size for w in (0.30, 0.26, 0.22, 0.16)], frame=frame,
        )  # fmt: skip
    elif style == "bun":
        yield _ball(skull + 0.42 * up - 0.34 * forward, 0.19 * size, ink.HAIR)
    elif style == "tail":
        knot = skull + 0.18 * up - 0.50 * forward
        yield _tube(knot, knot - 0.55 * up - 0.22 * forward, [w * size for w in (0.13, 0.17, 0.07)], cover(ink.HAIR))


def _face(skeleton: Skeleton, body: Body) -> Iterator[Tube]:
    points, size = skeleton.points, body.head
    left, up, forward = (skeleton.frames["head"][:, i] * size for i in range(3))
    yield _tube(
        points["nose"] + 0.10 * up - 0.07 * forward,
        points["nose"] - 0.04 * forward,
        (0.035 * size, 0.065 * size),
        cover(ink.SKIN),
    )
    for i, (side, _) in enumerate(SIDES):
        eye = points[f"{side}_eye"] - 0.055 * forward
        yield _ball(eye, 0.085 * size, ink.EYEBALL)
        yield _ball(eye + 0.055 * forward - 0.006 * up, 0.048 * size, ink.PUPIL)
        brow = eye + 0.135 * up + 0.02 * forward
        yield _tube(brow - 0.07 * left, brow + 0.07 * left, (0.028 * size, 0.028 * size), cover(ink.LOCK[i]))
    mouth = points["skull"] - 0.215 * up + 0.345 * forward
    yield _tube(mouth - 0.08 * left, mouth + 0.08 * left, (0.03 * size, 0.03 * size), cover(ink.MOUTH))


def figure_tubes(skeleton: Skeleton, body: Body, outfit: Outfit, *, face: bool = True) -> list[Tube]:
    """Return all parts of a person, in statures; without its `face` where it would be smaller than pixels."""
    return [
        *_trunk(skeleton, body, outfit),
        *_arms(skeleton, body, outfit),
        *_legs(skeleton, body, outfit),
        *_head(skeleton, body, outfit),
        *(_face(skeleton, body) if face else ()),
    ]
