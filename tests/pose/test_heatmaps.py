from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.pose import affine
from cocoprep.pose.boxes import canonical_window
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import (
    _highest_pixel,
    decode_heatmaps,
    decode_in_image,
    encode_heatmaps,
    quantise_heatmaps,
)
from cocoprep.pose.tables import COCO_17

SIZE = (64, 48)
SIGMA = 2.0
within = st.tuples(st.floats(0, SIZE[1]), st.floats(0, SIZE[0]))
well_within = st.tuples(st.floats(3 * SIGMA, SIZE[1] - 3 * SIGMA), st.floats(3 * SIGMA, SIZE[0] - 3 * SIGMA))


def draw(points, labelled=None, size=SIZE, sigma=SIGMA):
    return encode_heatmaps(points, np.ones(len(points)) if labelled is None else labelled, size=size, sigma_px=sigma)


def test_values_are_those_of_the_formula():
    x, y = 20.3, 30.8
    heatmap = draw([(x, y)])[..., 0]
    for row, column in [(30, 20), (0, 0), (63, 47), (31, 17)]:
        expected = np.exp(-((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2) / (2 * SIGMA**2))
        assert heatmap[row, column] == pytest.approx(expected, rel=1e-12)
    assert heatmap.dtype == np.float64
    assert heatmap.shape == SIZE


def test_a_point_at_a_pixel_centre_has_peak_one():
    assert draw([(10.5, 20.5)])[20, 10, 0] == 1


def test_an_unlabelled_joint_has_a_zero_map():
    heatmaps = draw([(10, 10), (20, 20)], labelled=[0, 2])
    assert not heatmaps[..., 0].any()
    assert heatmaps[..., 1].any()


def test_quantising_rounds():
    np.testing.assert_array_equal(quantise_heatmaps(np.array([0, 0.001, 0.002, 0.5, 1])), [0, 0, 1, 128, 255])


@given(within)
def test_encode_then_decode_returns_the_point(point):
    found, peak = decode_heatmaps(draw([point]))
    np.testing.assert_allclose(found[0], point, atol=1e-6)
    assert 0 < peak[0] <= 1


@given(well_within)
def test_quantised_it_returns_the_point_within_a_thirtieth_of_a_pixel(point):
    found, _ = decode_heatmaps(quantise_heatmaps(draw([point])))
    assert np.abs(found[0] - point).max() < 0.03


@pytest.mark.parametrize(("decoder", "worst"), [("argmax", 0.51), ("quarter", 0.26), ("taylor", 1e-6)])
def test_how_far_each_decoder_is_off(decoder, worst):
    points = np.random.default_rng(0).uniform(6, 42, (300, 2))
    found, _ = decode_heatmaps(draw(points), decoder=decoder)
    errors = np.abs(found - points)
    assert errors.max() <= worst
    if decoder != "taylor":
        assert errors.mean() > 0.1  # the coarser decoders are coarser


def test_quarter_looks_at_the_higher_neighbour():
    points, _ = decode_heatmaps(draw([(10.9, 20.1)]), decoder="quarter")
    np.testing.assert_allclose(points[0], (10.75, 20.25))


def test_an_empty_map_decodes_to_the_origin_with_peak_zero():
    points, peaks = decode_heatmaps(np.zeros((*SIZE, 2), np.uint8))
    np.testing.assert_array_equal(points, np.zeros((2, 2)))
    np.testing.assert_array_equal(peaks, [0, 0])


def test_batches_decode_as_single_maps():
    batch = np.stack([draw(np.random.default_rng(n).uniform(5, 40, (4, 2))) for n in range(3)])
    points, peaks = decode_heatmaps(batch)
    for n in range(3):
        alone, peak = decode_heatmaps(batch[n])
        np.testing.assert_array_equal(points[n], alone)
        np.testing.assert_array_equal(peaks[n], peak)


@pytest.mark.parametrize("decoder", ["argmax", "quarter", "taylor"])
@given(point=well_within)
def test_flip_and_decode_commute(decoder, point):
    flip = [0]
    heatmap = draw([point])
    mirrored, _ = decode_heatmaps(heatmap[:, ::-1], decoder=decoder)
    expected = affine.flip_points(decode_heatmaps(heatmap, decoder=decoder)[0], SIZE[1], flip)
    # Where two pixels tie, argmax takes the first from its own side.
    if decoder == "taylor" or abs(point[0] % 1) > 1e-6:
        np.testing.assert_allclose(mirrored, expected, atol=1e-9)


@given(st.lists(within, min_size=17, max_size=17))
def test_flip_and_encode_commute_to_the_bit_after_quantising(points):
    flip = list(COCO_17.flip_index)
    labelled = np.arange(17) % 3
    of_flipped = quantise_heatmaps(draw(affine.flip_points(points, SIZE[1], flip), labelled=labelled[flip]))
    flipped = quantise_heatmaps(draw(points, labelled=labelled))[:, ::-1][..., flip]
    # At most the last bit, where a value lies on the edge of two steps.
    assert np.abs(of_flipped.astype(int) - flipped).max() <= 1


def test_real_keypoints_survive_the_round_trip(coco_mini, record_property):
    """The figures of the documentation: mean error in heatmap pixels of real joints 3 sigma inside the crop."""
    coco = json.loads((coco_mini / "annotations" / "person_keypoints_train2017.json").read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in coco["images"]}
    crop, exact, quantised = CropConfig(), [], []
    for annotation in coco["annotations"]:
        keypoints = np.array(annotation["keypoints"], float).reshape(-1, 3)
        if not keypoints[:, 2].any():
            continue
        window = canonical_window(tuple(annotation["bbox"]), sizes[annotation["image_id"]], crop)
        in_crop = affine.image_to_crop(affine.index_to_point(keypoints[:, :2]), window, crop.input_size)
        points = affine.crop_to_heatmap(in_crop, crop.heatmap_stride)
        heatmaps = draw(points, labelled=keypoints[:, 2], size=crop.heatmap_size)
        inside = (keypoints[:, 2] > 0) & ((points > 3 * SIGMA) & (points < 64 - 3 * SIGMA)).all(axis=1)
        for maps, errors in ((heatmaps, exact), (quantise_heatmaps(heatmaps), quantised)):
            errors.extend(np.linalg.norm(decode_heatmaps(maps)[0] - points, axis=1)[inside])
    record_property("exact", float(np.mean(exact)))
    record_property("quantised", float(np.mean(quantised)))
    print(
        f"\nround trip of {len(exact)} real joints: exact {np.mean(exact):.2e}, quantised {np.mean(quantised):.4f} px"
    )
    assert len(exact) > 600
    assert np.mean(exact) < 0.0025
    assert np.mean(quantised) < 0.01


@pytest.mark.parametrize("size", [(1, 1), (5, 1), (1, 6), (7, 9), (64, 48)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_highest_pixel_is_argmaxs_ties_included(size, dtype):
    maps = np.random.default_rng(0).integers(0, 4, (3, *size, 5)).astype(dtype)
    assert np.array_equal(_highest_pixel(maps), maps.reshape(3, -1, 5).argmax(axis=1))


@pytest.mark.parametrize("decoder", ["argmax", "quarter", "taylor"])
def test_many_people_at_once_are_each_person_step_by_step(decoder):
    """To the last bit: the ceiling of a build comes by the one way, and is held against the other."""
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 256, (5, *SIZE, 3)).astype(np.uint8)
    windows = rng.uniform(20, 300, (5, 4)).astype(np.float32)
    joints, peaks = decode_in_image(maps, windows, stride=4, input_size=(256, 192), decoder=decoder)
    for n, window in enumerate(windows.astype(float).tolist()):
        points, own_peaks = decode_heatmaps(maps[n], decoder=decoder)
        in_image = affine.crop_to_image(affine.heatmap_to_crop(points, 4), affine.CropWindow(*window), (256, 192))
        assert np.array_equal(joints[n], affine.point_to_index(in_image))
        assert np.array_equal(peaks[n], own_peaks)
    nobody = decode_in_image(maps[:0], [], stride=4, input_size=(256, 192), decoder=decoder)
    assert nobody[0].shape == (0, 3, 2)
