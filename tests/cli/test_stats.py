"""`cocoprep stats` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cocoprep.builder.config import SelectConfig
from cocoprep.coco.official import KNOWN_PEOPLE
from cocoprep.inspection.charts import CHARTS
from tests.support.building import build_folder
from tests.support.people import write_people
from tests.support.two_sources import COCO, two_sources

FIGURES = ("photographs", "labels", "boxes", "overlap", "crops")


def rows_of(out: str) -> dict[str, list[str]]:
    """Return the cells of tables' rows by the first; of a row that several have, the last."""
    lines = [[cell.strip() for cell in line.strip("│┃").split("│")] for line in out.splitlines() if "│" in line]
    return {cells[0]: cells[1:] for cells in lines}


def test_a_file_in_figures(run, tmp_path):
    path, _ = write_people(tmp_path)
    code, out, err = run("stats", path)
    assert code == 0, err
    rows = rows_of(out)
    assert rows["photographs"] == ["10"]
    assert rows["annotations"] == ["30"]
    assert rows["no joint labelled"] == ["10 (33.3%)"]
    assert rows["COCO's whole file"] == ["112,652 (42.9%)"]
    assert "with 30 of its 262,465 annotations" in err
    assert "shifted" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert len(out.splitlines()) <= 40


def test_two_side_by_side_and_what_shifted(run, tmp_path):
    first, _ = write_people(tmp_path / "a", images=120)
    second, _ = write_people(tmp_path / "b", images=120, people=2, seed=1)
    code, out, _ = run("stats", first, second, "--json", tmp_path / "f.json")
    assert code == 0
    assert rows_of(out)["no joint labelled"][:2] == ["33.3%", "50.0%"]
    assert "what shifted from a" in out
    found = json.loads((tmp_path / "f.json").read_text())
    assert [one["name"] for one in found["data_sets"]] == ["a", "b"]
    assert found["shifts_from"] == "a"
    (shift,) = (one for one in found["shifts"] if one["figure"] == "no joint labelled")
    assert shift["shown"] == {"a": "33.3%", "b": "50.0%"}
    assert shift["effects"]["b"]["measure"] == "Cohen's h"
    assert 0.2 < shift["effects"]["b"]["size"] < 0.5
    assert shift["effects"]["b"]["words"] == "small"


def test_three_say_which_is_farthest(run, tmp_path):
    paths = [write_people(tmp_path / name, images=120, people=n)[0] for name, n in (("a", 4), ("b", 3), ("c", 2))]
    code, out, _ = run("stats", *paths)
    assert code == 0
    assert "*: farthest from the first" in " ".join(out.split())
    assert rows_of(out)["no joint labelled"][:3] == ["25.0%", "33.3%", "50.0% *"]


def test_a_small_share_is_not_zero_and_numbers_stay_whole(run, tmp_path):
    path, _ = write_people(tmp_path, images=1100, people=2)
    content = json.loads(path.read_text())
    person = next(entry for entry in content["annotations"] if entry["num_keypoints"])
    place = next(n for n in range(2, 51, 3) if person["keypoints"][n])
    person["keypoints"][place - 2] = person["bbox"][0] - 5
    path.write_text(json.dumps(content))
    code, out, _ = run("stats", path)
    rows = rows_of(out)
    assert code == 0
    assert rows["joints outside of their box"][0] == "1 (<0.1%)"
    assert " / " in rows["kept by --min-keypoints 1 / 5 / 10 / 17"][0]


@pytest.mark.parametrize("command", ["stats", "check"])
def test_a_dash_is_no_file(run, tmp_path, monkeypatch, command):
    path, _ = write_people(tmp_path)
    monkeypatch.chdir(tmp_path)
    code, _, err = run(command, path, "--json", "-")
    assert code == 1
    assert "--json: expected a file to write, found -" in err
    assert not (tmp_path / "-").exists()


def test_of_few_nothing_shifted(run, tmp_path):
    first, second = (write_people(tmp_path / name, images=2, seed=n)[0] for n, name in enumerate("ab"))
    code, out, _ = run("stats", first, second)
    assert code == 0
    assert "Nothing shifted by more than it may by chance" in out


def test_charts_and_examples(run, tmp_path):
    path, images = write_people(tmp_path / "coco")
    out = tmp_path / "figures"
    code, said, _ = run("stats", path, "--out", out, "--images", images)
    assert code == 0
    names = {*CHARTS, "without-labels.jpg", "crop-steps.jpg"}
    assert {file.name for file in out.iterdir()} == names
    assert all(str(out / name) in said for name in names)
    # Those of an earlier run go, and nothing else.
    (out / "mine.jpg").touch()
    assert run("stats", path, "--out", out)[0] == 0
    assert {file.name for file in out.iterdir()} == {*CHARTS, "mine.jpg"}


def test_a_page(run, tmp_path, people_folder):
    page = tmp_path / "made/page.html"
    code, said, err = run("stats", people_folder(), "--page", page, "--page-people", 20)
    assert code == 0, err
    assert str(page) in said
    written = page.read_text()
    assert "20 of 30 entries are here" in " ".join(written.split())
    assert "COCO&#39;s whole file" in written  # the figures that are printed
    assert f"fingerprint {json.loads((people_folder() / 'manifest.json').read_text())['fingerprint']}" in written
    assert len(list(page.parent.glob("page-pictures/0/*-maps.jpg"))) > 5


def test_a_page_of_a_file_and_of_photographs_that_are_gone(run, tmp_path, people_folder):
    path, images = write_people(tmp_path / "coco")
    code, _, err = run("stats", path, "--page", tmp_path / "page.html", "--images", images)
    assert code == 0, err
    assert len(list(tmp_path.glob("page-pictures/0/a*.jpg"))) > 30
    (images / "000000000001.jpg").unlink()
    code, _, err = run("stats", path, "--page", tmp_path / "page.html", "--images", images)
    assert (code, "1 photograph is not shown, the first because" in err) == (0, True)


def test_examples_of_several(run, tmp_path, people_folder):
    path, images = write_people(tmp_path / "coco")
    out = tmp_path / "figures"
    code, _, err = run("stats", path, people_folder(), "--out", out, "--images", images)
    assert code == 0, err
    assert {"1-train2017-crop-steps.jpg", "2-out-crop-steps.jpg"} < {file.name for file in out.iterdir()}


def test_a_built_folder(run, people_folder):
    code, out, _ = run("stats", people_folder())
    assert code == 0
    assert rows_of(out)["kept in the folder"] == ["20"]


def test_a_folder_of_several_sources(run, tmp_path):
    select = SelectConfig(max_bad_fraction=0.5)
    build_folder(tmp_path / "out", sources=two_sources(tmp_path), table=COCO, select=select)
    code, out, err = run("stats", tmp_path / "out")
    assert code == 0, err
    assert "note: 10 joints are of no kind that the annotation's source labels: left out of" in err
    assert rows_of(out)["labelled most often"] == ["nose 100%"]


def test_inputs_are_not_changed(run, tmp_path, people_folder):
    path, _ = write_people(tmp_path / "coco")
    folder = people_folder()
    before = {file: file.read_bytes() for root in (tmp_path, folder) for file in root.rglob("*") if file.is_file()}
    assert run("stats", path, folder)[0] == 0
    assert {file: file.read_bytes() for file in before} == before
    assert {file for root in (tmp_path, folder) for file in root.rglob("*") if file.is_file()} == set(before)


def test_what_visibilities_mean_may_be_said(run, tmp_path):
    path, _ = write_people(tmp_path)
    code, out, _ = run("stats", path, "--visibility", "2=0")
    assert code == 0
    assert rows_of(out)["visible / hidden / not labelled, %"][0].startswith("0/")


def test_the_known_whole_is_told(run, tmp_path, monkeypatch):
    from cocoprep.coco.official import KnownPeople
    from cocoprep.inspection import statistics

    path, _ = write_people(tmp_path)
    monkeypatch.setattr(statistics, "KNOWN_PEOPLE", {path.name: KnownPeople(10, 30, 20)})
    code, out, err = run("stats", path)
    assert code == 0
    assert f"all that COCO's {path.name} has" in out
    assert "fetch it again" not in err


def test_known_figures_are_those_of_coco():
    train, val = KNOWN_PEOPLE.values()
    assert train.images + val.images == 66_808
    assert train.annotations + val.annotations == 273_469
    assert 1 - (train.labelled + val.labelled) / 273_469 == pytest.approx(0.4289, abs=5e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument"),
        (("none.json",), "expected a COCO keypoints file or a built folder, found nothing"),
        (("{file}", "{file}"), "found one of them twice"),
        (("{file}", "--images", "x"), "Add --out"),
        (("{file}", "--page", "{out}"), "--page: expected a file that ends in .html"),
        (("{file}", "{file}x", "--page", "{out}.html"), "--page: is of one PATH; found 2"),
        (("{file}", "--page-people", "5"), "--page-people: is of the gallery of --page"),
        (("{file}", "--out", "{out}", "--images", "x", "--images", "y"), "expected 1 at most"),
        (("{file}", "--out", "{out}", "--images", "x"), "expected a folder, a .zip or a .tar of photographs"),
        (("{file}", "--out", "{file}"), "which is read"),
        (("{file}", "--bbox-scale", "0"), "--bbox-scale: expected a number"),
        (("{file}", "--keypoints", "none"), "--keypoints"),
        (("{file}", "--category", "none"), "--category"),
        (("http://x/y.json",), "expected a path of this machine"),
    ],
)
def test_what_is_wrong_is_told(run, tmp_path, arguments, message):
    path, _ = write_people(tmp_path / "coco", images=2)
    filled = [word.format(file=path, out=tmp_path / "out") for word in arguments]
    code, out, err = run("stats", *filled)
    assert code in (1, 2)
    assert message in err
    assert not out


def test_an_output_is_not_an_input(run, tmp_path):
    path, images = write_people(tmp_path / "coco", images=2)
    (tmp_path / "folder.html").mkdir()
    for options in (
        ("--json", path), ("--out", path), ("--out", images, "--images", images), ("--json", tmp_path),
        ("--page", tmp_path / "folder.html"), ("--page", images / "page.html", "--images", images),
    ):  # fmt: skip
        code, _, err = run("stats", path, *options)
        assert code == 1
        assert options[0] in err
    assert json.loads(path.read_text())["annotations"]


def test_a_built_folder_is_not_written_into(run, people_folder):
    for options in (
        ("--json", people_folder() / "manifest.json"), ("--out", people_folder()),
        ("--page", people_folder() / "page.html"),
    ):  # fmt: skip
        code, _, err = run("stats", people_folder(), *options)
        assert (code, "which is read" in err) == (1, True)


def test_real_coco_and_others(run, coco_mini, skeletons, tmp_path):
    annotations = coco_mini / "annotations"
    code, _, err = run(
        "stats", annotations / "person_keypoints_train2017.json", annotations / "person_keypoints_val2017.json",
        skeletons / "crowdpose/test_crowdpose.json", "--json", tmp_path / "f.json", "--out", tmp_path / "out",
        "--images", coco_mini / "train2017",
    )  # fmt: skip
    assert code == 0, err
    train = json.loads((tmp_path / "f.json").read_text())["data_sets"][0]
    labels = train["labels"]
    assert (labels["annotations"], labels["without_labels"], labels["crowds"]) == (172, 86, 5)
    assert labels["without_labels_by_likely_cause"] == {"crowd": 5, "small": 78, "cut": 0, "overlapped": 0, "other": 3}
    assert train["photographs"]["listed"] == 80
    assert set(FIGURES) < set(train)
    assert Path(tmp_path, "out/1-train2017-without-labels.jpg").exists()


@pytest.mark.parametrize("name", ["ap10k", "onehand10k", "aic", "crowdpose", "ochuman", "animalpose", "humanart"])
def test_joints_of_others(run, skeletons, tmp_path, name):
    path = skeletons / name / f"test_{name}.json"
    code, _, err = run("stats", path, "--json", tmp_path / "f.json", "--out", tmp_path / "out", "--category", "all")
    assert code == 0, err
    assert json.loads((tmp_path / "f.json").read_text())["data_sets"][0]["labels"]["people"] > 0
