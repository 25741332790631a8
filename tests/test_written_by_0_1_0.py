"""What people have stays readable: folders and a run that version 0.1.0 wrote, through today's command line.

How they were made is in the fixture's README.txt. Every test works on a copy and in its folder, since the run names
its shards by relative paths.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cocoprep

FIXTURE = Path(__file__).parent / "fixtures" / "written_by_0_1_0"
PEOPLE = {"train": 28, "val": 14}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Return a copy of all that was written, which is the working directory too."""
    folder = tmp_path / "copy"
    shutil.copytree(FIXTURE, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cocoprep_command(run, copy):
    """Return what runs a command that must succeed, in the copy; it returns what the command says."""

    def succeed(*arguments):
        code, out, err = run(*arguments)
        assert code == 0, out + err
        return out + err

    return succeed


@pytest.fixture
def network_command(cocoprep_command):
    """Return the same for what needs the extra `train`."""
    for module in ("tensorflow", "matplotlib", "cv2"):
        pytest.importorskip(module)
    return cocoprep_command


def read(path):
    return json.loads(Path(path).read_bytes())


def keypoints_of(results):
    """Return the image of every result, and their keypoints as (people, K, 3)."""
    points = np.array([line["keypoints"] for line in results]).reshape(len(results), -1, 3)
    return [line["image_id"] for line in results], points


def assert_figures(figures, expected, **tolerance):
    """Compare every figure that was written down."""
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_figures(figures[name], value, **tolerance)
        else:
            assert figures[name] == pytest.approx(value, **tolerance), name


# Built folders


@pytest.mark.parametrize("folder", PEOPLE)
def test_verify(folder, cocoprep_command):
    assert f"{PEOPLE[folder]} records" in cocoprep_command("verify", folder)


@pytest.mark.parametrize("folder", PEOPLE)
def test_info(folder, cocoprep_command):
    said = cocoprep_command("info", folder)
    assert f"{folder}2017" in said
    assert f"people kept                │ {PEOPLE[folder]}" in said
    assert "64 x 64, margin 7, heatmaps 16 x 16" in said


def test_open_dataset(copy):
    dataset = cocoprep.open_dataset("train")
    assert len(dataset) == len(list(dataset)) == PEOPLE["train"]
    assert dataset.manifest.versions["cocoprep"] == "0.1.0"
    person = dataset[0]
    assert person["annotation_id"] == 604
    assert (person["file_name"], person["image_id"]) == ("000000000006.jpg", 6)
    assert (person["image_width"], person["image_height"]) == (375, 500)
    assert person["area"] == 3649
    assert person["bbox"].tolist() == [74, 149, 69, 164]
    assert person["crop_window"].tolist() == [6, 128.5, 205, 205]
    assert person["visibility"].tolist() == [1, 1, 0, 2, 1, 0, 2, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2]
    np.testing.assert_allclose(person["keypoints"][[0, 2, 16]], [[22.6341, 10.9268], [0, 0], [32.9366, 52.7610]], 1e-5)
    assert (person["heatmaps"].shape, person["heatmaps"].dtype) == ((16, 16, 17), np.uint8)
    assert person["heatmaps"].sum() == 85416
    assert person["image"].shape == (78, 78, 3)
    assert person["image"].mean() == pytest.approx(151.37, abs=0.5)  # another libjpeg may round otherwise
    assert dataset.canonical(person["image"]).shape == (64, 64, 3)


def test_show(cocoprep_command, copy):
    said = cocoprep_command("show", "train", 101, "--images", "photographs", "--out", "shown.png")
    assert "without the photograph" not in said
    with Image.open("shown.png") as picture:
        assert picture.width > 600


def test_contact_sheet(cocoprep_command, copy):
    cocoprep_command("contact-sheet", "val", "--people", 14, "--columns", 7, "--out", "sheet.png")
    with Image.open("sheet.png") as picture:
        assert picture.width > 7 * 160


def test_results_against_a_folder(cocoprep_command, copy):
    """The same predictions have the same figures."""
    pytest.importorskip("matplotlib")
    cocoprep_command(
        "evaluate", "--data", "val", "--results", "results.json", "--json", "now.json", "--out", "evaluation"
    )
    assert_figures(read("now.json"), read("figures.json")["results"], rel=1e-9)


@pytest.mark.usefixtures("without_engine")
def test_build_goes_on_or_asks_for_force(run, cocoprep_command, copy):
    cocoprep_command("sample", "coco", "--images", 12)
    build = [
        "build", "--data-dir", "coco", "--split", "train2017", "--input-size", 64, "--shards", 3, "--out", "train",
        "--workers", 1,
    ]  # fmt: skip
    before = cocoprep.open_dataset("train").annotation_ids
    code, out, err = run(*build)
    if code:
        assert (code, "--force" in err) == (1, True), out + err
        assert "28 records" in cocoprep_command("verify", "train")  # as it was
    cocoprep_command(*build, "--force")
    assert "28 records" in cocoprep_command("verify", "train")
    assert cocoprep.open_dataset("train").annotation_ids == before


# The run


@pytest.mark.slow
def test_train(network_command, copy):
    network_command(
        "train", "--data", "train", "--run-dir", "new", "--epochs", 1, "--batch-size", 14,
        "--stacks", 1, "--channels", 8, "--depth", 1, "--xla", "off",
    )  # fmt: skip
    assert list((copy / "new" / "checkpoints").iterdir())


@pytest.mark.slow
def test_resume(network_command, copy):
    said = network_command("train", "--run-dir", "run", "--resume")
    assert "going on at step 7 of 14" in said
    last = [json.loads(line) for line in (copy / "run" / "log.jsonl").read_text().splitlines()][-1]
    assert (last["phase"], last["step"], last["epoch"]) == ("val", 14, 2)


def test_evaluate_run(network_command, copy):
    network_command("evaluate", "--data", "val", "--run", "run", "--json", "now.json", "--out", "evaluation")
    figures, expected = read("now.json"), read("figures.json")["run"]
    assert figures["counts"] == expected["counts"]
    # Another CPU rounds otherwise, and a joint may lie just within a threshold or just outside.
    assert_figures(figures["oks"], expected["oks"], abs=0.02)
    assert_figures(figures["pck"], expected["pck"], abs=0.02)
    assert figures["end_point_error"]["mean_px"] == pytest.approx(expected["end_point_error"]["mean_px"], abs=0.5)
    images, points = keypoints_of(read("evaluation/results.json"))
    images_then, points_then = keypoints_of(read("results.json"))
    assert images == images_then
    assert np.median(np.abs(points - points_then)[..., :2]) < 0.05
    np.testing.assert_allclose(points[..., 2], points_then[..., 2], atol=2e-3)


def test_predict(network_command, copy):
    """The boxes are those of two people of the photograph."""
    boxes = [",".join(map(str, a["bbox"])) for a in read("train/ground_truth.json")["annotations"][:2]]
    network_command(
        "predict", "--run", "run", "photographs/000000000001.jpg", "--out", "predicted", *(f"--bbox={b}" for b in boxes)
    )
    _, points = keypoints_of(read("predicted/results.json"))
    assert points.shape == (2, 17, 3)
    assert (points[..., 2] > 0.3).all()


def test_export(network_command, copy):
    network_command("export", "--run", "run", "--format", "keras", "--out", "network.keras")
    import keras

    network = keras.models.load_model(copy / "network.keras")
    assert network.input_shape == (None, 64, 64, 3)
