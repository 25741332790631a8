from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.pose.affine import CropWindow, image_to_crop
from cocoprep.pose.boxes import (
    box_fault,
    box_faults,
    canonical_window,
    canonical_windows,
    clip_box,
    croppable,
    stored_window,
    visible_span,
    window_fault,
)
from cocoprep.pose.crop_config import CropConfig


@pytest.mark.parametrize(
    ("bbox", "clipped"),
    [
        ((10, 20, 30, 40), (10, 20, 30, 40)),
        ((-10, -20, 30, 40), (0, 0, 20, 20)),
        ((600, 400, 100, 100), (600, 400, 40, 80)),
        ((-5, -5, 1000, 1000), (0, 0, 640, 480)),
        ((700, 10, 50, 50), (640, 10, 0, 50)),
    ],
)
def test_clip_box(bbox, clipped):
    assert clip_box(bbox, 640, 480) == clipped


@pytest.mark.parametrize(
    ("bbox", "says"),
    [
        ((0, 0, 0, 10), "positive"),
        ((0, 0, 10, 0), "positive"),
        ((5, 5, -3, 10), "positive"),
        ((0, 0, 2e6, 10), "above"),
        ((-2e6, 0, 10, 10), "above"),
        ((640, 0, 10, 10), "less than one pixel"),
        ((-10, 0, 10.5, 10), "less than one pixel"),
        ((3, 3, 0.5, 40), "less than one pixel"),
    ],
)
def test_boxes_that_give_no_crop(bbox, says):
    assert says in box_fault(bbox, 640, 480)


@pytest.mark.parametrize("bbox", [(0, 0, 1, 1), (-5, -5, 10, 10), (630, 470, 100, 100), (0, 0, 640, 480)])
def test_boxes_that_give_a_crop(bbox):
    assert box_fault(bbox, 640, 480) is None


@pytest.mark.parametrize(
    ("bbox", "input_size", "window"),
    [
        ((100, 100, 80, 80), (256, 256), (90, 90, 100, 100)),
        ((100, 100, 40, 80), (256, 256), (70, 90, 100, 100)),
        ((100, 100, 80, 40), (256, 256), (90, 70, 100, 100)),
        ((100, 100, 60, 80), (256, 192), (92.5, 90, 75, 100)),
        ((100, 100, 90, 80), (256, 192), (88.75, 65, 112.5, 150)),
        ((-20, -20, 60, 60), (256, 256), (-5, -5, 50, 50)),  # clipped to 40 x 40 first
    ],
)
def test_canonical_window(bbox, input_size, window):
    found = canonical_window(bbox, (480, 640), CropConfig(input_size=input_size))
    np.testing.assert_allclose(found, window, atol=1e-4)


boxes = st.tuples(st.floats(0, 600), st.floats(0, 440), st.floats(1, 640), st.floats(1, 480))


@given(boxes, st.sampled_from([(256, 256), (256, 192), (384, 288)]))
def test_the_box_lies_within_its_window_and_the_aspect_is_the_inputs(bbox, size):
    crop = CropConfig(input_size=size)
    window = canonical_window(bbox, (480, 640), crop)
    x, y, w, h = clip_box(bbox, 640, 480)
    corners = image_to_crop([[x, y], [x + w, y + h]], window, size)
    assert (corners >= -0.01).all()
    assert (corners <= np.array([size[1], size[0]]) + 0.01).all()
    assert window.width / window.height == pytest.approx(size[1] / size[0], rel=1e-5)


def test_the_window_is_float32_as_the_record_stores_it():
    window = canonical_window((10.123456789, 20.987654321, 33.3, 44.4), (480, 640), CropConfig())
    assert all(value == np.float32(value) for value in window)


def test_the_stored_window_has_the_margin_in_crop_pixels():
    crop = CropConfig(margin=16)
    window = stored_window(CropWindow(100, 50, 128, 128), crop)
    assert window == CropWindow(92, 42, 144, 144)


@pytest.mark.parametrize(
    ("start", "length", "pixels", "image", "span"),
    [
        (0, 100, 10, 100, (0, 10)),
        (-10, 100, 10, 100, (1, 10)),
        (-11, 100, 10, 100, (2, 10)),
        (15, 100, 10, 100, (0, 8)),
        (-1000, 10, 10, 100, (10, 10)),
        (200, 10, 10, 100, (0, 0)),
        (-500, 1000, 10, 1, (5, 5)),
    ],
)
def test_visible_span(start, length, pixels, image, span):
    assert visible_span(start, length, pixels, image) == span


any_box = st.tuples(*[st.floats(-700, 700)] * 2, *[st.floats(-5, 900) | st.sampled_from([0.0, 0.5, 1.0, 2e6])] * 2)
some_boxes = st.lists(st.tuples(any_box, st.integers(1, 700), st.integers(1, 700)), max_size=8)
crops = st.builds(
    CropConfig, input_size=st.sampled_from([(256, 256), (256, 192), (64, 96)]), bbox_scale=st.sampled_from([1.0, 1.25])
)


@given(some_boxes, crops)
def test_windows_of_many_are_those_of_each(people, crop):
    sizes = [(width, height) for _, width, height in people]
    good = [(box, size) for (box, *_), size in zip(people, sizes, strict=True) if min(clip_box(box, *size)[2:]) > 0]
    found = canonical_windows([box for box, _ in good], [size for _, size in good], crop)
    assert found.tolist() == [list(canonical_window(box, size[::-1], crop)) for box, size in good]


@given(some_boxes, crops)
def test_boxes_of_many_that_give_a_crop_are_those_of_each(people, crop):
    found = croppable([box for box, *_ in people], [size for _, *size in people], crop)
    assert found.tolist() == [not (box_fault(b, w, h) or window_fault(b, w, h, crop)) for b, w, h in people]
    faults = box_faults([box for box, *_ in people], [size for _, *size in people])
    assert faults == {n: fault for n, one in enumerate(people) if (fault := box_fault(*one))}
