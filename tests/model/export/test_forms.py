"""What an exported network computes of crops, and that each form has its writer and reader."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from cocoprep.model.export.forms import (
    CONFIDENCE,
    HEATMAPS,
    KEYPOINTS,
    Format,
    read_form,
    serve,
    write_form,
)
from cocoprep.model.export.place import ENDINGS
from cocoprep.model.predict.predictor import Predictor
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.manifest import crop_record
from tests.support.runs import brightness_network, spot

CROP = crop_record(CropConfig(input_size=(64, 48)))
SPOTS = [(20.0, 30.0), (31.5, 40.25), (12.0, 20.0)]


@pytest.fixture(scope="module")
def predictor():
    return Predictor(brightness_network(CROP), CROP, COCO_17)


@pytest.fixture(scope="module")
def crops():
    return np.stack([spot(48, 64, at, sigma_px=8.0) for at in SPOTS])


def test_joints_are_in_pixels_of_the_crop(predictor, crops):
    found = {name: np.asarray(value) for name, value in serve(predictor, crops).items()}
    assert {name: (one.shape, one.dtype) for name, one in found.items()} == {
        KEYPOINTS: ((3, 17, 2), np.float32),
        CONFIDENCE: ((3, 17), np.float32),
        HEATMAPS: ((3, 16, 12, 17), np.float32),
    }
    np.testing.assert_allclose(found[KEYPOINTS], np.repeat(np.array(SPOTS)[:, None], 17, axis=1), atol=0.3)
    np.testing.assert_allclose(found[CONFIDENCE], found[HEATMAPS].max(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(found[HEATMAPS], predictor.heatmaps(crops)[-1], atol=1e-5)


def test_a_confidence_is_never_below_0(predictor):
    network = brightness_network(CROP)
    head = network.get_layer("stack1_head")
    weights, bias = head.get_weights()
    head.set_weights([weights, bias - 5])
    found = serve(Predictor(network, CROP, COCO_17), np.zeros((1, 64, 48, 3), np.uint8))
    assert np.asarray(found[HEATMAPS]).max() < 0
    assert (np.asarray(found[CONFIDENCE]) == 0).all()


def test_a_keras_file_comes_back_with_its_heatmaps(predictor, crops, tmp_path):
    path = str(tmp_path / "a.keras")
    write_form(predictor, "keras", path)
    found = read_form("keras", path)(crops)
    np.testing.assert_allclose(found[HEATMAPS], predictor.heatmaps(crops), atol=1e-5)


def test_every_form_has_an_ending():
    assert set(ENDINGS) == set(get_args(Format))
