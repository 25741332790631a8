"""Overlays of predicted people."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cocoprep.draw.palette import BOX, joint_colours
from cocoprep.draw.predicted import Predicted, draw_predicted
from cocoprep.pose.tables import COCO_17

GREY = (90, 90, 90)


def person(*, shown=(), **joints) -> Predicted:
    keypoints = np.zeros((17, 2))
    for name, at in joints.items():
        keypoints[COCO_17.names.index(name)] = at
    return Predicted((20, 10, 100, 150), keypoints, np.array([name in shown for name in COCO_17.names]))


def pixel(picture: Image.Image, x: int, y: int) -> tuple[int, int, int]:
    return picture.getpixel((x, y))


def test_a_joint_lies_on_its_pixel():
    photograph = Image.new("RGB", (200, 180), GREY)
    picture = draw_predicted(photograph, [person(shown=["left_wrist"], left_wrist=(60, 80))])
    colour = tuple(np.rint(joint_colours(COCO_17)[COCO_17.names.index("left_wrist")]).astype(int))
    assert picture.size == photograph.size
    assert pixel(picture, 60, 80) == colour
    # As far to either side: the disc's centre is the pixel's.
    row = np.array(picture)[80, :, 0].astype(int)
    np.testing.assert_array_equal(row[50:60], row[61:71][::-1])
    assert photograph.getpixel((60, 80)) == GREY


def test_joints_that_are_not_sure_are_left_out_with_their_limbs():
    photograph = Image.new("RGB", (200, 180), GREY)
    both = {"left_wrist": (60, 80), "left_elbow": (60, 120)}
    picture = draw_predicted(photograph, [person(shown=["left_wrist"], **both)])
    assert pixel(picture, 60, 120) == GREY
    assert pixel(picture, 60, 100) == GREY
    picture = draw_predicted(photograph, [person(shown=["left_wrist", "left_elbow"], **both)])
    assert pixel(picture, 60, 120) != GREY
    assert pixel(picture, 60, 100) != GREY


def test_the_box_is_drawn_and_so_are_several_people():
    photograph = Image.new("RGB", (300, 180), GREY)
    people = [
        person(shown=["nose"], nose=(60, 40)),
        Predicted((150, 20, 100, 120), np.full((17, 2), 200.0), np.ones(17, bool)),
    ]
    picture = draw_predicted(photograph, people)
    assert pixel(picture, 20, 90) == BOX
    assert pixel(picture, 249, 90) == BOX
    assert pixel(picture, 60, 40) != GREY
    assert pixel(picture, 200, 200 - 30) == GREY
    assert np.array_equal(draw_predicted(photograph, []), photograph)


def test_a_large_photograph_is_drawn_smaller():
    photograph = Image.new("RGB", (4000, 1000), GREY)
    at = Predicted((0, 0, 4000, 1000), np.full((17, 2), (2000.0, 500.0)), np.ones(17, bool))
    picture = draw_predicted(photograph, [at])
    assert picture.size == (2048, 512)
    assert pixel(picture, 1024, 256) != GREY
