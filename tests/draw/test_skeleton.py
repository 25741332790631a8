"""How large a person is drawn, and which of its joints."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cocoprep.draw.palette import joint_colours, limb_colours
from cocoprep.draw.skeleton import LARGEST_UNIT_PX, SMALLEST_UNIT_PX, draw_skeleton, paint_skeleton, suitable_unit
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17, named_table

PAIR = KeypointTable(
    "pair", (Joint("left_tip", "right_tip", 0.1), Joint("right_tip", "left_tip", 0.1)), (("left_tip", "right_tip"),)
)


@pytest.mark.parametrize(
    ("extent_px", "size", "unit"),
    [
        (None, (800, 1000), 8.0),  # nobody: a hundredth of the shorter side
        (0, (800, 1000), 4.0),  # a person of no extent: half of that
        (170, (800, 1000), 5.0),  # a 34th of a small person's extent
        (100, (800, 1000), 4.0),  # ... but never less than half
        (600, (800, 1000), 8.0),  # a large person counts for no more than the picture
        (600, (1000, 800), 8.0),
        (None, (100, 100), SMALLEST_UNIT_PX),
        (5000, (5000, 5000), LARGEST_UNIT_PX),
    ],
)
def test_the_unit_suits_picture_and_person(extent_px, size, unit):
    points = np.zeros((0, 2)) if extent_px is None else np.array([[50.0, 60.0], [50.0 + extent_px, 60.0]])
    assert suitable_unit(points, size) == pytest.approx(unit)


def test_a_lone_joint_says_nothing_of_a_persons_extent():
    assert suitable_unit(np.array([[5.0, 5.0]]), (800, 800)) == 8.0


def test_joints_that_are_not_drawn_do_not_decide_the_unit():
    canvases = [np.zeros((400, 400, 3), np.float32) for _ in range(2)]
    paint_skeleton(canvases[0], [(100, 100), (101, 101)], [2, 0], table=PAIR)
    paint_skeleton(canvases[1], [(100, 100), (100, np.nan)], [2, 2], table=PAIR)
    alone = np.zeros((400, 400, 3), np.float32)
    paint_skeleton(alone, [(100, 100), (0, 0)], [2, 0], table=PAIR, unit_px=4.0)
    for canvas in canvases:
        np.testing.assert_array_equal(canvas, alone)


def test_of_many_joints_those_that_stand_close_stay_apart():
    many = KeypointTable("many", tuple(Joint(f"j{k}", f"j{k}", 0.1) for k in range(40)), ())
    few = KeypointTable("few", many.joints[:30], ())
    row = np.stack([50 + 5.0 * np.arange(30), np.full(30, 100.0)], axis=1)
    far = np.stack([50 + 30.0 * np.arange(10), np.full(10, 300.0)], axis=1)
    canvases = {}
    for table, points in ((few, row), (many, np.concatenate([row, far]))):
        canvases[table.name] = canvas = np.zeros((400, 400, 3), np.float32)
        paint_skeleton(canvas, points, [2] * len(points), table=table, unit_px=4)
    between = 50 + 5 * np.arange(1, 29) + 2.5
    assert canvases["few"][100, between.astype(int)].max(axis=-1).mean() > 40  # one blot
    assert canvases["many"][100, between.astype(int)].max(axis=-1).mean() < 20  # dots with dark between them
    assert canvases["many"][100, 50 + 5 * np.arange(30)].max(axis=-1).min() > 60
    assert canvases["many"][304, 50].max() > 60  # the others are as large as ever


def test_joints_without_sides_have_a_hue_each():
    hand = named_table("hand-21")
    assert len({tuple(colour) for colour in joint_colours(hand).tolist()}) == 21
    assert len({tuple(colour) for colour in joint_colours(COCO_17).tolist()}) == 3
    for (a, b), colour in zip(hand.limb_index, limb_colours(hand), strict=True):
        assert colour.tolist() == joint_colours(hand)[max(a, b)].tolist()
    assert limb_colours(KeypointTable("one", (Joint("tip", "tip", 0.1),), ())).shape == (0, 3)


@pytest.mark.parametrize(("visibility", "limb"), [((2, 2), True), ((1, 2), True), ((2, 0), False), ((0, 0), False)])
def test_a_limb_needs_both_its_ends(visibility, limb):
    picture = draw_skeleton(np.zeros((60, 60, 3), np.uint8), [(10, 30), (50, 30)], visibility, table=PAIR, unit_px=2)
    assert (np.asarray(picture)[30, 30].max() > 100) == limb


def test_an_array_is_drawn_on_as_a_picture_is():
    array = np.random.default_rng(0).integers(0, 256, (50, 40, 3), np.uint8)
    drawn = [
        draw_skeleton(picture, [(10, 20), (30, 40)], [1, 2], table=PAIR, size=(100, 80))
        for picture in (array, Image.fromarray(array))
    ]
    assert drawn[0].tobytes() == drawn[1].tobytes()
