"""`cocoprep evaluate` where the predicted joints are others than the data's, and what other data sets state."""

from __future__ import annotations

import functools
import json
import re

import numpy as np
import pytest

from cocoprep.coco.results import result_lines
from cocoprep.evaluation.by_crowding import CROWDPOSE_FIGURES
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.shards.names import GROUND_TRUTH
from tests.support.any_joints import write
from tests.support.building import build_folder
from tests.support.people import write_people

LSP, CROP = named_table("lsp-14"), CropConfig(input_size=(64, 48))


@pytest.fixture
def run(run):
    return functools.partial(run, "evaluate")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a folder of: coco/ and lsp/, built folders of people of either table, and the files beside them."""
    root = tmp_path_factory.mktemp("across")
    annotations, images = write_people(root / "coco-files", images=4)
    build_folder(root / "coco", annotations=annotations, images=images, crop=CROP)
    inputs = write(root / "lsp-files", LSP)
    content = json.loads(inputs["annotations"].read_text())
    for n, entry in enumerate(content["annotations"]):
        entry |= {"head_size": 10.5 + n, "bbox": [n, 2 * n, 90, 80]}
    for n, image in enumerate(content["images"]):
        image["crowdIndex"] = n / 4
    inputs["annotations"].write_text(json.dumps(content))
    build_folder(root / "lsp", split="val2017", crop=CROP, **inputs)
    return root


@pytest.fixture(scope="module")
def trained(root):
    pytest.importorskip("tensorflow")
    pytest.importorskip("matplotlib")
    from tests.support.runs import write_run

    return write_run(root / "run", root / "coco")


def lines_of(annotations):
    """Return COCO's joints for everybody: those of LSP where both have them."""
    lines = []
    for entry in json.loads(annotations.read_text())["annotations"]:
        if "keypoints" in entry and any(entry["keypoints"]):
            at = dict(zip(LSP.names, np.reshape(entry["keypoints"], (-1, 3))[:, :2].tolist(), strict=True))
            points = np.array([at.get(name, (0, 0)) for name in COCO_17.names], float)
            lines += result_lines([entry["image_id"]], points[None], [0.5], 1)
    return lines


def test_a_network_on_people_of_another_table(run, root, trained, tmp_path):
    code, text, err = run("--data", root / "lsp", "--run", trained)
    assert code == 0, err
    assert "12 of the 14 joints of the data (lsp-14) are predicted (coco-17): 96 of 112 labelled joints, 85.7 %" in text
    assert "Predicted and not scored: nose, left_eye" in text
    assert "JOINTS ARE THOSE THAT BOTH HAVE" in text
    assert "no thresholds of confidence written: the data have other joints than the run" in err
    assert not (trained / "thresholds.json").exists()
    out = trained / "evaluation" / "val2017-lsp-14"
    figures = json.loads((out / "figures.json").read_text())
    assert figures["joint_map"]["joints"]["neck"] == {"predicted": None, "by": None}
    assert figures["coverage"]["labelled_joints_shared"] == 96
    assert list(figures["beside"]) == ["mean guess"]
    assert len(figures["pck"]["box"]["joints_per_joint"]) == 12
    assert len(json.loads((out / "results.json").read_text())[0]["keypoints"]) == 3 * 17
    page = (out / "report.html").read_text()
    assert 'id="across"' in page
    assert "12 of the 14 joints of the data (lsp-14)" in page
    assert re.search(r">left hip</th>\s*<td[^>]*>left hip</td><td[^>]*>name<", page)
    assert "PCKh by the head sizes of the file" in page
    assert "as CrowdPose&#39;s own code counts it: photographs are easy whose crowd index is below 0.2" in page
    assert list(out.glob("heatmaps-*.png"))
    # Read by any tool's way, its results score the same.
    theirs = ("--data", root / "lsp", "--results", out / "results.json")
    code, _, err = run(*theirs)
    assert code == 1
    assert "expected 42 numbers in keypoints" in err
    assert "`evaluate --results-keypoints TABLE` says so" in err
    code, text, err = run(*theirs, "--results-keypoints", "coco-17", "--json", tmp_path / "figures.json")
    assert (code, err) == (0, "")
    assert (
        json.loads((tmp_path / "figures.json").read_text())["oks"]
        == json.loads((out / "figures.json").read_text())["oks"]
    )
    assert "12 of the 14 joints" in text


def test_results_of_another_table_against_a_file(run, root, tmp_path):
    annotations = root / "lsp-files" / "annotations" / "person_keypoints_train2017.json"
    (tmp_path / "results.json").write_text(json.dumps(lines_of(annotations)))
    theirs = ("--annotations", annotations, "--results", tmp_path / "results.json", "--results-keypoints", "coco-17")
    code, text, err = run(*theirs, "--json", tmp_path / "figures.json")
    assert code == 0, err
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["results_keypoints"] == "coco-17"
    assert figures["oks"]["AP"] == pytest.approx(1)
    nobody = dict.fromkeys(CROWDPOSE_FIGURES, -1)
    assert figures["oks_by_crowding"]["hard"] == {**nobody, "images": 0, "people": 0}
    assert (figures["oks_by_crowding"]["easy"]["images"], figures["oks_by_crowding"]["medium"]["images"]) == (1, 3)
    assert figures["pckh"]["Total"] == 1
    assert "PCKh@0.5, as MPII" in text
    assert "OKS, as CrowdPose" in text
    assert re.search(r"neck +- +- +\d+\n", text)
    assert "Predicted by the same name: 12 joints." in text
    code, text, _ = run(*theirs, "--map", "neck=nose", "--map", "left_hip=")
    assert "12 of the 14 joints" in text
    assert re.search(r"neck +nose +--map", text)
    assert re.search(r"left_hip +- +--map", text)


@pytest.mark.parametrize("option", [["--results-keypoints", "coco-17"], []])
def test_joints_that_are_the_datas_go_the_old_way(run, root, tmp_path, option):
    annotations = root / "coco-files" / "annotations" / "person_keypoints_train2017.json"
    lines = []
    for entry in json.loads(annotations.read_text())["annotations"]:
        at = np.reshape(entry["keypoints"], (1, -1, 3))[..., :2] + [[entry["id"] % 7, 1.0]]
        lines += result_lines([entry["image_id"]], at, [1 / entry["id"]], 1)
    (tmp_path / "results.json").write_text(json.dumps(lines))
    code, text, err = run(
        "--annotations",
        annotations,
        "--results",
        tmp_path / "results.json",
        "--json",
        tmp_path / "figures.json",
        *option,
    )
    assert code == 0, err
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert not {"joint_map", "coverage", "pckh", "oks_by_crowding"} & set(figures)
    assert "BOTH HAVE" not in text


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--map", "neck"], 2, "expected the name of a joint of the data"),
        (["--map", "=nose"], 2, "expected the name of a joint of the data"),
        (["--map", "neck=nose", "--map", "neck="], 2, "each joint of the data once"),
        (["--map", "throat=nose"], 1, "--map: expected a joint of lsp-14"),
        (["--map", "neck=throat"], 1, "--map: expected a joint of coco-17"),
        (["--map", "neck=nose", "--map", "head_top=nose"], 1, "'nose' is to be two joints of lsp-14"),
        (["--results-keypoints", "hand-21"], 1, "have no joint in common"),
        (["--results-keypoints", "nothing"], 1, "--results-keypoints"),
    ],
)
def test_what_cannot_be_is_said(run, root, tmp_path, options, code, said):
    annotations = root / "lsp-files" / "annotations" / "person_keypoints_train2017.json"
    (tmp_path / "results.json").write_text(json.dumps(lines_of(annotations)))
    theirs = [] if "--results-keypoints" in options else ["--results-keypoints", "coco-17"]
    found = run("--annotations", annotations, "--results", tmp_path / "results.json", *theirs, *options)
    assert found[0] == code
    assert said in " ".join(found[2].split())


def test_options_go_with_what_they_are_of(run, root):
    given = ("--data", root / "lsp")
    code, _, err = run(*given, "--run", root / "run", "--results-keypoints", "coco-17")
    assert (code, "--results-keypoints goes with --results" in err) == (1, True)
    code, _, err = run(*given, "--results", root / "r.json", "--map", "neck=nose")
    assert (code, "--map goes with --run or --results-keypoints" in err) == (1, True)


def test_a_built_folder_keeps_what_its_file_states(root):
    truth = json.loads((root / "lsp" / GROUND_TRUTH).read_text())
    assert [one["crowdIndex"] for one in truth["images"]] == [0, 0.25, 0.5, 0.75]
    assert [one["head_size"] for one in truth["annotations"]] == [10.5 + n for n in range(8)]
    plain = json.loads((root / "coco" / GROUND_TRUTH).read_text())
    assert not any("crowdIndex" in one for one in plain["images"])
    assert not any("head_size" in one for one in plain["annotations"])
