"""What an annotator would write down of a person, over many draws of the annotator."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as mask_api

from cocoprep.pose.tables import COCO_17
from cocoprep.sample.labels import (
    MIN_LABELLED_STATURE_PX,
    MIN_VISIBLE_PX2,
    annotate_crowd,
    annotate_person,
)
from cocoprep.sample.layer import Layer

PERSON = 2
NOWHERE = np.zeros((0, 0), np.float32)
NOSE, LEFT_WRIST, RIGHT_WRIST, LEFT_ANKLE = (
    COCO_17.names.index(name) for name in ("nose", "left_wrist", "right_wrist", "left_ankle")
)
DRAWS = 120


def scene() -> np.ndarray:
    """Return owners of (40, 60) pixels: the person in columns 10 to 29, and before it a thing from row 25 down."""
    owner = np.zeros((40, 60), np.int16)
    owner[5:35, 10:30] = PERSON
    owner[25:35, 5:35] = 3
    return owner


def layer(shown=None) -> Layer:
    points = np.full((len(COCO_17), 2), [20.7, 10.2])
    points[LEFT_ANKLE] = 20, 30  # behind the thing
    points[RIGHT_WRIST] = 61, 10  # outside the image
    points[LEFT_WRIST] = 50, 10  # on the background, in front of which the person is
    return Layer(0, 0, NOWHERE, NOWHERE, points, np.ones(len(COCO_17), bool) if shown is None else shown)


def labels(shown=None, *, stature_px=200.0) -> np.ndarray:
    """Return (DRAWS, K, 3) keypoints as that many annotators write them."""
    found = [
        annotate_person(np.random.default_rng(n), scene(), PERSON, layer(shown), stature_px)["keypoints"]
        for n in range(DRAWS)
    ]
    return np.array(found).reshape(DRAWS, -1, 3)


def test_the_silhouette_that_shows_decides_box_and_area():
    found = annotate_person(np.random.default_rng(0), scene(), PERSON, layer(), 200.0)
    assert found["bbox"] == [10, 5, 20, 20]
    assert found["area"] == 400
    assert found["iscrowd"] == 0
    (outline,) = found["segmentation"]
    assert (min(outline[::2]), max(outline[::2]), min(outline[1::2]), max(outline[1::2])) == (10, 30, 5, 25)
    assert found["num_keypoints"] == sum(v > 0 for v in found["keypoints"][2::3])


@pytest.mark.parametrize(("pixels", "annotated"), [(MIN_VISIBLE_PX2 - 1, False), (MIN_VISIBLE_PX2, True)])
def test_of_hardly_any_pixels_nobody_is_annotated(pixels, annotated):
    owner = np.zeros((10, 100), np.int16)
    owner[3, :pixels] = PERSON
    assert (annotate_person(np.random.default_rng(0), owner, PERSON, layer(), 200.0) is not None) == annotated
    assert (annotate_crowd(owner, PERSON) is not None) == annotated


def test_visible_joints_are_labelled_visible_where_they_are_and_seldom_missed():
    found = labels()
    people = found[(found[:, :, 2] > 0).any(axis=1)]
    assert 0.7 < len(people) / DRAWS < 0.97, "a few people are left without joints"
    for joint, place in ((NOSE, [20, 10, 2]), (LEFT_WRIST, [50, 10, 2])):
        assert {tuple(row) for row in people[:, joint].tolist()} == {tuple(place), (0, 0, 0)}
        assert (people[:, joint, 2] == 2).mean() > 0.9


def test_what_is_behind_another_thing_is_hidden_or_left_out():
    found = labels()[:, LEFT_ANKLE]
    assert {tuple(row) for row in found.tolist()} == {(20, 30, 1), (0, 0, 0)}


def test_what_the_body_itself_hides_is_hidden_or_left_out_the_face_mostly():
    shown = np.ones(len(COCO_17), bool)
    shown[[NOSE, LEFT_WRIST]] = False
    found = labels(shown)[:, :, 2]
    assert set(np.unique(found[:, [NOSE, LEFT_WRIST]])) == {0, 1}
    assert 0 < (found[:, NOSE] == 1).mean() < (found[:, LEFT_WRIST] == 1).mean()


def test_outside_the_image_nothing_is_labelled():
    assert not labels()[:, RIGHT_WRIST].any()


def test_small_people_and_those_of_whom_two_joints_show_have_no_joints():
    assert not labels(stature_px=MIN_LABELLED_STATURE_PX - 0.1).any()
    assert labels(stature_px=MIN_LABELLED_STATURE_PX).any()
    shown = np.zeros(len(COCO_17), bool)
    shown[:2] = True
    assert not labels(shown).any()
    shown[2] = True
    assert labels(shown).any()


def test_a_crowd_is_a_region_without_joints():
    found = annotate_crowd(scene(), PERSON)
    assert found["iscrowd"] == 1
    assert found["num_keypoints"] == 0
    assert not any(found["keypoints"])
    rle = mask_api.frPyObjects(found["segmentation"], *scene().shape)
    np.testing.assert_array_equal(mask_api.decode(rle), scene() == PERSON)
