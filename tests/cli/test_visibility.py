"""`--visibility`: build, evaluate and predict take a file's numbers for what the user says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cocoprep import open_dataset
from tests.support.people import write_people

pytestmark = pytest.mark.usefixtures("without_engine")


@pytest.fixture
def files(tmp_path):
    """Return annotations whose hidden joints are 3, the photographs, and results that are the truth."""
    annotations, images = write_people(tmp_path / "coco", images=3)
    coco = json.loads(annotations.read_text())
    results = []
    for annotation in coco["annotations"]:
        triples = np.reshape(annotation["keypoints"], (-1, 3))
        triples[triples[:, 2] == 1, 2] = 3
        annotation["keypoints"] = triples.ravel().tolist()
        if annotation["num_keypoints"]:
            results.append({**{k: annotation[k] for k in ("image_id", "category_id", "keypoints")}, "score": 1.0})
    annotations.write_text(json.dumps(coco))
    (tmp_path / "results.json").write_text(json.dumps(results))
    return annotations, images, tmp_path / "results.json"


def test_without_it_the_file_is_refused_with_a_cure_that_works(files, run, tmp_path):
    annotations, images, results = files
    build = ["build", "--annotations", annotations, "--images", images, "--out", tmp_path / "out", "--input-size", 64]
    build += ["--workers", 1, "--shards", 1]
    evaluate = ["evaluate", "--annotations", annotations, "--results", results]
    for command in (build, evaluate):
        code, _, err = run(*command)
        assert code == 1
        assert "found 3; say what it means, such as --visibility 3=1 for hidden" in err
    code, out, err = run(*build, "--visibility", "3=1")
    assert code == 0, err
    assert "visibility that is taken for another, as --visibility says" in " ".join(out.split())
    seen = np.stack([person["visibility"] for person in open_dataset(tmp_path / "out")])
    assert set(seen.ravel().tolist()) == {0, 1, 2}
    code, out, err = run(*evaluate, "--visibility", "3=1")
    assert code == 0, err
    assert "visibility that is taken for another, as --visibility says" in " ".join(out.split())


def test_it_can_leave_joints_out(files, run, tmp_path):
    annotations, images, _ = files
    code, _, err = run(
        "build", "--annotations", annotations, "--images", images, "--out", tmp_path / "out", "--input-size", 64,
        "--workers", 1, "--shards", 1, "--visibility", "3=0", "--visibility=2=1",
    )  # fmt: skip
    assert code == 0, err
    seen = np.stack([person["visibility"] for person in open_dataset(tmp_path / "out")])
    assert set(seen.ravel().tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["3"], "expected a file's number and one of COCO's, 0, 1 or 2, such as 3=1"),
        (["3=3"], "such as 3=1"),
        (["x=1"], "such as 3=1"),
        (["3=1", "3=2"], "expected one meaning for each number, found several"),
    ],
)
def test_what_is_no_meaning_is_told(given, says, run):
    options = [part for one in given for part in ("--visibility", one)]
    code, _, err = run("build", "--annotations", "a.json", "--images", "i", *options)
    assert code == 2
    assert says in " ".join(err.split())


@pytest.mark.parametrize("command", [["evaluate", "--data", "d", "--results", "r"], ["predict", "--run", "r", "a.jpg"]])
def test_it_is_of_an_annotation_file(command, run):
    code, _, err = run(*command, "--visibility", "3=1")
    assert code == 1
    assert "--visibility goes with --annotations" in err
