"""A run's network as a predictor: what it computes, the flip test, and runs that cannot be used."""

from __future__ import annotations

import json
import os

import keras
import numpy as np
import pytest

from cocoprep.errors import RecordError
from cocoprep.model.network.preprocess import normalise_images
from cocoprep.model.predict.predictor import Predictor, open_predictor
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.settings import crop_record
from tests.support.runs import random_network, write_run

CROP = crop_record(CropConfig(input_size=(32, 48)))
HANDS = KeypointTable("hands", (Joint("left_hand", "right_hand", 0.1), Joint("right_hand", "left_hand", 0.1)), ())


@pytest.fixture(scope="module")
def network():
    return random_network(CROP)


def crops(count: int = 3, size: tuple[int, int] = (32, 48)) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, *size, 3), dtype=np.uint8)


def exchanged(heatmaps: np.ndarray, table: KeypointTable) -> np.ndarray:
    """Return the heatmaps (..., h, w, K) of the mirrored person."""
    return heatmaps[..., ::-1, :][..., list(table.flip_index)]


def test_heatmaps_are_those_of_the_network(network):
    images = crops()
    found = Predictor(network, CROP, COCO_17).heatmaps(images)
    assert found.shape == (2, 3, 8, 12, 17)
    assert found.dtype == np.float32
    expected = np.stack(network(normalise_images(images), training=False))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_one_stack_is_a_stack():
    found = Predictor(random_network(CROP, stacks=1), CROP, COCO_17).heatmaps(crops())
    assert found.shape == (1, 3, 8, 12, 17)


def test_the_number_of_crops_changes_nothing(network):
    predictor, images = Predictor(network, CROP, COCO_17), crops(5)
    whole = predictor.heatmaps(images)
    np.testing.assert_allclose(predictor.heatmaps(images[:2]), whole[:, :2], atol=1e-5)


def test_flip_test_averages_with_the_mirrored_pass(network):
    images = crops()
    plain = Predictor(network, CROP, COCO_17)
    mirrored = exchanged(plain.heatmaps(images[:, :, ::-1]), COCO_17)
    found = Predictor(network, CROP, COCO_17, flip_test=True).heatmaps(images)
    np.testing.assert_allclose(found, (plain.heatmaps(images) + mirrored) / 2, atol=1e-5)
    assert np.abs(found - plain.heatmaps(images)).max() > 0.01


def test_a_mirrored_person_has_the_mirrored_prediction(network):
    predictor, images = Predictor(network, CROP, COCO_17, flip_test=True), crops()
    found = predictor.heatmaps(np.ascontiguousarray(images[:, :, ::-1]))
    np.testing.assert_allclose(found, exchanged(predictor.heatmaps(images), COCO_17), atol=1e-5)


def test_a_network_that_knows_mirrors_is_left_as_it_is():
    """Half a pixel of shift between the two passes would show: neighbouring pixels here differ by much."""
    image = keras.Input((*CROP.input_size, 3))
    left = np.random.default_rng(2).normal(size=(3, 3, 3, 1))
    head = keras.layers.Conv2D(2, 3, padding="same", name="head")
    network = keras.Model(image, [[head(keras.layers.AveragePooling2D(4)(image))]])
    head.set_weights([np.concatenate([left, left[:, ::-1]], axis=-1), np.zeros(2)])
    images = crops()
    plain = Predictor(network, CROP, HANDS).heatmaps(images)
    found = Predictor(network, CROP, HANDS, flip_test=True).heatmaps(images)
    np.testing.assert_allclose(found, plain, atol=1e-5)
    assert np.abs(np.diff(plain, axis=3)).mean() > 0.1


@pytest.fixture(scope="module")
def run(people_folder, tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "run", people_folder(images=2, shards=1))


@pytest.mark.parametrize(
    "policy",
    [pytest.param("mixed_bfloat16", marks=pytest.mark.slow), pytest.param("mixed_float16", marks=pytest.mark.long)],
)
def test_a_run_in_16_bits_predicts_in_32(people_folder, tmp_path, policy):
    exact = random_network(CROP)
    keras.config.set_dtype_policy(policy)
    try:
        network = random_network(CROP)
    finally:
        keras.config.set_dtype_policy("float32")
    data = people_folder(images=1, shards=1, size=tuple(CROP.input_size))
    predictor = open_predictor(str(write_run(tmp_path / "run", data, network, precision=policy)))
    assert {layer.compute_dtype for layer in predictor.folded.layers} == {"float32"}
    found = predictor.heatmaps(crops())
    np.testing.assert_allclose(found, Predictor(exact, CROP, COCO_17).heatmaps(crops()), atol=1e-5)


def copy_of(run, to):
    to.mkdir()
    for path in run.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


def test_a_run_is_opened_with_its_geometry(run):
    predictor = open_predictor(str(run))
    assert predictor.crop.input_size == (64, 48)
    assert predictor.table.names == COCO_17.names
    assert predictor.heatmaps(crops(1, (64, 48))).shape == (2, 1, 16, 12, 17)


def damage(run, what):
    best = run / "best.keras"
    if what == "cut short":
        best.write_bytes(best.read_bytes()[:-1000])
    elif what == "not a network":
        best.write_bytes(b"PK\x03\x04 nothing more")
    elif what == "no network":
        best.unlink()
    elif what == "no geometry":
        about = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps({k: v for k, v in about.items() if k not in ("crop", "keypoints")}))
    elif what == "other geometry":
        about = json.loads((run / "run.json").read_text())
        about["crop"]["input_size"] = [64, 64]
        (run / "run.json").write_text(json.dumps(about))
    elif what == "code of its own":
        image = keras.Input((64, 48, 3))
        keras.Model(image, keras.layers.Lambda(lambda x: x)(image)).save(best)
    elif what == "a pipe":
        best.unlink()
        os.mkfifo(best)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("cut short", r"best\.keras: not a network that can be read \(it is no .keras file, or cut short\)"),
        ("not a network", r"best\.keras: not a network that can be read"),
        ("no network", r"best\.keras: not there"),
        ("no geometry", r"run\.json: does not say of the run what it should"),
        ("other geometry", r"expected a network from \(64, 64, 3\)"),
        ("code of its own", r"best\.keras: not a network that can be read"),
        ("a pipe", r"best\.keras: cannot be read \(not a regular file\)"),
    ],
)
def test_a_run_that_cannot_be_used_is_told_in_a_line(run, tmp_path, what, message):
    damaged = copy_of(run, tmp_path / "run")
    damage(damaged, what)
    with pytest.raises(RecordError, match=message) as caught:
        open_predictor(str(damaged))
    assert "\n" not in str(caught.value)


def test_no_run_is_told(bucket, tmp_path):
    with pytest.raises(RecordError, match="no run"):
        open_predictor(str(tmp_path))
    with pytest.raises(RecordError, match="no run"):
        open_predictor(f"{bucket}/run")
