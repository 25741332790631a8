"""`cocoprep predict` as a user meets it: what it writes, says and refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cocoprep.cli.predict import command
from cocoprep.errors import AnnotationError, CocoprepError, ConfigError, OutputError
from cocoprep.model.predict.output import PredictionFolder
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.support.building import keypoints, write_coco
from tests.support.half_written import leave_half
from tests.support.runs import brightness_network, spot, write_run


@pytest.fixture(scope="module")
def run(people_folder, tmp_path_factory):
    """A run whose network finds the brightest spot."""
    root = tmp_path_factory.mktemp("run")
    data = people_folder(images=2, shards=1)
    return str(write_run(root / "run", data, brightness_network(read_manifest(str(data), LocalFiles()).crop)))


def predict(*arguments: object) -> str:
    """Run the command in this process; return what it says."""
    result = CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def write_spot(path, at=(70.5, 50.5), size=(160, 120), **options):
    Image.fromarray(spot(*size, at)).save(path, **options)
    return str(path)


def read(folder):
    return json.loads((folder / "results.json").read_text()), json.loads((folder / "images.json").read_text())


def test_what_a_killed_prediction_was_writing_goes(run, tmp_path):
    left = [leave_half(tmp_path / "out" / name) for name in ("results.json", "images.json", "a.jpg")]
    predict("--run", run, write_spot(tmp_path / "a.png"), "--out", tmp_path / "out")
    assert [path.exists() for path in left] == [False] * 3


def test_files_with_several_boxes(run, tmp_path):
    paths = [write_spot(tmp_path / "a.png"), write_spot(tmp_path / "b.jpg", (60.5, 70.5), quality=95)]
    said = predict("--run", run, *paths, "--bbox", "40,20,60,70", "--bbox", "30,30,80,80.5", "--out", tmp_path / "out")
    results, images = read(tmp_path / "out")
    assert [line["image_id"] for line in results] == [1, 1, 2, 2]
    assert {line["category_id"] for line in results} == {1}
    for line, at in zip(results, [(70, 50)] * 2 + [(60, 70)] * 2, strict=True):
        points = np.array(line["keypoints"]).reshape(17, 3)
        np.testing.assert_allclose(points[:, :2], np.tile(at, (17, 1)), atol=0.3)
        assert (points[:, 2] > 0.5).all()
        assert line["score"] == pytest.approx(points[:, 2].mean())
    assert images == {
        "images": [
            {"id": n, "file_name": path, "width": 160, "height": 120} for n, path in enumerate(paths, 1)
        ],
        "failed": [],
    }  # fmt: skip
    for name in ("a.jpg", "b.jpg"):
        with Image.open(tmp_path / "out" / name) as overlay:
            assert overlay.size == (160, 120)
            assert overlay.getpixel((70 if name == "a.jpg" else 60, 50 if name == "a.jpg" else 70)) != (255, 255, 255)
    assert "4 people on 2 photographs" in said
    assert "joints a person: 17.0 of 17 at a threshold of 0.2" in said
    assert "median" in said
    assert "batches of 4" in said


def test_a_folder_goes_to_the_runs_own_place(run, tmp_path):
    (tmp_path / "photographs").mkdir()
    for name in ("b.png", "a.png", "same.jpg", "same.png"):
        write_spot(tmp_path / "photographs" / name)
    predict("--run", run, tmp_path / "photographs", "--threshold", "2", "--flip-test", "--decode", "argmax")
    folder = LocalFiles().join(run, "predictions")
    assert sorted(os.listdir(folder)) == ["a.jpg", "b.jpg", "images.json", "results.json", "same-2.jpg", "same.jpg"]


def test_a_photograph_lying_on_its_side(run, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter: the top is on the right
    path = write_spot(tmp_path / "a.jpg", (30.5, 80.5), exif=exif, quality=95)
    predict("--run", run, path, "--out", tmp_path / "out", "--bbox", "10,5,80,80")
    results, images = read(tmp_path / "out")
    assert (images["images"][0]["width"], images["images"][0]["height"]) == (120, 160)
    np.testing.assert_allclose(results[0]["keypoints"][:2], [120 - 80.5 - 0.5, 30], atol=0.3)
    with Image.open(tmp_path / "out" / "a.jpg") as overlay:
        assert overlay.size == (120, 160)


def test_the_boxes_of_a_coco_file(run, tmp_path):
    seen = keypoints(nose=(70, 50, 2))
    people = [
        {"id": 1, "image_id": 7, "bbox": [40, 20, 60, 70], "keypoints": seen},
        {"id": 2, "image_id": 7, "bbox": [30, 30, 80, 80]},
        {"id": 3, "image_id": 7, "bbox": [30, 30, 80, 80], "iscrowd": 1},
        {"id": 4, "image_id": 9, "bbox": [40, 20, 60, 70]},
    ]
    pictures = {n: Image.fromarray(spot(160, 120, (70.5, 50.5))) for n in (7, 9)}
    annotations, images = write_coco(tmp_path, pictures, people)
    predict("--run", run, "--annotations", annotations, "--images", images, "--out", tmp_path / "out", "--no-overlays")
    assert [line["image_id"] for line in read(tmp_path / "out")[0]] == [7, 7, 9]
    assert sorted(os.listdir(tmp_path / "out")) == ["images.json", "results.json"]
    predict(
        "--run", run, "--annotations", annotations, "--images", images, "--out", tmp_path / "few", "--min-keypoints", 1
    )
    results, listed = read(tmp_path / "few")
    assert [line["image_id"] for line in results] == [7]
    assert listed["images"][0]["file_name"] == "000000000007.jpg"
    assert (tmp_path / "few" / "000000000007.jpg").exists()


def test_photographs_behind_links_and_under_other_names(run, tmp_path):
    people = [{"id": 1, "image_id": 7, "bbox": [40, 20, 60, 70]}]
    annotations, images = write_coco(tmp_path, {7: Image.fromarray(spot(160, 120, (70.5, 50.5)))}, people)
    coco = json.loads(annotations.read_text())
    coco["images"][0] |= {"id": "seven", "file_name": "https://host/000000000007.jpg"}
    coco["annotations"][0]["image_id"] = "seven"
    annotations.write_text(json.dumps(coco))
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "000000000007.jpg").symlink_to(images / "000000000007.jpg")
    options = ("--run", run, "--annotations", annotations, "--images", tmp_path / "links")
    with pytest.raises(CocoprepError, match="1 of what was asked for could not be used"):
        predict(*options, "--out", tmp_path / "none")
    said = predict(*options, "--out", tmp_path / "out", "--follow-links")
    assert "note: 1 file name is not quite the photographs' own. Found: 1 at the end of an address" in said
    assert "note: 1 photograph has an id that is no whole number: numbered by it" in said
    results, listed = read(tmp_path / "out")
    assert (listed["images"][0]["file_name"], listed["images"][0]["source_id"]) == ("000000000007.jpg", "seven")
    assert results[0]["image_id"] == listed["images"][0]["id"]


@pytest.mark.parametrize(
    ("orientation", "stated", "options", "at", "says"),
    [
        (6, (120, 160), (), (68.5, 29.5), "1 photograph is turned upright"),
        (6, (160, 120), (), (29.5, 50.5), ""),
        (6, None, ("--exif", "upright"), (68.5, 29.5), "1 photograph is turned upright"),
        (6, None, (), (29.5, 50.5), "--exif upright"),
        (3, (160, 120), (), (29.5, 50.5), "warning: 1 photograph has an EXIF orientation, such as 'a.jpg'"),
        (3, (160, 120), ("--exif", "stored"), (29.5, 50.5), ""),
        (3, (160, 120), ("--exif", "upright"), (129.5, 68.5), "1 photograph is turned upright"),
    ],
)
def test_a_listed_photograph_lies_as_the_build_takes_it(run, tmp_path, orientation, stated, options, at, says):
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "photographs").mkdir()
    write_spot(tmp_path / "photographs" / "a.jpg", (30.0, 51.0), exif=exif, quality=95)
    size = {} if stated is None else {"width": stated[0], "height": stated[1]}
    x, y = at
    person = {"id": 1, "image_id": 7, "bbox": [x - 20, y - 20, 45, 40], "category_id": 1, "area": 1, "iscrowd": 0}
    document = {
        "images": [{"id": 7, "file_name": "a.jpg", **size}],
        "annotations": [{**person, "keypoints": keypoints()}],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_17.names)}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(document))
    said = predict(
        "--run",
        run,
        "--annotations",
        tmp_path / "boxes.json",
        "--images",
        tmp_path / "photographs",
        "--out",
        tmp_path / "out",
        *options,
    )
    results, _ = read(tmp_path / "out")
    np.testing.assert_allclose(results[0]["keypoints"][:2], at, atol=0.4)
    assert says in said
    assert bool(says) == ("EXIF" in said)


def test_thresholds_that_evaluate_chose_are_used(run, tmp_path):
    path = write_spot(tmp_path / "a.png")
    chosen = {name: 0.1 if name.startswith("left") else 1.5 for name in COCO_17.names}
    file = LocalFiles().join(run, "thresholds.json")
    with open(file, "w") as stream:
        json.dump({"thresholds": chosen}, stream)
    try:
        said = predict("--run", run, path, "--bbox", "40,20,60,70", "--out", tmp_path / "out")
    finally:
        os.unlink(file)
    assert "joints a person: 8.0 of 17 at the thresholds that `cocoprep evaluate` chose (0.10 to 1.50)" in said


def test_bad_pictures_cost_themselves_and_the_exit_code(run, tmp_path):
    good = write_spot(tmp_path / "good.png")
    (tmp_path / "short.png").write_bytes((tmp_path / "good.png").read_bytes()[:300])
    (tmp_path / "text.jpg").write_text("no picture")
    bad = [str(tmp_path / name) for name in ("short.png", "text.jpg", "none.png")]
    command_line = [
        sys.executable, "-m", "cocoprep", "predict", "--run", run, *bad, good, "--out", str(tmp_path / "out"),
        "--bbox", "40,20,60,70", "--bbox", "400,20,60,70",
    ]  # fmt: skip
    process = subprocess.run(command_line, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    lines = process.stderr.splitlines()
    for name, line in zip([*bad, good], lines, strict=False):
        assert line.startswith("left out: ")
        assert name in line
    assert lines[4].startswith("error: 4 of what was asked for could not be used")
    assert len(lines) == 5
    assert "1 person on 1 photograph\n" in process.stdout
    results, images = read(tmp_path / "out")
    assert len(results) == 1
    assert [failed["file_name"] for failed in images["failed"]] == [*bad, good]


def test_a_flip_test_with_a_run_that_has_seen_no_mirrors_is_warned_of(run, tmp_path):
    path = write_spot(tmp_path / "a.png")
    assert "warning" not in predict("--run", run, path, "--flip-test", "--out", tmp_path / "out")
    shutil.copytree(run, tmp_path / "run")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    config["augment"]["flip_probability"] = 0.0
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    said = predict("--run", tmp_path / "run", path, "--flip-test", "--out", tmp_path / "out")
    assert "warning: --flip-test: the run was trained without mirrored people" in said


def test_nobody_at_all(run, tmp_path):
    with pytest.raises(CocoprepError, match="1 of what was asked for"):
        predict("--run", run, tmp_path / "none.jpg", "--out", tmp_path / "out")
    assert read(tmp_path / "out")[0] == []


def test_an_annotation_file_that_is_not_there(run, tmp_path):
    with pytest.raises(
        AnnotationError, match=r"--annotations: .*x\.json: expected a JSON file of COCO keypoints, or of"
    ):
        predict("--run", run, "--annotations", tmp_path / "x.json", "--images", tmp_path / "p", "--out", tmp_path / "o")


def write_boxes(path, *lines):
    boxes = [{"category_id": 1, "bbox": [40, 20, 60, 70], **line} for line in lines]
    path.write_text(json.dumps(boxes))
    return path


def test_the_boxes_of_a_detector(run, tmp_path):
    (tmp_path / "photographs").mkdir()
    for name in ("000000000007", "9", "dog"):
        write_spot(tmp_path / "photographs" / f"{name}.jpg", quality=95)
    boxes = write_boxes(
        tmp_path / "boxes.json", {"image_id": 7, "score": 0.5}, {"image_id": "dog.jpg", "score": 0.25},
        {"image_id": 7, "score": 0.75, "bbox": [30, 30, 80, 80]}, {"image_id": 9, "score": 1, "category_id": 3},
    )  # fmt: skip
    options = ("--run", run, "--annotations", boxes, "--images", tmp_path / "photographs")
    said = predict(*options, "--nms", "none", "--out", tmp_path / "out")
    assert "3 people on 2 photographs" in said
    assert "note: 1 line of the detections is of other categories: passed over" in said
    assert "note: 1 line of the detections names a photograph by its file" in said
    results, images = read(tmp_path / "out")
    assert [line["box_score"] for line in results] == [0.5, 0.75, 0.25]
    assert [line["image_id"] for line in results[:2]] == [7, 7]
    assert images["images"][1]["source_id"] == "dog.jpg"
    assert images["images"][1]["id"] == results[2]["image_id"]
    for line in results:
        confidence = np.array(line["keypoints"][2::3])
        assert line["score"] == pytest.approx(line["box_score"] * confidence[confidence > 0.2].mean())


def test_rules_of_a_detectors_boxes(run, tmp_path):
    (tmp_path / "photographs").mkdir()
    for name in ("7", "8"):
        write_spot(tmp_path / "photographs" / f"{name}.png")
    lines = [
        {"image_id": 7, "score": 0.5}, {"image_id": 7, "score": 0.75, "bbox": [30, 30, 80, 80]},
        {"image_id": 7, "score": 0.25, "bbox": [1, 90, 20, 20]}, {"image_id": 8, "score": 0.4},
    ]  # fmt: skip
    boxes = write_boxes(tmp_path / "boxes.json", *lines)
    options = ("--run", run, "--boxes", boxes, "--images", tmp_path / "photographs", "--out", tmp_path / "out")

    def kept(*more):
        said = " ".join(predict(*options, *more).split())
        results, _ = read(tmp_path / "out")
        return [line["box_score"] for line in results], [line["score"] for line in results], said

    found, scores, said = kept()
    assert found == [0.75, 0.25, 0.4]  # the spot is found twice: in the surer box it stays
    assert "scored by box times joints, OKS-NMS at 0.9, boxes of a score from 0 up; found twice and left out: 1" in said
    assert kept("--rescore", "box")[:2] == ([0.75, 0.25, 0.4],) * 2
    found, joints, _ = kept("--rescore", "joints")
    assert found == [0.5, 0.25, 0.4]  # the joints are surer in the other box
    assert joints[0] > scores[0] / 0.75
    found, soft, said = kept("--nms", "soft", "--oks", "0.5")
    assert found == [0.5, 0.75, 0.25, 0.4]
    assert soft[0] < 0.3 * soft[1]
    assert kept("--max-boxes", 1)[0] == [0.75, 0.4]
    found, _, said = kept("--box-score", 0.4, "--nms", "none")
    assert found == [0.5, 0.75, 0.4]
    assert "note: 1 line of the detections has a score below 0.4: left out" in said
    assert kept("--box-scale", 2, "--rescore", "box")[0] == [0.75, 0.25, 0.4]


def test_a_detectors_boxes_on_the_photographs_of_a_file(run, tmp_path):
    """Ids are then the file's, and its people are not looked at."""
    people = [{"id": 1, "image_id": 7, "bbox": [1, 2, 3, 4]}]
    pictures = {n: Image.fromarray(spot(160, 120, (70.5, 50.5))) for n in (7, 9)}
    annotations, images = write_coco(tmp_path, pictures, people)
    boxes = write_boxes(
        tmp_path / "boxes.json", {"image_id": 9, "score": 0.5}, {"image_id": 10, "score": 0.5},
        {"image_id": "000000000007.jpg", "score": 0.5},
    )  # fmt: skip
    options = ("--run", run, "--annotations", annotations, "--images", images, "--out", tmp_path / "out")
    said = predict(*options, "--boxes", boxes)
    assert [line["image_id"] for line in read(tmp_path / "out")[0]] == [7, 9]
    assert "1 line of the detections is on no image of" in " ".join(said.split())
    with pytest.raises(ConfigError, match="--nms goes with a detector's boxes"):
        predict(*options, "--nms", "soft")
    with pytest.raises(ConfigError, match=r"--min-keypoints: .*a detector's list"):
        predict(*options, "--boxes", boxes, "--min-keypoints", "1")


@pytest.mark.parametrize("annotations", [{}, {"annotations": []}])
def test_a_detectors_boxes_on_a_test_set(run, tmp_path, annotations):
    """As COCO's image_info_test-dev2017.json: images, and categories without joints; results are for its server."""
    (tmp_path / "photographs").mkdir()
    write_spot(tmp_path / "photographs" / "7.png")
    categories = [{"supercategory": "person", "id": 1, "name": "person"}, {"id": 2, "name": "bicycle"}]
    image = {"id": 42, "file_name": "7.png", "width": 160, "height": 120}
    test_set = tmp_path / "image_info_test-dev2017.json"
    test_set.write_text(json.dumps({"images": [image], "categories": categories, **annotations}))
    boxes = write_boxes(tmp_path / "boxes.json", {"image_id": 42, "score": 0.5})
    options = ("--run", run, "--annotations", test_set, "--images", tmp_path / "photographs", "--out", tmp_path / "out")
    predict(*options, "--boxes", boxes)
    (line,) = read(tmp_path / "out")[0]
    assert (line["image_id"], line["category_id"], len(line["keypoints"])) == (42, 1, 51)
    with pytest.raises(CocoprepError, match="annotations"):  # whose boxes, nobody says
        predict(*options)


def test_boxes_on_no_photograph_and_on_two_are_told(run, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / "photographs" / folder).mkdir(parents=True)
        write_spot(tmp_path / "photographs" / folder / "7.jpg")
    lines = [{"image_id": image_id, "score": 0.5 + n / 100} for n, image_id in enumerate((7, 7, "a/7.jpg", 8))]
    boxes = write_boxes(tmp_path / "boxes.json", *lines)
    result = CliRunner().invoke(
        command, ["--run", run, "--annotations", str(boxes), "--images", str(tmp_path / "photographs"),
                  "--out", str(tmp_path / "out")],
    )  # fmt: skip
    assert isinstance(result.exception, CocoprepError)
    said = " ".join(result.output.split())
    assert "image_id 7, 2 boxes: both 'a/7.jpg' and 'b/7.jpg' fit" in said
    assert "image_id 8, 1 box: no photograph at" in said
    results, images = read(tmp_path / "out")
    assert [line["box_score"] for line in results] == [0.52]
    assert [one["file_name"] for one in images["failed"]] == ["image_id 7", "image_id 8"]


@pytest.mark.parametrize("option", [("--category", "person"), ("--visibility", "3=1"), ("--min-keypoints", "1")])
def test_a_detectors_list_has_no_labels(run, tmp_path, option):
    boxes = write_boxes(tmp_path / "boxes.json", {"image_id": 7, "score": 0.5})
    (tmp_path / "photographs").mkdir()
    write_spot(tmp_path / "photographs" / "7.jpg")
    with pytest.raises(ConfigError, match=f"{option[0]}: .*a detector's list of boxes"):
        predict(
            "--run", run, "--annotations", boxes, "--images", tmp_path / "photographs", "--out", tmp_path / "out",
            *option,
        )  # fmt: skip


def test_what_is_read_is_never_written_over(run, tmp_path):
    photographs = tmp_path / "photographs"
    (photographs / "inner").mkdir(parents=True)
    path = write_spot(photographs / "a.jpg")
    before = (photographs / "a.jpg").read_bytes()
    (tmp_path / "link").symlink_to(photographs)
    for out in (photographs, tmp_path / "link", photographs / "inner" / ".."):
        with pytest.raises(ConfigError, match=r"--out: .* holds what is read"):
            predict("--run", run, path, "--out", out)
    annotations, images = write_coco(tmp_path / "coco", {1: Image.new("RGB", (9, 9))}, [{"id": 1, "image_id": 1}])
    for out in (images, images / "inner", annotations.parent):
        with pytest.raises(ConfigError, match=r"--out: .* holds what is read"):
            predict("--run", run, "--annotations", annotations, "--images", images, "--out", out)
    assert (photographs / "a.jpg").read_bytes() == before
    assert sorted(os.listdir(photographs)) == ["a.jpg", "inner"]
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.jpg").symlink_to(path)
    with pytest.raises(ConfigError, match=r"--out: .* holds what is read"):
        predict("--run", run, tmp_path / "links" / "a.jpg", "--out", tmp_path / "links")
    assert (tmp_path / "links" / "a.jpg").is_symlink()


@pytest.mark.parametrize(("done", "left"), [(0, 3), (2, 2)])
def test_a_run_that_is_stopped_leaves_what_is_done(run, tmp_path, monkeypatch, done, left):
    """And where nothing is done, what an earlier run has left."""
    words = ["--run", run, *(write_spot(tmp_path / f"{name}.jpg") for name in "abc")]
    words += ["--out", str(tmp_path / "out"), "--batch-size", "1"]
    predict(*words)
    add, seen = PredictionFolder.add, []

    def stop(output, one):
        if len(seen) == done:
            raise KeyboardInterrupt
        seen.append(one)
        add(output, one)

    monkeypatch.setattr(PredictionFolder, "add", stop)
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 1
    assert ("2 photographs that were done" in result.output) == (done == 2)
    assert len(read(tmp_path / "out")[0]) == left


def test_a_run_that_cannot_write_its_results_is_not_said_to_have_stopped(run, tmp_path):
    (tmp_path / "out" / "results.json").mkdir(parents=True)
    result = CliRunner().invoke(command, ["--run", run, write_spot(tmp_path / "a.jpg"), "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, OutputError)
    assert "stopped" not in result.output


def test_a_file_is_no_folder_to_write(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--out: expected a folder"):
        predict("--run", run, write_spot(tmp_path / "a.jpg"), "--out", tmp_path / "file")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected pictures or folders"),
        (["a.jpg", "--annotations", "a.json", "--images", "b"], "--annotations: names photographs and boxes"),
        (["--annotations", "a.json"], "--annotations and --images go together"),
        (["a.jpg", "--images", "b"], "--annotations and --images go together"),
        (["a.jpg", "--follow-links"], "--follow-links goes with --images"),
        (["a.jpg", "--exif", "stored"], "--exif goes with --annotations"),
        (["a.jpg", "--category", "person"], "--category goes with --annotations"),
        (["--boxes", "a.json"], "so do --boxes and --images"),
        (["a.jpg", "--boxes", "a.json", "--images", "b"], "--boxes: names photographs and boxes"),
        (["a.jpg", "--nms", "soft"], "--nms goes with a detector's boxes"),
        (["--boxes", "a", "--images", "b", "--category", "person"], "--category goes with --annotations"),
        (["--boxes", "a", "--images", "b", "--oks", "2"], "--oks: expected a number from 0.001 to 1, found 2"),
        (["--boxes", "a", "--images", "b", "--max-boxes", "0"], "--max-boxes: expected a whole number from 1"),
        (["--boxes", "a", "--images", "b", "--box-score", "nan"], "--box-score: expected a number"),
        (["--boxes", "a", "--images", "b", "--box-scale", "0"], "--box-scale: expected a number from 0.1 to 10"),
        (["a.jpg", "--batch-size", "0"], "--batch-size: expected a whole number from 1"),
        (["a.jpg", "--min-keypoints", "-1"], "--min-keypoints: expected a whole number from 0"),
        (["a.jpg", "--threshold", "nan"], "--threshold: expected a number"),
        (["a.jpg", "--out", "s3://b/o"], "--out: expected a path of this machine or one that begins with gs://"),
        (["s3://b/a.jpg"], "s3://b/a.jpg: expected a path of this machine or one that begins with gs://"),
    ],
)
def test_options_that_do_not_go_together(tmp_path, arguments, message):
    with pytest.raises(ConfigError, match=message):
        predict("--run", tmp_path / "none", *arguments)


@pytest.mark.parametrize("box", ["1,2,3", "1,2,3,x", "1,2,0,5", "1,2,3,nan", "1,2,-3,5", ""])
def test_a_box_of_the_wrong_form(box):
    result = CliRunner().invoke(command, ["--run", "r", "a.jpg", "--bbox", box])
    assert result.exit_code == 2
    assert "expected x,y,width,height" in result.output
