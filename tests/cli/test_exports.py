"""Small files as labelling tools and scripts write them, each with what is right.

They lie in a folder that `COCOPREP_TEST_EXPORTS` names, one folder a case; without it these tests skip. What they show
is tested by small input of their own in the rooms, too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cocoprep.coco.truth import read_truth
from cocoprep.shards.dataset import open_dataset
from cocoprep.storage.local import LocalFiles

pytestmark = pytest.mark.usefixtures("without_engine")


@pytest.fixture
def build(exports, run, tmp_path):
    """Return what builds a case: its folder opened, and all that was printed."""

    def build(case, *options, labels="labels.json", photos="photos", split=("--split", "x")):
        out = tmp_path / "out"
        code, said, err = run(
            "build", *split, "--annotations", exports / case / labels, "--images", exports / case / photos,
            "--out", out, "--workers", 1, "--shards", 1, *options,
        )  # fmt: skip
        assert code == 0, said + err
        return open_dataset(out), " ".join((said + err).split())

    return build


def only_person(dataset):
    (person,) = dataset
    return person


def in_image(dataset):
    """Return (K, 2) joints of the only person in pixel indices of the photograph, and (K,) visibility."""
    person = only_person(dataset)
    x, y, width, _ = person["crop_window"]
    points = person["keypoints"] * (width / dataset.manifest.crop.input_size[1]) + (x, y) - 0.5
    return np.where(person["visibility"][:, None] > 0, points, 0), person["visibility"]


def labelled_as(case_folder, labels="labels.json"):
    """Return the triples that the first annotation of a case has."""
    content = json.loads((case_folder / labels).read_bytes())
    return np.array(content["annotations"][0]["keypoints"], float).reshape(-1, 3)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("annotation-id-0", "1 annotation has the id 0"),
        ("another-category-in-the-file", ""),
        ("area-missing", "1 annotation has no area: that of the segment, or else 0.53 of the box's"),
        ("backslash-file-name", "1 file name has backslashes: read as slashes"),
        ("category-without-joint-names", "the category 'person' lists no joints: taken for the 17 of coco-17"),
        ("iscrowd-boolean", ""),
        ("label-studio-default-category", "1 annotation has no area"),
        ("num-keypoints-0-but-labelled", ""),
        ("area-zero", ""),
        ("jpeg-good", ""),
    ],
)
def test_one_person_is_built_and_what_was_guessed_is_told(build, exports, case, told):
    dataset, said = build(case)
    points, visibility = in_image(dataset)
    content = json.loads((exports / case / "labels.json").read_bytes())
    expected = next(a for a in content["annotations"] if len(a.get("keypoints", ())) == 51)
    triples = np.array(expected["keypoints"], float).reshape(-1, 3)
    assert visibility.tolist() == triples[:, 2].tolist()
    np.testing.assert_allclose(points, np.where(visibility[:, None] > 0, triples[:, :2], 0), atol=1e-3)
    assert told in said
    assert [note for note in dataset.manifest.notes if told and note.startswith(told)] or not told


def test_an_id_of_0_is_numbered_and_scored(build, exports, run, tmp_path):
    dataset, said = build("annotation-id-0")
    (number,) = dataset.annotation_ids
    row = pq.read_table(Path(dataset.folder) / "ledger.parquet").to_pylist()[0]
    assert (row["annotation_id"], row["source_id"]) == (number, "0")
    assert "AP 1.0000" in said
    assert read_truth(str(exports / "annotation-id-0/labels.json"), LocalFiles()).annotation_ids.tolist() == [number]


def test_another_category_is_no_fault(build):
    dataset, _ = build("another-category-in-the-file")
    assert dataset.manifest.counts.dropped["category"] == 1
    assert dataset.manifest.counts.dropped["malformed"] == 0


@pytest.mark.parametrize("labels", ["labels.json.gz", "labels.zip"])
def test_annotations_out_of_their_packing(build, labels):
    assert len(build("annotations-gz-or-zip", labels=labels)[0]) == 1


@pytest.mark.parametrize("results", ["results.json.gz", "results.zip"])
def test_results_out_of_their_packing(exports, run, results):
    case = exports / "annotations-gz-or-zip"
    code, out, err = run("evaluate", "--annotations", case / "labels.json", "--results", case / results)
    assert code == 0, err
    assert re.search(r"this result +[01]\.\d", out)


def test_utf_16_is_read(build):
    dataset, _ = build("utf-16-cure-fails", labels="labels16.json")
    assert len(dataset) == 1


def test_an_area_of_0_is_no_scale_and_told(build, exports, run):
    _, said = build("area-zero")
    assert "OKS HAS NO SCALE" in said
    case = exports / "area-zero"
    code, out, _ = run("evaluate", "--annotations", case / "labels.json", "--results", case / "results.json")
    out = " ".join(out.split())
    assert code == 0
    assert "OKS HAS NO SCALE FOR 1 OF 1 PERSON" in out
    assert "not found: 0 people" in out
    assert re.search(r" box( [\d.]+){3} 1\.0000", out)


def test_a_box_that_is_missing_is_the_extent_of_the_joints(build, exports):
    dataset, said = build("box-missing")
    triples = labelled_as(exports / "box-missing")
    points = triples[triples[:, 2] > 0, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    np.testing.assert_allclose(only_person(dataset)["bbox"][:2], low - 0.25 * (high - low), atol=1e-3)
    assert "1 annotation has no box" in said
    assert "AP 1.0000" in said  # the area, 0 as well, is a share of that box


def test_joints_in_another_order_are_put_in_cocos(build, exports):
    dataset, said = build("joints-in-another-order")
    content = json.loads((exports / "joints-in-another-order/labels.json").read_bytes())
    names = [re.sub(r"[\s_-]", "", name.lower()) for name in content["categories"][0]["keypoints"]]
    triples = labelled_as(exports / "joints-in-another-order")
    points, visibility = in_image(dataset)
    for k, name in enumerate(dataset.manifest.keypoints.names):
        x, y, seen = triples[names.index(name.replace("_", ""))]
        assert visibility[k] == seen
        np.testing.assert_allclose(points[k], (x, y) if seen else 0, atol=1e-3)
    assert "coco-17's in another order: put in that of the table" in said


def test_photographs_damaged_in_the_middle_are_dropped(exports, run, tmp_path):
    for case in ("jpeg-zero-filled-middle", "jpeg-zero-filled-tail"):
        code, _, err = run(
            "build", "--split", "x", "--annotations", exports / case / "labels.json", "--images",
            exports / case / "photos", "--out", tmp_path / case, "--workers", 1,
        )  # fmt: skip
        assert code == 1
        assert "damaged" in err or "truncated" in err or "premature end" in err


def test_num_keypoints_is_counted(build, exports, run):
    dataset, _ = build("num-keypoints-0-but-labelled")
    case = exports / "num-keypoints-0-but-labelled"
    for truth in (("--data", dataset.folder), ("--annotations", case / "labels.json")):
        code, out, err = run("evaluate", *truth, "--results", case / "results.json")
        assert code == 0, err
        assert re.search(r"this result +1\.0000", out)


def test_results_that_name_files(exports, run):
    case = exports / "results-image-id-as-file-name"
    code, out, err = run("evaluate", "--annotations", case / "labels.json", "--results", case / "results.json")
    assert code == 0, err
    assert re.search(r"this result +1\.0000", out)
    assert "1 line of the results names a photograph by its file" in " ".join(out.split())


def test_a_file_name_that_makes_no_split(build):
    dataset, _ = build("roboflow-file-name", labels="valid/_annotations.coco.json", photos="valid", split=())
    assert dataset.manifest.split == "annotations.coco"


def colours(dataset):
    """Return the mean colour of the pixels around each labelled joint of the only person."""
    person = only_person(dataset)
    crop = dataset.canonical(person["image"]).astype(int)
    places = person["keypoints"][person["visibility"] > 0].astype(int)
    height, width = crop.shape[:2]
    return np.array([crop[y, x] for x, y in places if 0 <= x < width and 0 <= y < height])


def test_a_photograph_on_its_side_is_turned_where_only_that_has_the_size(build):
    dataset, said = build("exif-90")
    assert len(dataset) == 1
    assert "1 photograph is turned upright by its EXIF orientation" in said
    red = colours(dataset)
    assert (red[:, 0] > red[:, 1:].max(axis=1) + 60).all()


def test_a_photograph_upside_down_is_warned_of_and_turned_if_told(build, run, exports, tmp_path):
    dataset, said = build("exif-180")
    assert "1 photograph has an EXIF orientation" in said
    assert "--exif upright" in said
    assert not (colours(dataset)[:, 0] > colours(dataset)[:, 1:].max(axis=1) + 60).any()
    dataset, said = build("exif-180", "--exif", "upright", "--force")
    red = colours(dataset)
    assert (red[:, 0] > red[:, 1:].max(axis=1) + 60).all()


@pytest.mark.parametrize(
    ("case", "told"),
    [("box-as-corners", "corners"), ("missing-joints-as-0-0-2", "lie at exactly (0, 0)")],
)
def test_what_looks_wrong_is_told(build, case, told):
    _, said = build(case)
    assert re.search(rf"│ warning │ [^│]*{re.escape(told)}", said)


def test_photographs_that_are_links(run, exports, tmp_path):
    case = exports / "photographs-are-links"
    (tmp_path / "photos").mkdir()
    for path in (case / "store").iterdir():
        (tmp_path / "photos" / path.name).symlink_to(path)
    command = (
        "build", "--split", "x", "--annotations", case / "labels.json", "--images", tmp_path / "photos",
        "--out", tmp_path / "out", "--workers", 1, "--shards", 1,
    )  # fmt: skip
    code, _, err = run(*command)
    assert (code, "--follow-links" in err) == (1, True)
    code, _, err = run(*command, "--follow-links")
    assert code == 0, err
    assert len(open_dataset(tmp_path / "out")) == 1


def test_a_subset_of_the_photographs(build):
    dataset, _ = build("subset-of-photographs", "--max-bad-fraction", 1)
    assert dataset.manifest.counts.images == 15
    assert dataset.manifest.counts.dropped["image"] > 0


@pytest.fixture
def network(people_folder, tmp_path):
    """Return a run whose network finds the brightest spot."""
    pytest.importorskip("tensorflow")
    from tests.support.runs import brightness_network, write_run

    data = people_folder(images=2, shards=1)
    return write_run(tmp_path / "run", data, brightness_network(open_dataset(data).manifest.crop))


def test_a_detectors_boxes_are_predicted_and_their_scores_kept(exports, run, network, tmp_path):
    case, out = exports / "detector-boxes", tmp_path / "predicted"
    code, _, err = run(
        "predict", "--run", network, "--annotations", case / "detections.json", "--images", case / "photos",
        "--out", out,
    )  # fmt: skip
    assert code == 0, err
    (box,) = json.loads((case / "detections.json").read_text())
    (line,) = json.loads((out / "results.json").read_text())
    assert [line[name] for name in ("image_id", "category_id", "box_score")] == [500004, 1, box["score"]]
    confidence = np.array(line["keypoints"][2::3])
    assert line["score"] == pytest.approx(box["score"] * confidence[confidence > 0.2].mean())
    code, said, err = run("evaluate", "--annotations", case / "labels.json", "--results", out / "results.json")
    assert code == 0, err
    assert "1 prediction for 1 person on 1 image" in said
