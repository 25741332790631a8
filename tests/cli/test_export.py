"""`cocoprep export`: what it writes is what the network does, in a process that knows nothing of us."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from cocoprep.cli.export import command
from cocoprep.errors import CocoprepError, ConfigError, OutputError
from cocoprep.model.export import export
from cocoprep.model.export.place import ExportPlace
from cocoprep.model.predict.predictor import open_predictor
from cocoprep.pose.heatmaps import decode_heatmaps
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.dataset import open_dataset
from tests.support.half_written import leave_half
from tests.support.runs import write_run

NEEDS_ONNX = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("tf2onnx", "onnxruntime"))), reason="the extra `onnx` is not installed"
)


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(images=3, shards=1)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    return str(write_run(tmp_path_factory.mktemp("runs") / "run", data))


@pytest.fixture(scope="module")
def small(data, tmp_path_factory):
    """A run of one stack."""
    return str(write_run(tmp_path_factory.mktemp("runs") / "small", data, network__stacks=1))


def write(*arguments: object) -> str:
    result = CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def crops_of(data, count: int = 5) -> np.ndarray:
    dataset = open_dataset(data)
    return np.stack([dataset.canonical(dataset[n]["image"]) for n in range(count)])


def elsewhere(code: str, folder) -> None:
    """Run code in a fresh process that can load nothing of ours."""
    path = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    hidden = "import sys; sys.modules.update(dict.fromkeys(('cocoprep', 'model')))"
    subprocess.run([sys.executable, "-c", f"{hidden}\n{code}"], cwd=folder, env=path, check=True, capture_output=True)


def check_joints(found, heatmaps: np.ndarray) -> None:
    """Hold an export's outputs against the heatmaps of the run itself, decoded by NumPy."""
    points, peaks = decode_heatmaps(heatmaps)
    assert set(found) == {"keypoints", "confidence", "heatmaps"}
    assert {found[name].dtype for name in found} == {np.dtype(np.float32)}
    np.testing.assert_allclose(found["heatmaps"], heatmaps, atol=1e-5)
    np.testing.assert_allclose(found["keypoints"], points * 4, atol=1e-3)
    np.testing.assert_allclose(found["confidence"], np.maximum(peaks, 0), atol=1e-5)


@pytest.mark.long
def test_a_savedmodel_in_a_process_of_its_own(data, small, tmp_path):
    said = write("--run", small, "--out", tmp_path / "saved")
    assert "checked on 6 people" in said
    crops = crops_of(data)
    np.save(tmp_path / "crops.npy", crops)
    elsewhere(
        "import numpy as np, tensorflow as tf\n"
        "serve = tf.saved_model.load('saved').signatures['serving_default']\n"
        "found = serve(crops=tf.constant(np.load('crops.npy')))\n"
        "np.savez('found.npz', **{name: value.numpy() for name, value in found.items()})",
        tmp_path,
    )
    check_joints(np.load(tmp_path / "found.npz"), open_predictor(small).heatmaps(crops)[-1])
    about = json.loads((tmp_path / "saved" / "metadata.json").read_text())
    assert about["joints"] == list(COCO_17.names)
    assert about["crop"]["input_size"] == [64, 48]
    assert about["flip_test"] is False
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


@pytest.mark.long
def test_a_flip_test_becomes_part_of_a_savedmodel(data, run, tmp_path):
    write("--run", run, "--out", tmp_path / "saved", "--flip-test")
    crops = crops_of(data)
    serve = tf.saved_model.load(tmp_path / "saved").signatures["serving_default"]
    found = {name: value.numpy() for name, value in serve(crops=tf.constant(crops)).items()}
    check_joints(found, open_predictor(run, flip_test=True).heatmaps(crops)[-1])
    assert json.loads((tmp_path / "saved" / "metadata.json").read_text())["flip_test"] is True


@pytest.mark.long
def test_a_keras_file_takes_pixels_as_they_are(data, run, tmp_path):
    write("--run", run, "--format", "keras", "--data", data, "--out", tmp_path / "network.keras")
    crops = crops_of(data)
    found = keras.saving.load_model(tmp_path / "network.keras")(crops, training=False)
    np.testing.assert_allclose(np.stack(found), open_predictor(run).heatmaps(crops), atol=1e-5)
    about = json.loads((tmp_path / "network.keras.json").read_text())
    assert about["format"] == "keras"
    assert list(about["outputs"]) == ["heatmaps"]


@pytest.mark.long
def test_an_export_is_not_there_before_what_tells_of_it(data, run, tmp_path, monkeypatch):
    """So that no kill leaves one without the other, which the same command would then not replace."""
    out, take, there = tmp_path / "network.keras", ExportPlace.take, []

    def look(place, written):
        there.append(json.loads((tmp_path / "network.keras.json").read_text())["format"])
        take(place, written)

    left = leave_half(tmp_path / "network.keras.json")
    monkeypatch.setattr(ExportPlace, "take", look)
    write("--run", run, "--format", "keras", "--data", data, "--out", out)
    assert there == ["keras"]
    assert not left.exists()


@NEEDS_ONNX
def test_onnx_in_a_process_without_tensorflow(data, small, tmp_path):
    write("--run", small, "--format", "onnx", "--out", tmp_path / "network.onnx")
    crops = crops_of(data)
    np.save(tmp_path / "crops.npy", crops)
    elsewhere(
        "import numpy as np, onnxruntime\n"
        "session = onnxruntime.InferenceSession('network.onnx')\n"
        "names = [output.name for output in session.get_outputs()]\n"
        "found = session.run(names, {'crops': np.load('crops.npy')})\n"
        "np.savez('found.npz', **dict(zip(names, found)))",
        tmp_path,
    )
    check_joints(np.load(tmp_path / "found.npz"), open_predictor(small).heatmaps(crops)[-1])


@pytest.mark.long
def test_what_is_there_stays_unless_it_is_forced(data, run, tmp_path):
    path = tmp_path / "network.keras"
    path.write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        write("--run", run, "--format", "keras", "--out", path)
    assert path.read_text() == "mine"
    write("--run", run, "--format", "keras", "--out", path, "--force")
    assert path.stat().st_size > 1000
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    with pytest.raises(OutputError, match="no SavedModel"):
        write("--run", run, "--out", tmp_path / "folder", "--force")
    assert os.listdir(tmp_path / "folder") == ["mine"]


def test_an_export_that_differs_is_removed_again(run, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "HEATMAP_TOLERANCE", -1.0)
    with pytest.raises(CocoprepError, match="does not do what the network does: on 6 people"):
        write("--run", run, "--format", "keras", "--out", tmp_path / "network.keras")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--format", "keras", "--flip-test"], ConfigError, "--flip-test"),
        (["--format", "keras", "--out", "network.h5"], ConfigError, r"ends in \.keras"),
        (["--data", "nowhere"], ConfigError, "--data: expected a built folder"),
    ],
)
def test_what_cannot_be_is_said(run, tmp_path, monkeypatch, arguments, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        write("--run", run, *arguments)
    assert os.listdir(tmp_path) == []
