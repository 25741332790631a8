"""The renderer draws what the build's encoder draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cocoprep
from cocoprep.model.augment.render import render_heatmaps
from cocoprep.pose.affine import crop_to_heatmap
from cocoprep.pose.heatmaps import encode_heatmaps, quantise_heatmaps
from tests.support.building import build_folder

coordinates = st.floats(-30, 60, width=32)


@given(
    points=st.lists(st.tuples(coordinates, coordinates, st.booleans()), min_size=3, max_size=3),
    size=st.tuples(st.integers(3, 40), st.integers(3, 40)),
    sigma_px=st.floats(0.1, 30),
)
def test_it_draws_what_the_encoder_draws(points, size, sigma_px):
    at, labelled = np.array([p[:2] for p in points]), np.array([p[2] for p in points])
    expected = quantise_heatmaps(encode_heatmaps(at, labelled, size=size, sigma_px=sigma_px))
    found = render_heatmaps(at[None], labelled[None], size=size, sigma_px=sigma_px)
    np.testing.assert_array_equal(found[0], expected)


def test_people_do_not_mix():
    rng = np.random.default_rng(0)
    points, labelled = rng.uniform(-4, 20, (9, 5, 2)), rng.random((9, 5)) < 0.7
    found = render_heatmaps(points, labelled, size=(16, 12), sigma_px=2)
    assert found.shape == (9, 16, 12, 5)
    assert found.dtype == np.uint8
    for n in range(9):
        np.testing.assert_array_equal(
            found[n], quantise_heatmaps(encode_heatmaps(points[n], labelled[n], size=(16, 12), sigma_px=2))
        )


def test_nobody_labelled():
    assert not render_heatmaps(np.zeros((2, 3, 2)), np.zeros((2, 3), bool), size=(8, 8), sigma_px=2).any()


def redraw(folder):
    dataset = cocoprep.open_dataset(folder)
    crop, people = dataset.manifest.crop, list(dataset)
    points = crop_to_heatmap(np.stack([p["keypoints"] for p in people]), crop.heatmap_stride)
    labelled = np.stack([p["visibility"] for p in people]) > 0
    drawn = render_heatmaps(points, labelled, size=crop.heatmap_size, sigma_px=crop.sigma_px)
    return drawn, np.stack([p["heatmaps"] for p in people])


def test_it_draws_what_is_stored_of_real_people(coco_mini, tmp_path):
    annotations = coco_mini / "annotations" / "person_keypoints_train2017.json"
    build_folder(tmp_path / "out", annotations=annotations, images=coco_mini / "train2017")
    drawn, stored = redraw(tmp_path / "out")
    assert len(stored) > 50
    apart = np.abs(drawn.astype(int) - stored)
    assert apart.max() <= 1
    # The same machine's exponentials round alike; another's may differ in the last bit.
    assert (apart > 0).mean() < 1e-5


@pytest.mark.parametrize("size", [(64, 48), (32, 64)])
def test_it_draws_what_is_stored_of_other_shapes(people_folder, size):
    drawn, stored = redraw(people_folder(images=5, size=size))
    assert np.abs(drawn.astype(int) - stored).max() <= 1
