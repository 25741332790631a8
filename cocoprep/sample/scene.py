"""One image: background, crowd, people and objects from back to front, and the annotations of its people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.sample.background import draw_background
from cocoprep.sample.crowd import draw_crowd
from cocoprep.sample.joints import COCO_JOINTS, FigureJoints
from cocoprep.sample.labels import Annotation, annotate_crowd, annotate_person
from cocoprep.sample.layer import Layer
from cocoprep.sample.objects import draw_object
from cocoprep.sample.people import Ground, Spot, draw_random_person, far_spots, random_ground, random_spots

_SIZES = (
    (640, 480),
    (640, 480),
    (640, 427),
    (640, 427),
    (480, 640),
    (427, 640),
    (500, 375),
    (375, 500),
    (612, 612),
)
_CROWD_SHARE = 0.10
_OBJECT_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and the annotations of its people, which have no ids yet."""

    image: Image.Image
    annotations: list[Annotation]


@dataclass(frozen=True, slots=True)
class _Thing:
    layer: Layer
    kind: str
    stature_px: float = 0.0


def _things(rng: np.random.Generator, ground: Ground, joints: FigureJoints) -> list[_Thing]:
    """Draw everything that stands in the scene, from back to front."""
    things: list[_Thing] = []
    if rng.random() < _CROWD_SHARE:
        things.append(_Thing(draw_crowd(rng, ground.size, ground.horizon), "crowd"))
    for spot in [*far_spots(rng, ground), *random_spots(rng, ground)]:
        layer = draw_random_person(rng, ground, spot, joints)
        if layer is not None:
            things.append(_Thing(layer, "person", spot.stature_px))
        if spot.stature_px > 60 and rng.random() < _OBJECT_SHARE / 2:
            thing = _object_before(rng, ground, spot)
            things += [thing] if thing else []
    return things


def _object_before(rng: np.random.Generator, ground: Ground, spot: Spot) -> _Thing | None:
    layer = draw_object(
        rng,
        ground.size,
        x=spot.x + float(rng.normal(0, 0.35)) * spot.stature_px,
        foot=spot.foot + float(rng.uniform(0, 0.12)) * spot.stature_px,
        stature_px=spot.stature_px,
        light=ground.light,
    )
    return None if layer is None else _Thing(layer, "object")


def _cast_shadow(canvas: NDArray[np.float32], thing: _Thing) -> None:
    """Darken the ground under a thing that stands in the image."""
    layer = thing.layer
    height, width = layer.coverage.shape
    columns = np.flatnonzero(layer.coverage[-max(2, height // 6) :].max(0) > 0.5)
    foot = layer.top + height - 1
    if thing.kind == "crowd" or not len(columns) or foot >= canvas.shape[0] - 2:
        return
    middle, reach = layer.left + float(columns.mean()), max(4.0, 0.75 * float(np.ptp(columns)), 0.12 * width)
    flat = max(2.0, min(0.28 * reach, 0.10 * height))
    top, bottom = max(0, int(foot - 2 * flat)), min(canvas.shape[0], int(foot + 2 * flat) + 1)
    left, right = max(0, int(middle - 2 * reach)), min(canvas.shape[1], int(middle + 2 * reach) + 1)
    xs = (np.arange(left, right, dtype=np.float32) - np.float32(middle)) / np.float32(reach)
    ys = (np.arange(top, bottom, dtype=np.float32) - np.float32(foot)) / np.float32(flat)
    dark = np.float32(0.45) * np.exp(-1.2 * (xs[None, :] ** 2 + ys[:, None] ** 2)).astype(np.float32)
    canvas[top:bottom, left:right] *= 1 - dark[..., None]


def _lay(canvas: NDArray[np.float32], owner: NDArray[np.int16], layer: Layer, number: int) -> None:
    """Blend a layer over the picture and enter its number where it covers most of a pixel."""
    height, width = layer.coverage.shape
    rows, columns = slice(layer.top, layer.top + height), slice(layer.left, layer.left + width)
    canvas[rows, columns] *= 1 - layer.coverage[..., None]
    canvas[rows, columns] += layer.colours
    owner[rows, columns][layer.coverage >= 0.5] = number


def _develop(rng: np.random.Generator, canvas: NDArray[np.float32]) -> Image.Image:
    """Return the photograph: a tint over everything and the sensor's grain."""
    tint = np.array(rng.uniform(0.92, 1.12) * rng.uniform(0.96, 1.04, 3), np.float32)
    grain = rng.integers(-4, 5, canvas.shape[:2], np.int8)
    return Image.fromarray((canvas * tint + grain[..., None]).clip(0, 255).astype(np.uint8))


def draw_scene(rng: np.random.Generator, joints: FigureJoints = COCO_JOINTS) -> Scene:
    """Draw one image with its annotations, of K joints."""
    ground = random_ground(rng, _SIZES[int(rng.integers(len(_SIZES)))])
    canvas = draw_background(rng, ground.size, ground.horizon).astype(np.float32)
    owner = np.zeros(canvas.shape[:2], np.int16)
    things = _things(rng, ground, joints)
    for thing in things:
        _cast_shadow(canvas, thing)
    for number, thing in enumerate(things, start=1):
        _lay(canvas, owner, thing.layer, number)
    found: list[Annotation | None] = []
    for number, thing in enumerate(things, start=1):
        if thing.kind == "person":
            found.append(annotate_person(rng, owner, number, thing.layer, thing.stature_px, joints=joints))
        elif thing.kind == "crowd":
            found.append(annotate_crowd(owner, number, joints))
    return Scene(_develop(rng, canvas), [annotation for annotation in found if annotation is not None])
