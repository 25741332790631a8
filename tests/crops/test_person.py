"""Crops of real geometry: what is stored, and that flip, crop and heatmaps commute."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from cocoprep.coco.annotations import ImageInfo, Person
from cocoprep.crops.jpeg import decode_crop
from cocoprep.crops.person import crop_person
from cocoprep.crops.pixels import FILL_RGB, crop_image
from cocoprep.pose import affine
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import canonical_window, stored_window
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import decode_heatmaps
from cocoprep.pose.tables import COCO_17

WIDTH, HEIGHT = 640, 480


def noise(seed=0, width=WIDTH, height=HEIGHT):
    """Return a picture with detail at several scales."""
    rng = np.random.default_rng(seed)
    layers = [rng.integers(0, 256, (height // s + 1, width // s + 1, 3), np.uint8) for s in (2, 16, 64)]
    resized = [np.asarray(Image.fromarray(a).resize((width, height), Image.Resampling.BICUBIC), float) for a in layers]
    return Image.fromarray(np.mean(resized, axis=0).astype(np.uint8))


def person(keypoints, bbox=(100, 50, 200, 300)):
    flat = np.asarray(keypoints, "<f4")
    return Person(7, bbox, 1000.0, False, int(np.count_nonzero(flat[:, 2])), flat.tobytes())


def random_keypoints(seed, bbox):
    rng = np.random.default_rng(seed)
    points = np.column_stack(
        [rng.integers(bbox[0], bbox[0] + bbox[2], 17), rng.integers(bbox[1], bbox[1] + bbox[3], 17)]
    )
    visibility = rng.integers(0, 3, (17, 1))
    return np.hstack([points * (visibility > 0), visibility])


windows = st.tuples(st.integers(0, 400), st.integers(0, 300), st.integers(20, 240), st.integers(20, 180))


@given(windows)
def test_the_centre_of_the_stored_crop_is_the_canonical_crop(bbox):
    """To one grey level before JPEG, wherever the whole crop lies in the image."""
    crop, picture = CropConfig(), noise()
    window = canonical_window(bbox, (HEIGHT, WIDTH), crop)
    stored = np.asarray(crop_image(picture, stored_window(window, crop), crop.stored_size)).astype(int)
    alone = np.asarray(crop_image(picture, window, crop.input_size)).astype(int)
    margin = crop.margin_px
    centre = stored[margin:-margin, margin:-margin]
    real = (alone != FILL_RGB).any(axis=-1) & (centre != FILL_RGB).any(axis=-1)
    assert real.mean() > 0.1
    assert np.abs(centre - alone)[real].max() <= 1


def test_on_real_photographs_too(coco_mini):
    coco = json.loads((coco_mini / "annotations" / "person_keypoints_train2017.json").read_text())
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    crop, worst = CropConfig(), 0
    people = [annotation for annotation in coco["annotations"] if annotation["num_keypoints"]]
    for annotation in people[::4]:
        with Image.open(coco_mini / "train2017" / names[annotation["image_id"]]) as photograph:
            picture = photograph.convert("RGB")
        window = canonical_window(tuple(annotation["bbox"]), (picture.height, picture.width), crop)
        stored = np.asarray(crop_image(picture, stored_window(window, crop), crop.stored_size)).astype(int)
        alone = np.asarray(crop_image(picture, window, crop.input_size)).astype(int)
        centre = stored[26:-26, 26:-26]
        real = (alone != FILL_RGB).any(axis=-1) & (centre != FILL_RGB).any(axis=-1)
        worst = max(worst, np.abs(centre - alone)[real].max())
    assert worst <= 1


@given(windows, st.integers(0, 1000))
def test_flip_then_crop_is_crop_then_flip(bbox, seed):
    """For pixels, joints and heatmaps alike: there is no one-pixel shift to tune."""
    crop, picture = CropConfig(input_size=(128, 96)), noise()
    flip = list(COCO_17.flip_index)
    points = random_keypoints(seed, bbox)
    mirrored_points = points[flip].copy()
    labelled = mirrored_points[:, 2] > 0
    mirrored_points[labelled, 0] = WIDTH - 1 - mirrored_points[labelled, 0]
    mirrored_bbox = (WIDTH - bbox[0] - bbox[2], *bbox[1:])
    info = ImageInfo(1, "a.jpg", WIDTH, HEIGHT)
    straight = crop_person(picture, info, person(points, bbox), crop)
    mirrored = crop_person(ImageOps.mirror(picture), info, person(mirrored_points, mirrored_bbox), crop)

    np.testing.assert_array_equal(mirrored.visibility, straight.visibility[flip])
    expected = affine.flip_points(straight.keypoints, crop.input_size[1], flip)
    seen = mirrored.visibility > 0
    np.testing.assert_allclose(mirrored.keypoints[seen], expected[seen], atol=1e-3)
    flipped_maps = straight.heatmaps[:, ::-1][..., flip].astype(int)
    assert np.abs(mirrored.heatmaps - flipped_maps).max() <= 1
    window, mirrored_window = (canonical_window(b, (HEIGHT, WIDTH), crop) for b in (bbox, mirrored_bbox))
    assert mirrored_window.x0 == pytest.approx(WIDTH - window.x0 - window.width, abs=1e-3)
    pixels = np.asarray(crop_image(picture, window, crop.input_size)).astype(int)
    mirrored_pixels = np.asarray(crop_image(ImageOps.mirror(picture), mirrored_window, crop.input_size)).astype(int)
    difference = np.abs(mirrored_pixels - pixels[:, ::-1]).max(axis=-1)
    assert (difference <= 1).mean() > 0.98  # at the image's edge a pixel may fall on either side of it


@given(windows, st.integers(0, 1000))
def test_the_record_decodes_back_to_the_annotation(bbox, seed):
    crop = CropConfig()
    points = random_keypoints(seed, bbox)
    result = crop_person(noise(), ImageInfo(1, "a.jpg", WIDTH, HEIGHT), person(points, bbox), crop)
    found, peaks = decode_heatmaps(result.heatmaps)
    in_image = affine.crop_to_image(affine.heatmap_to_crop(found, crop.heatmap_stride), result.window, crop.input_size)
    seen = points[:, 2] > 0
    scale = result.window.width / crop.heatmap_size[1]  # image pixels a heatmap pixel
    assert np.abs(affine.point_to_index(in_image) - points[:, :2])[seen].max(initial=0) < 0.05 * scale + 1e-3
    assert (peaks[~seen] == 0).all()
    np.testing.assert_array_equal(result.keypoints[~seen], 0)


def test_a_joint_outside_the_window_keeps_its_point_and_its_tail():
    points = np.zeros((17, 3))
    points[0] = (310, 200, 2)  # the canonical window of this box ends at x = 300 + 12.5 + ...
    crop = CropConfig(bbox_scale=1.0)
    result = crop_person(noise(), ImageInfo(1, "a.jpg", WIDTH, HEIGHT), person(points, (100, 100, 200, 200)), crop)
    assert result.keypoints[0, 0] > 256
    assert result.heatmaps[..., 0].max() > 0
    assert result.heatmaps[..., 0].argmax() % 64 == 63
    assert result.visibility[0] == 2


def test_outside_the_image_is_filled():
    window = CropWindow(-50, -50, 100, 100)
    crop = np.asarray(crop_image(Image.new("RGB", (100, 100), (10, 200, 30)), window, (64, 64)))
    assert (crop[:32] == FILL_RGB).all()
    assert (crop[:, :32] == FILL_RGB).all()
    assert (crop[32:, 32:] == (10, 200, 30)).all()


def test_the_pixel_grid_is_the_windows():
    """A gradient tells where each pixel was taken from, to a fraction of a pixel."""
    ramp = np.broadcast_to(np.arange(200, dtype=np.uint8)[None, :, None], (200, 200, 3))
    window = CropWindow(20, 20, 160, 160)
    crop = np.asarray(crop_image(Image.fromarray(ramp), window, (64, 64)))[..., 0].astype(float)
    expected = 20 + (np.arange(64) + 0.5) * 2.5 - 0.5
    assert np.abs(crop[30, 2:-2] - expected[2:-2]).max() <= 0.51


def test_a_very_wide_window_on_a_very_long_image():
    picture = Image.new("RGB", (65000, 1), (255, 255, 255))
    crop = CropConfig()
    stored = crop_image(picture, stored_window(CropWindow(0, -40000, 81250, 81250), crop), crop.stored_size)
    assert stored.size == (308, 308)


def test_the_stored_crop_is_a_jpeg_of_the_stored_size():
    result = crop_person(noise(), ImageInfo(1, "a.jpg", WIDTH, HEIGHT), person(np.ones((17, 3))), CropConfig())
    assert decode_crop(result.jpeg, (308, 308)).shape == (308, 308, 3)
