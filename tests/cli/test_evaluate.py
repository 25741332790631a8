"""`cocoprep evaluate` as a user runs it."""

from __future__ import annotations

import csv
import functools
import hashlib
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from cocoprep.cli.evaluate_report import print_evaluation
from cocoprep.coco.results import result_lines
from cocoprep.coco.truth import read_truth
from cocoprep.crops.photographs import open_images
from cocoprep.evaluation.ceiling import measure_ceiling
from cocoprep.evaluation.error_list import ERROR_COLUMNS
from cocoprep.evaluation.evaluate import evaluate
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.manifest import read_manifest, records_digest
from cocoprep.storage.local import LocalFiles
from cocoprep.version import __version__
from tests.support.building import build_folder
from tests.support.half_written import leave_half
from tests.support.people import write_people
from tests.support.scoring import HANDS, person, predictions_of, truth_of


@pytest.fixture
def run(run):
    return functools.partial(run, "evaluate")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return a folder of: coco/, an annotation file with its photographs; shards/, built of it; results.json."""
    folder = tmp_path_factory.mktemp("evaluate")
    annotations, images = write_people(folder / "coco", images=6)
    manifest = build_folder(
        folder / "shards", annotations=annotations, images=images, crop=CropConfig(input_size=(64, 64))
    )
    measure_ceiling(str(folder / "shards"), manifest, LocalFiles())
    truth, rng = read_truth(str(annotations), LocalFiles(), COCO_17), np.random.default_rng(0)
    points = truth.keypoints + rng.normal(0, 2, truth.keypoints.shape)
    sure = np.where(truth.visibility > 0, 0.9, 0.2) * rng.uniform(0.5, 1, truth.visibility.shape)
    lines = result_lines(truth.image_ids, points, rng.uniform(size=len(points)), 1, sure)
    (folder / "results.json").write_text(json.dumps(lines))
    return folder


@pytest.fixture
def files(built):
    return {
        "annotations": built / "coco" / "annotations" / "person_keypoints_train2017.json",
        "images": built / "coco" / "train2017",
        "data": built / "shards",
        "results": built / "results.json",
    }


def test_joints_in_two_orders_are_told_since_results_do_not_say_theirs(run, files, tmp_path):
    content = json.loads(files["annotations"].read_text())
    content["categories"][0] |= {"keypoints": list(COCO_17.names)[::-1], "skeleton": []}
    for entry in content["annotations"]:
        entry["keypoints"] = np.reshape(entry["keypoints"], (-1, 3))[::-1].ravel().tolist()
    turned = tmp_path / "turned.json"
    turned.write_text(json.dumps(content))
    crop = CropConfig(input_size=(64, 64))
    build_folder(tmp_path / "shards", annotations=turned, images=files["images"], crop=crop)
    warning = "warning: the results are read in the order of joints of the {}, which is not"
    for source, path, whose in (
        ("--annotations", turned, "annotation file"),
        ("--data", tmp_path / "shards", "built folder"),
    ):
        _, text, _ = run(source, path, "--results", files["results"])
        assert warning.format(whose) in " ".join(text.split())
    for source in ("annotations", "data"):
        _, text, _ = run(f"--{source}", files[source], "--results", files["results"])
        assert "the results are read in the order" not in " ".join(text.split())


def test_results_against_an_annotation_file(run, files, tmp_path):
    """Nothing is written but what was asked for."""
    out = tmp_path / "new" / "figures.json"
    code, text, err = run("--annotations", files["annotations"], "--results", files["results"], "--json", out)
    assert (code, err) == (0, "")
    figures = json.loads(out.read_text())
    assert list(figures["oks"]) == list(OKS_FIGURES)
    assert 0.2 < figures["oks"]["AP"] < 1
    assert f"{figures['oks']['AP']:.4f}" in text
    assert f"{figures['pck']['torso']['auc']:.4f}" in text
    assert figures["results"] == str(files["results"])
    assert figures["beside"] == {}
    for expected in ("torso", "head", "left out", "inversion", "threshold", "right_ankle", "in the files named below"):
        assert expected in text
    assert text.endswith(f"\n{out}\n")
    assert "ground truth's" not in text.lower()  # nobody knows whose boxes these results come from
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["figures.json"]


def test_results_against_a_built_folder_have_ceiling_and_guess_beside(run, files, tmp_path):
    out = tmp_path / "figures.json"
    code, text, _ = run("--data", files["data"], "--results", files["results"], "--json", out)
    assert code == 0
    assert "codec ceiling" in text
    assert "box, mean guess" in text
    figures = json.loads(out.read_text())
    assert figures["beside"]["codec ceiling"]["AP"] > figures["oks"]["AP"] > figures["beside"]["mean guess"]["AP"]
    alone = tmp_path / "alone.json"
    assert run("--annotations", files["annotations"], "--results", files["results"], "--json", alone)[0] == 0
    assert json.loads(alone.read_text())["oks"] == figures["oks"]


@pytest.mark.parametrize("columns", [20, 44, 80])
def test_narrow_terminals_lose_no_figure(run, files, tmp_path, monkeypatch, columns):
    out = tmp_path / "figures.json"
    arguments = ("--annotations", files["annotations"], "--results", files["results"], "--json", out)
    monkeypatch.setenv("COLUMNS", str(columns))
    code, text, _ = run(*arguments)
    assert code == 0
    assert "…" not in text
    assert max(map(len, text.splitlines()[:-1])) <= columns  # the last is a path
    for value in json.loads(out.read_text())["pck"]["box"]["auc_per_joint"].values():
        assert f"{value:.4f}" in text


def test_what_is_printed_fits_a_screen_and_says_where_the_rest_is(run, files, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, text, _ = run("--data", files["data"], "--results", files["results"])
    assert code == 0
    assert len(text.splitlines()) <= 42  # and the path of the folder may take another
    assert re.search(r"^left_ear +0\.\d{4} +9 +\d", text, re.MULTILINE)
    assert "--json FILE writes them, --out DIR a page of them." in " ".join(text.split())


def test_thresholds_of_pck(run, files, tmp_path):
    out = tmp_path / "figures.json"
    arguments = ("--annotations", files["annotations"], "--results", files["results"], "--json", out)
    code, text, _ = run(*arguments, "--pck", "0.3", "--pck", "0.015")
    assert code == 0
    assert "PCK@0.3" in text
    assert list(json.loads(out.read_text())["pck"]["head"]["at"]) == ["0.3", "0.015"]


def test_a_folder_of_everything(run, files, tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    code, text, err = run(
        "--annotations", files["annotations"], "--results", files["results"], "--images", files["images"], "--out", out
    )
    assert (code, err) == (0, "")
    assert text.endswith("\n".join(["", *(str(out / name) for name in ("figures.json", "report.html")), ""]))
    assert json.loads((out / "results.json").read_text()) == json.loads(files["results"].read_text())
    assert (out / "worst.png").stat().st_size > 1000
    figures = json.loads((out / "figures.json").read_text())
    with open(out / "errors.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == ERROR_COLUMNS
    kinds = figures["errors"]["joint"]
    wrong = sum(count for found in kinds.values() for kind, count in found.items() if kind != "good")
    assert len(rows) == wrong > 0
    names = {image["id"]: image["file_name"] for image in json.loads(files["annotations"].read_text())["images"]}
    assert all(names[int(row["image_id"])] == row["file_name"] for row in rows)
    with_data = tmp_path / "with-data"
    assert run("--data", files["data"], "--results", out / "results.json", "--out", with_data)[0] == 0
    assert json.loads((with_data / "figures.json").read_text())["oks"] == figures["oks"]
    read, of_folder = ((one / "report.html").read_text() for one in (out, with_data))
    digest = hashlib.sha256(files["annotations"].read_bytes()).hexdigest()[:16]
    assert f"{files['annotations']} (SHA-256 {digest})" in read
    assert f"fingerprint {read_manifest(str(files['data']), LocalFiles()).fingerprint}" in of_folder
    assert f"cocoprep {__version__}, numpy" in read


def test_what_a_killed_evaluation_was_writing_goes(run, files, tmp_path):
    pytest.importorskip("matplotlib")
    out, figures = tmp_path / "out", tmp_path / "figures.json"
    left = [leave_half(path) for path in (out / "report.html", out / "results.json", out / "worst.png", figures)]
    others = leave_half(tmp_path / "notes.json")
    code, *_ = run(
        "--annotations", files["annotations"], "--results", files["results"], "--out", out, "--json", figures
    )
    assert code == 0
    assert [path.exists() for path in left] == [False] * 4
    assert others.exists()


def test_photographs_that_are_not_there_cost_only_pictures(run, files, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "empty").mkdir()
    code, _, err = run(
        "--annotations", files["annotations"], "--results", files["results"], "--images", tmp_path / "empty",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 0
    assert "not every person in the report has a picture" in err
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "expected either --run, a network that predicts, or --results"),
        (["--results"], "expected the ground truth as either --data"),
        (["--results", "--run"], "found both"),
        (["--annotations"], "found neither"),
        (["--results", "--data", "--annotations"], "expected the ground truth as either --data.*found both"),
        (
            ["--run", "--annotations"],
            "--run needs --data, a built folder whose people it predicts, or --annotations with",
        ),
        (["--run", "--data", "--nms=soft"], "--nms goes with a detector's boxes, --boxes FILE"),
        (["--run", "--data", "--boxes=d.json", "--oks=3"], "--oks: expected a number from 0.001 to 1, found 3"),
        (["--results", "--data", "--images"], "--images goes with --annotations"),
        (["--results", "--annotations", "--exif=stored"], "--exif goes with --images"),
        (["--results", "--annotations", "--images"], "--images goes with --out: it is for the pictures of the report"),
        (["--results", "--annotations", "--follow-links"], "--follow-links goes with --images"),
        (["--results", "--data", "--flip-test"], "--flip-test goes with --run"),
        (["--results", "--data", "--decode=argmax"], "--decode goes with --run"),
        (["--results", "--data", "--batch-size=3"], "--batch-size goes with --run"),
        (["--results", "--data", "--boxes=truth"], "--boxes goes with --run"),
        (["--results", "--data", "--pck=-1"], "--pck: expected a number from 0 up, found -1"),
        (["--results", "--data", "--pck=nan"], "--pck: expected a number from 0 up"),
    ],
)
def test_options_that_do_not_go_together(run, options, says, tmp_path):
    values = {name: tmp_path / name for name in ("--results", "--run", "--data", "--annotations", "--images")}
    arguments = [part for option in options for part in (option, *([values[option]] if option in values else []))]
    code, _, err = run(*arguments)
    assert code == 1
    assert re.search(says, err)


def test_what_is_not_there_is_said(run, files, tmp_path):
    none = tmp_path / "none.json"
    assert "expected a JSON file of COCO results" in run("--data", files["data"], "--results", none)[2]
    assert "expected a JSON file of COCO keypoints" in run("--annotations", none, "--results", files["results"])[2]
    assert "no manifest.json" in run("--data", tmp_path, "--results", files["results"])[2]
    both = ("--annotations", files["annotations"], "--results", files["results"])
    assert "found nothing" in run(*both, "--images", none, "--out", tmp_path / "out")[2]
    assert "expected a file to write, found the folder" in run(*both, "--json", tmp_path)[2]


def test_what_is_read_is_not_overwritten(run, files, tmp_path):
    results = tmp_path / "results.json"
    results.write_bytes(files["results"].read_bytes())
    before = results.read_bytes()
    both = ("--annotations", files["annotations"], "--results", results)
    for where in (("--json", results), ("--out", tmp_path)):
        code, _, err = run(*both, *where)
        assert code == 1
        assert "would be overwritten" in err
    assert results.read_bytes() == before


def test_without_matplotlib_there_is_no_report_and_the_cure_is_named(run, files, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib" or "cocoprep.report" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    both = ("--annotations", files["annotations"], "--results", files["results"])
    code, _, err = run(*both, "--out", tmp_path / "out")
    assert code == 1
    assert "pip install 'cocoprep[report]'" in err
    assert run(*both)[0] == 0  # the figures need none of it


@pytest.fixture(scope="module")
def trained(built):
    pytest.importorskip("tensorflow")
    pytest.importorskip("matplotlib")
    from tests.support.runs import write_run

    return write_run(built / "run", built / "shards")


def test_a_run_is_evaluated_with_the_boxes_of_the_ground_truth(built, trained, run, tmp_path):
    """On other shards than it has learned from: a build of the same photographs under another name."""
    shards = tmp_path / "val"
    build_folder(
        shards, annotations=built / "coco" / "annotations" / "person_keypoints_train2017.json",
        images=built / "coco" / "train2017", split="val2017", crop=CropConfig(input_size=(64, 64)),
    )  # fmt: skip
    code, text, err = run(
        "--data", shards, "--run-dir", trained, "--flip-test", "--decode", "quarter", "--batch-size", 5
    )
    assert code == 0, err
    assert text.startswith("note: BOXES ARE THE GROUND TRUTH'S")
    out = trained / "evaluation" / "val2017"
    assert {"report.html", "results.json", "errors.csv", "figures.json"} <= {path.name for path in out.iterdir()}
    assert len(list(out.glob("heatmaps-*.png"))) == 4
    figures = json.loads((out / "figures.json").read_text())
    assert (figures["boxes"], figures["flip_test"], figures["decode"]) == ("truth", True, "quarter")
    assert figures["counts"]["people"] == figures["counts"]["people_predicted"] == 12
    chosen = json.loads((trained / "thresholds.json").read_text())
    page = (out / "report.html").read_text()
    assert "of a step that log.jsonl does not tell" in page
    assert "decoder quarter, a flip test" in page
    assert chosen["chosen_on"] == records_digest(read_manifest(str(shards), LocalFiles()))
    assert list(chosen["thresholds"]) == list(COCO_17.names)
    from cocoprep.model.run.joint_thresholds import read_thresholds

    assert read_thresholds(str(trained), COCO_17).tolist() == list(chosen["thresholds"].values())
    again = tmp_path / "again.json"
    assert run("--data", shards, "--results", out / "results.json", "--json", again)[0] == 0
    assert json.loads(again.read_text())["oks"] == figures["oks"]


def test_no_thresholds_are_chosen_on_what_was_learned_from(built, trained, run, tmp_path):
    (trained / "thresholds.json").unlink(missing_ok=True)
    code, _, err = run("--data", built / "shards", "--run", trained, "--out", tmp_path / "out")
    assert code == 0
    assert "the network has learned from these people" in err
    assert not (trained / "thresholds.json").exists()


def test_of_a_run_that_is_none_nothing_but_that_is_said(files, tmp_path):
    """What TensorFlow prints while it loads stays hidden: it did load."""
    pytest.importorskip("tensorflow")
    done = subprocess.run(
        [sys.executable, "-m", "cocoprep", "evaluate", "--data", files["data"], "--run", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path}: no run. Expected a folder that `cocoprep train` has made (--run-dir).\n"


def test_results_need_no_tensorflow(files, tmp_path):
    code = (
        "import sys; from cocoprep.cli import cli; cli(sys.argv[1:], standalone_mode=False); "
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'apache_beam'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "evaluate", "--annotations", files["annotations"], "--results", files["results"]],
        capture_output=True, text=True, check=True, cwd=tmp_path, env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_pictures_are_of_the_people(files):
    from cocoprep.report.crops import PhotographCrops, ShardCrops

    truth = read_truth(str(files["annotations"]), LocalFiles(), COCO_17)
    stored = ShardCrops(open_dataset(files["data"]))
    fresh = PhotographCrops(truth, open_images(str(files["images"]), LocalFiles()), CropConfig(input_size=(64, 64)))
    for row in np.flatnonzero(truth.counts):
        number = int(truth.annotation_ids[row])
        ours, theirs = fresh.crop_of(number), stored.crop_of(number)
        assert ours.window == theirs.window
        assert ours.picture.shape == theirs.picture.shape == (64, 64, 3)
        assert np.abs(ours.picture.astype(int) - theirs.picture).mean() < 30  # noise, which JPEG blurs
    nobody = int(truth.annotation_ids[~truth.counts][0])
    assert stored.crop_of(nobody) is None
    assert fresh.fault is None


def test_pictures_behind_links_and_under_other_names(run, files, tmp_path):
    pytest.importorskip("matplotlib")
    annotations, links = tmp_path / "people.json", tmp_path / "links"
    coco = json.loads(files["annotations"].read_text())
    for image in coco["images"]:
        image["file_name"] = f"images\\{image['file_name'].upper()}"
    annotations.write_text(json.dumps(coco))
    links.symlink_to(files["images"])
    (tmp_path / "folder").mkdir()
    for path in files["images"].iterdir():
        (tmp_path / "folder" / path.name).symlink_to(path)
    both = ("--annotations", annotations, "--results", files["results"], "--out", tmp_path / "out")
    code, _, err = run(*both, "--images", tmp_path / "folder")
    assert code == 0
    assert "not every person in the report has a picture" in err
    assert "--follow-links has it followed" in err
    code, _, err = run(*both, "--images", tmp_path / "folder", "--follow-links")
    assert code == 0
    assert "has a picture" not in err
    assert "6 without what stands before it, in another case of letters ('images/000000000001.JPG' is" in err


def test_pictures_of_photographs_without_size_or_on_their_side(files, tmp_path):
    """As the build takes them; and what hangs upon how they lie is told once a photograph."""
    from cocoprep.report.crops import PhotographCrops

    document = json.loads(files["annotations"].read_text())
    for image in document["images"]:
        del image["width"], image["height"]
    (tmp_path / "unsized.json").write_text(json.dumps(document))
    (tmp_path / "turned").mkdir()
    for image in document["images"]:
        exif = Image.Exif()
        exif[0x0112] = 6
        with Image.open(files["images"] / image["file_name"]) as picture:
            on_its_side = picture.transpose(Image.Transpose.ROTATE_90)
        on_its_side.save(tmp_path / "turned" / image["file_name"], quality=95, subsampling=0, exif=exif)
    crop = CropConfig(input_size=(64, 64))
    stated, unsized = (
        read_truth(str(path), LocalFiles(), COCO_17) for path in (files["annotations"], tmp_path / "unsized.json")
    )

    def crops(truth, images, exif):
        return PhotographCrops(truth, open_images(str(images), LocalFiles()), crop, exif=exif)

    expected = crops(stated, files["images"], "auto")
    found = {
        "unsized": crops(unsized, files["images"], "auto"),
        "turned": crops(stated, tmp_path / "turned", "auto"),
        "told to turn": crops(unsized, tmp_path / "turned", "upright"),
    }
    for row in np.flatnonzero(stated.counts):
        number = int(stated.annotation_ids[row])
        for kind, ours in found.items():
            assert ours.crop_of(number).window == expected.crop_of(number).window, kind
            difference = ours.crop_of(number).picture.astype(int) - expected.crop_of(number).picture
            assert np.abs(difference).mean() < (1 if kind == "unsized" else 30)
    assert expected.notes == found["unsized"].notes == ()
    assert [note.partition(" their EXIF")[0] for ours in list(found.values())[1:] for note in ours.notes] == [
        "6 photographs are turned upright by"
    ] * 2
    doubtful = crops(unsized, tmp_path / "turned", "auto")
    doubtful.crop_of(102)
    (note,) = doubtful.notes
    assert note.startswith("warning: 1 photograph has an EXIF orientation, such as '000000000001.jpg'")


def test_labels_that_look_wrong_are_told(run, files, tmp_path):
    document = json.loads(files["annotations"].read_text())
    for one in document["annotations"]:
        if any(one["keypoints"]):
            one["keypoints"][:3] = [0, 0, 2]
    (tmp_path / "spoilt.json").write_text(json.dumps(document))
    code, text, _ = run("--annotations", tmp_path / "spoilt.json", "--results", files["results"])
    assert code == 0
    assert "warning: labelled joints lie at exactly (0, 0), 12 in all, in 12 of 12" in text


def test_help_names_the_ways_to_call_it(run):
    _, text, _ = run("--help")
    assert "cocoprep evaluate --annotations GT.json --results R.json" in text


def test_tables_of_other_joints_and_of_nobody(tmp_path, capsys):
    truth = truth_of(tmp_path, person(1, (1, 2, 2), (3, 4, 1), (0, 0, 0)), person(2, *[(0, 0, 0)] * 3))
    for at in ((1, 2), (900, 900)):
        found = evaluate(truth, predictions_of((1, 0.5, [at] * 3)), HANDS)
        console = Console(width=60, markup=False, highlight=False)
        print_evaluation(found, HANDS, notes=["LOUD"], beside={}, source="x", console=console)
        text = capsys.readouterr().out
        assert text.startswith("note: LOUD\n")
        assert "nan" not in text
        assert re.search(r"^torso +- ", text, re.MULTILINE)
        nobody = "The other 100.0 % of labelled joints are of people who were not found."
        assert (nobody in " ".join(text.split())) == (at[0] == 900)
        assert "No thresholds of confidence" in text


def test_json_may_replace_nothing_that_is_read_or_written_beside_it(run, files, tmp_path):
    both = ("--data", files["data"], "--results", files["results"])
    for name in ("report.html", "results.json", "errors.csv"):
        code, _, err = run(*both, "--out", tmp_path / "out", "--json", tmp_path / "out" / name)
        assert code == 1
        assert "--out writes too" in err
    manifest = files["data"] / "manifest.json"
    before = manifest.read_bytes()
    code, _, err = run(*both, "--json", manifest)
    assert code == 1
    assert "would be overwritten" in err
    assert manifest.read_bytes() == before
    assert run(*both, "--out", tmp_path / "out", "--json", tmp_path / "out" / "figures.json")[0] == 0


def test_json_replaces_no_device_and_no_link(run, files, tmp_path):
    both = ("--annotations", files["annotations"], "--results", files["results"])
    os.mkfifo(tmp_path / "pipe")
    code, _, err = run(*both, "--json", tmp_path / "pipe")
    assert code == 1
    assert "found the device or pipe" in err
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "link").symlink_to(tmp_path / "figures.json")
    assert run(*both, "--json", tmp_path / "link")[0] == 0
    assert (tmp_path / "link").is_symlink()
    assert "oks" in json.loads((tmp_path / "figures.json").read_text())


def test_a_file_is_no_folder_to_write(run, files, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("--data", files["data"], "--results", files["results"], "--out", tmp_path / "file")
    assert code == 1
    assert "--out: expected a folder" in err


@pytest.mark.parametrize("option", ["--data", "--results", "--json", "--out"])
def test_what_lies_nowhere_we_know_is_refused(run, files, option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"--data": files["data"], "--results": files["results"], option: "s3://bucket/thing"}
    code, _, err = run(*(word for pair in options.items() for word in pair))
    assert code == 1
    assert f"{option}: expected a path of this machine or one that begins with gs://, found s3://bucket/thing" in err
    assert not list(tmp_path.iterdir())


def test_json_holds_the_curves_of_the_report(run, files, tmp_path):
    run("--data", files["data"], "--results", files["results"], "--json", tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    precision = figures["oks_precision"]
    assert list(precision["at"]) == [f"{0.5 + 0.05 * n:.2f}" for n in range(10)]
    assert {len(curve) for curve in precision["at"].values()} == {len(precision["recalls"])} == {101}
    assert np.mean(list(precision["at"].values())) == pytest.approx(figures["oks"]["AP"])
    assert np.mean(precision["at"]["0.75"]) == pytest.approx(figures["oks"]["AP75"])
    curve = figures["pck"]["box"]["curve"]
    at = curve["thresholds"].index(0.1)
    assert {name: values[at] for name, values in curve["pck_per_joint"].items()} == (
        figures["pck"]["box"]["at"]["0.1"]["per_joint"]
    )


@pytest.mark.parametrize("option", ["--category", "--keypoints"])
def test_a_category_goes_with_annotations(run, option):
    code, _, err = run("--data", "d", "--results", "r.json", option, "dog")
    assert code == 1
    assert f"{option} goes with --annotations" in err


def test_the_joints_of_a_category_without_names_can_be_told(run, files, tmp_path):
    document = json.loads(files["annotations"].read_text())
    for category in document["categories"]:
        del category["keypoints"]
    for one in document["annotations"]:
        one["keypoints"] = one["keypoints"][: 3 * 16]
        one["num_keypoints"] = sum(v > 0 for v in one["keypoints"][2::3])
    lines = json.loads(files["results"].read_text())
    for line in lines:
        line["keypoints"] = line["keypoints"][: 3 * 16]
    truth, results = tmp_path / "t.json", tmp_path / "r.json"
    truth.write_text(json.dumps(document))
    results.write_text(json.dumps(lines))
    code, _, err = run("--annotations", truth, "--results", results)
    assert code == 1
    assert "have 48 numbers of them" in err
    assert "--keypoints" in err
    code, said, err = run("--annotations", truth, "--results", results, "--keypoints", "mpii-16")
    assert code == 0, err
    assert "right_ankle" in said


def test_of_many_joints_the_worst_are_printed(tmp_path, capsys):
    names = [f"joint_{k}" for k in range(30)]
    table = KeypointTable("many", tuple(Joint(name, name, 0.1) for name in names), (), category="hand")
    right = [(10 * k + 10, 10 * (k % 7), 2) for k in range(30)]
    truth = truth_of(tmp_path, person(1, *right), table=table)
    wrong = [(x + (90 if k in (3, 17) else 0), y) for k, (x, y, _) in enumerate(right)]
    found = evaluate(truth, predictions_of((1, 0.5, wrong)), table)
    print_evaluation(found, table, notes=[], beside={}, source="x", console=Console(width=80, highlight=False))
    text = capsys.readouterr().out
    rows = re.findall(r"^joint_(\d+) ", text, re.MULTILINE)
    assert len(rows) == 18
    assert {"3", "17"} <= set(rows)
    assert "Of 30 joints, these 18 have the lowest AUC; all are in the last row." in text
