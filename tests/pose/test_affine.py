from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.pose import affine
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.tables import COCO_17

coordinate = st.floats(-5000, 5000, allow_nan=False)
windows = st.builds(CropWindow, coordinate, coordinate, st.floats(1, 5000), st.floats(1, 5000))
sizes = st.tuples(st.integers(16, 512), st.integers(16, 512))


@given(coordinate, coordinate, windows, sizes)
def test_image_to_crop_and_back(x, y, window, size):
    there = affine.image_to_crop([x, y], window, size)
    np.testing.assert_allclose(affine.crop_to_image(there, window, size), [x, y], atol=1e-6)


@given(windows, sizes)
def test_corners_of_the_window_are_corners_of_the_crop(window, size):
    height, width = size
    corners = [[window.x0, window.y0], [window.x0 + window.width, window.y0 + window.height]]
    np.testing.assert_allclose(affine.image_to_crop(corners, window, size), [[0, 0], [width, height]], atol=1e-6)


@pytest.mark.parametrize(
    ("index", "point"),
    [((0, 0), (0.5, 0.5)), ((639, 479), (639.5, 479.5)), ((10.25, 3), (10.75, 3.5))],
)
def test_a_coco_keypoint_is_a_pixel_index(index, point):
    np.testing.assert_array_equal(affine.index_to_point(index), point)
    np.testing.assert_array_equal(affine.point_to_index(point), index)


def test_pixel_centres():
    np.testing.assert_array_equal(affine.pixel_centres(3), [0.5, 1.5, 2.5])


@given(st.integers(1, 8), coordinate, coordinate)
def test_heatmap_to_crop_and_back(stride, x, y):
    np.testing.assert_allclose(affine.heatmap_to_crop(affine.crop_to_heatmap([x, y], stride), stride), [x, y])


def test_flip_mirrors_points_and_swaps_partners():
    points = np.zeros((len(COCO_17), 2))
    left, right = COCO_17.names.index("left_wrist"), COCO_17.names.index("right_wrist")
    points[left], points[right] = (10, 5), (200, 7)
    before = points.copy()
    flipped = affine.flip_points(points, 256, COCO_17.flip_index)
    np.testing.assert_array_equal(flipped[right], (246, 5))
    np.testing.assert_array_equal(flipped[left], (56, 7))
    np.testing.assert_array_equal(points, before)


@given(st.integers(0, 2**32 - 1))
def test_flip_twice_is_no_flip(seed):
    points = np.random.default_rng(seed).uniform(-50, 300, (3, len(COCO_17), 2))
    twice = affine.flip_points(affine.flip_points(points, 256, COCO_17.flip_index), 256, COCO_17.flip_index)
    np.testing.assert_allclose(twice, points, atol=1e-9)


@pytest.mark.parametrize(
    ("point", "expected"),
    [((0, 0), True), ((9.99, 4.99), True), ((10, 2), False), ((5, 5), False), ((-0.01, 2), False)],
)
def test_inside(point, expected):
    assert affine.inside(point, (5, 10)) == expected
