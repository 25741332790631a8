"""`cocoprep evaluate --run` in the boxes of a detector, and on photographs."""

from __future__ import annotations

import functools
import json

import pytest

from cocoprep.coco.truth import read_truth
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.sample import write_sample
from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.painted import detections, paint_truth

pytest.importorskip("tensorflow")
pytest.importorskip("matplotlib")


@pytest.fixture
def run(run):
    return functools.partial(run, "evaluate")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a folder of: truth.json and photographs/; shards/, built of them; run/; boxes.json and worse.json."""
    from tests.support.painted import colour_network
    from tests.support.runs import write_run

    root = tmp_path_factory.mktemp("boxes")
    write_sample(root / "sample", images=8)
    paint_truth(root / "sample/annotations/person_keypoints_train2017.json", root / "painted", images=5)
    truth_path, photographs = root / "painted/truth.json", root / "painted/photographs"
    build_folder(
        root / "shards", annotations=truth_path, images=photographs, split="val", crop=CropConfig(input_size=(128, 96))
    )
    crop = read_manifest(str(root / "shards"), LocalFiles()).crop
    write_run(root / "run", root / "shards", colour_network(crop))
    truth = read_truth(str(truth_path), LocalFiles(), COCO_17)
    (root / "boxes.json").write_text(json.dumps(detections(truth, jitter=0.02)))
    worse = detections(truth, jitter=0.2, missed=0.3, doubled=0.5, false=0.5)
    worse += [{**worse[0], "image_id": 99}, {**worse[0], "category_id": 7}, {**worse[0], "bbox": [-900, 0, 5, 5]}]
    (root / "worse.json").write_text(json.dumps([*worse, worse[0]]))
    return root


def test_a_detectors_boxes_on_photographs(run, root, tmp_path):
    """The figures are those of what `predict` leaves, scored as any results."""
    options = ("--run", root / "run", "--annotations", root / "painted/truth.json")
    photographs = ("--images", root / "painted/photographs")
    code, text, err = run(*options, *photographs, "--boxes", root / "worse.json", "--flip-test", "--batch-size", 8)
    assert code == 0, err
    said = " ".join(text.split())
    assert "note: BOXES ARE A DETECTOR'S: " in said
    assert "People are scored by box times joints, OKS-NMS at 0.9" in said
    assert "warning: 1 line of the detections is on no photograph that can be read, or give no crop, such as" in said
    assert "WHOEVER IS THERE COUNTS AS MISSED" in said
    assert "(with flip test, decoded by taylor, in the boxes of" in said
    assert "no thresholds" not in err
    assert not (root / "run/thresholds.json").exists()
    out = root / "run/evaluation/truth-boxes-worse"
    figures = json.loads((out / "figures.json").read_text())
    listed = json.loads((root / "worse.json").read_text())
    used = figures["boxes_used"]
    assert used["listed"] == len(listed) == sum(used.values()) - used["listed"]
    assert {name: used[name] for name in ("other category", "no image", "twice", "not looked at")} == dict.fromkeys(
        ("other category", "no image", "twice", "not looked at"), 1
    )
    assert figures["boxes"] == str(root / "worse.json")
    assert figures["box_rules"]["nms"] == "hard"
    assert (figures["flip_test"], figures["decode"], figures["crops"]) == (True, "taylor", "photographs")
    assert figures["beside"] == {}
    assert figures["counts"]["predictions"] + figures["found_twice"] == used["looked at"]
    page = (out / "report.html").read_text()
    assert "BOXES ARE A DETECTOR" in page
    assert "OKS-NMS at 0.9" in page
    # As a plain script has it: predict, then score.
    from click.testing import CliRunner

    from cocoprep.cli.predict import command

    done = CliRunner().invoke(
        command,
        [str(part) for part in (*options, *photographs, "--boxes", root / "worse.json", "--flip-test", "--out",
         tmp_path / "predicted", "--batch-size", 8, "--no-overlays")],
    )  # fmt: skip
    assert "1 of what was asked for could not be used" in str(done.exception)
    results = tmp_path / "predicted/results.json"
    assert run(*options[2:], "--results", results, "--json", tmp_path / "figures.json")[0] == 0
    plain = json.loads((tmp_path / "figures.json").read_text())
    assert {name: plain[name] for name in ("oks", "pck", "errors")} == {
        name: figures[name] for name in ("oks", "pck", "errors")
    }
    assert {line["box_score"] for line in json.loads(results.read_text())} <= {line["score"] for line in listed}


def test_several_boxes_each_by_its_own(run, root, tmp_path):
    """With a built folder, whose photographs are found where the build has read them."""
    both = ("--boxes", "truth", "--boxes", root / "boxes.json", "--boxes", root / "worse.json")
    code, text, err = run(
        "--run",
        root / "run",
        "--data",
        root / "shards",
        *both,
        "--out",
        tmp_path / "out",
        "--json",
        tmp_path / "f.json",
    )
    assert code == 0, err
    assert "OKS by whose boxes these are" in text
    figures = json.loads((tmp_path / "f.json").read_text())["by_boxes"]
    assert list(figures) == ["truth", str(root / "boxes.json"), str(root / "worse.json")]
    truth, near, worse = figures.values()
    assert truth["oks"]["AP"] > 0.2
    assert near["oks"]["AP"] > worse["oks"]["AP"]
    assert "codec ceiling" not in near["beside"]
    assert list(truth["beside"])[-1] == "mean guess"
    for name in ("truth", "boxes", "worse"):
        assert (tmp_path / "out" / name / "report.html").exists()
    alone = tmp_path / "alone.json"
    assert run("--run", root / "run", "--data", root / "shards", *both[2:4], "--json", alone)[0] == 0
    assert json.loads(alone.read_text())["oks"] == near["oks"]
    assert (root / "run/evaluation/val-boxes-boxes/figures.json").exists()


def test_the_truths_boxes_on_photographs(run, root, tmp_path):
    options = ("--run", root / "run", "--annotations", root / "painted/truth.json")
    photographs = ("--images", root / "painted/photographs", "--json", tmp_path / "figures.json")
    code, text, err = run(*options, *photographs)
    assert code == 0, err
    assert text.startswith("note: BOXES ARE THE GROUND TRUTH'S")
    assert "(without flip test, decoded by taylor, in the truth's boxes)" in " ".join(text.split())
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["boxes"], figures["crops"]) == ("truth", "photographs")
    assert figures["counts"]["people_predicted"] == figures["counts"]["people"] > 5
    assert (root / "run/evaluation/truth-photographs/report.html").exists()
    assert not (root / "run/thresholds.json").exists()


def test_boxes_that_look_like_corners_are_told(run, root, tmp_path):
    options = ("--run", root / "run", "--data", root / "shards", "--out", tmp_path / "out")
    corners = json.loads((root / "boxes.json").read_text())
    for line in corners:
        x, y, width, height = line["bbox"]
        line["bbox"] = [x, y, x + width, y + height]
    (tmp_path / "corners.json").write_text(json.dumps(corners))
    code, text, err = run(*options, "--boxes", tmp_path / "corners.json", "--boxes", root / "boxes.json")
    assert code == 0, err
    said = "boxes reach far out of their photograph, but as corners x1, y1, x2, y2 they would fit"
    assert " ".join(text.split()).count(said) == 1  # not of the sound ones


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "the list is empty"),
        ([{"image_id": 99}], "of its 1 box, none can be used; image_id 99, 1 box: no such image"),
        ([{"image_id": 1, "score": 0.1}], "no score is 0.5 or more"),
        ([{"image_id": 1, "bbox": [-900, 0, 5, 5]}], "there is nothing to score, since 1 line"),
    ],
)
def test_boxes_of_which_none_can_be_used(run, root, tmp_path, lines, says):
    (tmp_path / "boxes.json").write_text(
        json.dumps([{"category_id": 1, "bbox": [0, 0, 9, 9], "score": 0.9, **line} for line in lines])
    )
    code, _, err = run(
        "--run", root / "run", "--data", root / "shards", "--boxes", tmp_path / "boxes.json", "--box-score", 0.5,
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 1
    assert says in " ".join(err.split())
    assert "COUNTS AS MISSED" not in err  # of an error nothing counts
    assert (tmp_path / "out").exists() == ("nothing to score" in says)  # that alone is found out by looking
