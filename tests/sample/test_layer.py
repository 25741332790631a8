"""What is cut out of the drawing of a thing or a person: the part within the image, and the joints that show."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.pose.tables import COCO_17
from cocoprep.sample.layer import draw_person, draw_tubes
from cocoprep.sample.objects import draw_object
from cocoprep.sample.outfit import random_outfit
from cocoprep.sample.pose import LimbAngles, Pose
from cocoprep.sample.raster import STEPS, Tube
from cocoprep.sample.skeleton import pose_skeleton, random_body

LIGHT = (0.3, -0.3, 0.9)
SIZE = (160, 120)
PALETTE = np.full((2, 3), 200, np.float32)
FACE = ("nose", "left_eye", "right_eye")


def ball(radius: float = 10.0) -> Tube:
    widths, ink = np.full(STEPS, radius, np.float32), np.zeros(STEPS, np.uint8)
    return Tube(np.zeros(3), np.zeros(3), widths, widths, np.eye(3), ink, ink)


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("at", [(80.0, 60.0), (50.5, 30.25)])
def test_a_layer_lies_where_its_thing_is(at, factor):
    layer, _ = draw_tubes(
        [ball()], PALETTE, scale=1.0, origin=np.array([*at, 0.0]), size=SIZE, light=LIGHT, factor=factor
    )
    rows, columns = np.mgrid[: layer.coverage.shape[0], : layer.coverage.shape[1]] + 0.5
    total = layer.coverage.sum()
    assert total == pytest.approx(np.pi * 100, rel=0.04)
    centre = layer.left + (columns * layer.coverage).sum() / total, layer.top + (rows * layer.coverage).sum() / total
    assert centre == pytest.approx(at, abs=0.1)


@pytest.mark.parametrize(
    ("at", "inside"),
    [((0, 60), True), ((160, 120), True), ((-9, 60), True), ((-11, 60), False), ((80, 131), False), ((171, 60), False)],
)
def test_a_layer_is_cut_at_the_images_edge_and_none_outside(at, inside):
    drawn = draw_tubes([ball()], PALETTE, scale=1.0, origin=np.array([*at, 0.0]), size=SIZE, light=LIGHT)
    assert (drawn is not None) == inside
    if drawn:
        height, width = drawn[0].coverage.shape
        assert drawn[0].left >= 0
        assert drawn[0].top >= 0
        assert drawn[0].left + width <= SIZE[0]
        assert drawn[0].top + height <= SIZE[1]


def standing(yaw: float, *, origin=(80.0, 60.0, 0.0)):
    """Return the layer of a person who stands upright, 100 pixels tall, arms a little out."""
    rng = np.random.default_rng(0)
    arm, leg = LimbAngles(0, 25, 0, 5), LimbAngles(0, 6, 0, 2)
    body, outfit = random_body(rng), random_outfit(rng)
    skeleton = pose_skeleton(Pose((arm, arm), (leg, leg), yaw=yaw), body)
    return draw_person(skeleton, body, outfit, stature_px=100.0, origin=np.array(origin), size=SIZE, light=LIGHT)


@pytest.mark.parametrize(("yaw", "shown"), [(0.0, True), (180.0, False)])
def test_a_face_shows_from_the_front_and_not_from_behind(yaw, shown):
    layer = standing(yaw)
    assert [bool(layer.shown[COCO_17.names.index(name)]) for name in FACE] == [shown] * 3
    assert layer.shown[COCO_17.names.index("left_wrist")]


def test_a_persons_own_left_is_on_the_right_of_the_image_from_the_front():
    left, right = (COCO_17.names.index(f"{side}_shoulder") for side in ("left", "right"))
    front, back = standing(0.0).points, standing(180.0).points
    assert front[left, 0] > front[right, 0]
    assert back[left, 0] < back[right, 0]


def test_joints_outside_the_image_keep_their_place_and_do_not_show():
    whole, cut = standing(0.0), standing(0.0, origin=(80.0, 2.0, 0.0))
    np.testing.assert_allclose(cut.points, whole.points - [0, 58])
    above = cut.points[:, 1] < 0
    assert above[0]
    assert not cut.shown[above].any()
    assert cut.shown.any()


def test_nobody_is_drawn_outside():
    assert standing(0.0, origin=(-300.0, 60.0, 0.0)) is None


@pytest.mark.parametrize("seed", range(12))
def test_a_thing_stands_on_its_foot_measured_against_a_person(seed):
    layer = draw_object(np.random.default_rng(seed), (400, 400), x=200, foot=300, stature_px=100, light=LIGHT)
    rows = layer.top + np.flatnonzero(layer.coverage.any(axis=1))
    columns = layer.left + np.flatnonzero(layer.coverage.any(axis=0))
    assert rows[0] >= 300 - 130
    assert 300 - 15 <= rows[-1] <= 300 + 15
    assert 200 - 100 <= columns[0] < 200 < columns[-1] <= 200 + 100


def test_a_thing_outside_is_none():
    assert draw_object(np.random.default_rng(0), SIZE, x=-500, foot=60, stature_px=50, light=LIGHT) is None
