"""`cocoprep compare` on results files of a drawn ground truth."""

from __future__ import annotations

import functools
import json
import re

import numpy as np
import pytest
from PIL import Image

from cocoprep.cli.compare import command
from cocoprep.cli.compare_job import _names
from tests.support.people import write_people


@pytest.fixture
def people_of_runs(people_folder, tmp_path_factory):
    """Return a built folder, and two runs with networks of their own."""
    pytest.importorskip("tensorflow")
    from cocoprep.shards.manifest import read_manifest
    from cocoprep.storage.local import LocalFiles
    from tests.support.runs import brightness_network, random_network, write_run

    folder, runs = people_folder(images=4, shards=1), tmp_path_factory.mktemp("runs")
    crop = read_manifest(str(folder), LocalFiles()).crop
    networks = {"random": random_network(crop), "bright": brightness_network(crop)}
    return folder, [write_run(runs / name, folder, network) for name, network in networks.items()]


@pytest.fixture
def run(run):
    return functools.partial(run, "compare")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a folder with a ground truth, its photographs, and results of two tools, one better than the other."""
    root = tmp_path_factory.mktemp("compare")
    annotations, images = write_people(root / "files", images=6)
    content, rng = json.loads(annotations.read_text()), np.random.default_rng(0)
    for name, noise in (("good", 0.5), ("bad", 12.0)):
        lines = []
        for entry in content["annotations"]:
            if any(entry.get("keypoints") or ()) and not entry.get("iscrowd"):
                triples = np.reshape(entry["keypoints"], (-1, 3)).astype(float)
                triples[:, :2] += rng.normal(0, noise, (len(triples), 2))
                lines.append(
                    {
                        "image_id": entry["image_id"], "category_id": entry["category_id"],
                        "keypoints": triples.ravel().tolist(), "score": float(rng.uniform()),
                    }
                )  # fmt: skip
        (root / f"{name}.json").write_text(json.dumps(lines))
    (root / "truth.json").write_text(annotations.read_text())
    (root / "photographs").symlink_to(images)
    return root


def test_two_results_files(run, root, tmp_path):
    code, out, err = run(
        root / "good.json", root / "bad.json", "--annotations", root / "truth.json", "--images", root / "photographs",
        "--draws", 100, "--out", tmp_path / "out", "--json", tmp_path / "figures.json",
    )  # fmt: skip
    assert code == 0, err
    assert "OKS AP of bad.json is worse than that of good.json" in out
    assert "100 draws of photographs, seed 0" in " ".join(out.split())
    written = json.loads((tmp_path / "out/compare.json").read_text())
    assert written == json.loads((tmp_path / "figures.json").read_text())
    assert written["held_against"] == "good.json"
    assert written["differences"]["bad.json"]["AP"]["verdict"] == "worse"
    with Image.open(tmp_path / "out/differences.png") as sheet:
        assert sheet.width > 600
    assert out.rstrip().endswith("differences.png")


def test_the_same_file_by_two_names_is_not_distinguishable(run, root, tmp_path):
    (tmp_path / "good.json").write_bytes((root / "good.json").read_bytes())
    code, out, err = run(
        root / "good.json", tmp_path / "good.json", "--annotations", root / "truth.json", "--draws", 100
    )
    assert code == 0, err
    said = f"OKS AP of {tmp_path.name} is not distinguishable from that of {root.name}"  # by what differs
    assert said in " ".join(out.split())
    assert "worse" not in out
    assert "better" not in out


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["x/one.json", "y/two.json"], ["one.json", "two.json"]),
        (["runs/a/evaluation/val/results.json", "runs/b/evaluation/val/results.json"], ["a", "b"]),
        (["good.json", "x/good.json", "y/good.json"], ["good.json", "x/good.json", "y/good.json"]),
        (["runs/a/", "x/r.json", "y/r.json"], ["runs/a", "x/r.json", "y/r.json"]),
        (["r", "r/"], ["r", "r/"]),
        (["/", "//"], ["/", "//"]),
    ],
)
def test_short_names_tell_paths_apart(paths, names):
    assert _names(paths) == dict(zip(names, paths, strict=True))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["good.json"], "two runs or results files at least"),
        (["good.json", "good.json"], "more than once"),
        (["good.json", "bad.json", "--draws", "5"], "--draws: expected"),
        (["good.json", "bad.json", "--seed", "-1"], "--seed: expected"),
        (["good.json", "none.json"], "none.json: expected a JSON file of COCO results"),
        (["good.json", "bad.json", "--flip-test"], "--flip-test is for runs, found results files alone"),
        (["good.json", "bad.json", "--decode", "argmax"], "--decode is for runs, found results files alone"),
        (["good.json", "bad.json", "--data", "shards"], "expected the ground truth as either --data"),
        (["good.json", "bad.json", "--data", "shards", "--images", "photographs"], "with --data the pictures are the"),
        (["good.json", "bad.json", "--images", "photographs"], "--images goes with --out"),
        (["good.json", "bad.json", "--exif", "upright"], "--exif goes with --images"),
        (["good.json", "a-run"], "a-run is a run, which needs --data"),
        (["good.json", "bad.json", "--json", "bad.json"], "--json"),
    ],
)
def test_what_is_refused(run, root, monkeypatch, arguments, said):
    monkeypatch.chdir(root)
    (root / "a-run").mkdir(exist_ok=True)
    before = (root / "bad.json").read_bytes()
    code, out, err = run(*arguments, "--annotations", "truth.json")
    assert code == 1, out
    assert said in " ".join(err.split())
    assert set(re.findall(r"--[a-z-]+", err)) <= {option for parameter in command.params for option in parameter.opts}
    assert (root / "bad.json").read_bytes() == before


def test_two_runs_are_compared_by_what_they_predict_of_a_folder(run, people_of_runs, tmp_path):
    folder, runs = people_of_runs
    code, out, err = run(*runs, "--data", folder, "--draws", 100, "--out", tmp_path / "out")
    assert code == 0, err
    assert "all are held against random" in " ".join(out.split())
    assert "Joints of which nothing is said are not distinguishable." in out
    written = json.loads((tmp_path / "out/compare.json").read_text())
    assert set(written["differences"]) == {"bright"}
    alone = written["figures"]["bright"]["PCK@0.2"]["value"]
    from cocoprep.cli import main  # the same network, by the command that scores one

    with pytest.raises(SystemExit):
        main(["evaluate", "--data", str(folder), "--run", str(runs[1]), "--json", str(tmp_path / "one.json")])
    assert json.loads((tmp_path / "one.json").read_text())["pck"]["box"]["at"]["0.2"]["total"] == pytest.approx(
        alone, abs=1e-12
    )
