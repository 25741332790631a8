"""A built folder's crops as a data set: the same bytes, and joints that lie where they lay."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from pycocotools.coco import COCO

from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.record import parse_example
from cocoprep.shards.tfrecord import read_records


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(size=(64, 48))


@pytest.fixture
def written(built, run, tmp_path):
    code, out, err = run("convert", built, "--to", "coco", "--out", tmp_path / "out")
    assert code == 0, err
    return tmp_path / "out", out + err


def records_of(folder):
    dataset = open_dataset(folder)
    for shard in dataset.manifest.shards:
        for record in read_records(io.BytesIO((folder / shard.name).read_bytes())):
            yield parse_example(record, 17)


def test_pictures_are_the_stored_bytes(built, written):
    out, _ = written
    found = {path.name: path.read_bytes() for path in (out / "train2017").iterdir()}
    assert found == {f"{person['annotation_id']}.jpg": person["image"] for person in records_of(built)}


def test_joints_boxes_and_areas_are_in_the_crops_frame(built, written):
    out, _ = written
    dataset = open_dataset(built)
    margin, (height, width) = dataset.crop.margin_px, dataset.crop.input_size
    coco = COCO(str(out / "annotations/person_keypoints_train2017.json"))
    assert sorted(coco.anns) == sorted(dataset.annotation_ids)
    for person in dataset:
        annotation, (image,) = coco.anns[person["annotation_id"]], coco.loadImgs(person["annotation_id"])
        x0, y0, w, h = person["crop_window"].astype(float)
        joints = np.array(annotation["keypoints"]).reshape(-1, 3)
        labelled = joints[:, 2] > 0
        np.testing.assert_array_equal(joints[:, 2], person["visibility"])
        np.testing.assert_allclose(joints[labelled, :2] + 0.5 - margin, person["keypoints"][labelled], atol=1e-5)
        assert not joints[~labelled].any()
        bx, by, bw, bh = person["bbox"]
        expected = [(bx - x0) * width / w + margin, (by - y0) * height / h + margin, bw * width / w, bh * height / h]
        np.testing.assert_allclose(annotation["bbox"], expected, atol=1e-3)
        assert annotation["area"] == pytest.approx(person["area"] * width / w * height / h)
        assert (image["height"], image["width"]) == person["image"].shape[:2]
        assert (image["source_file_name"], image["source_image_id"]) == (person["file_name"], person["image_id"])


def test_it_can_be_built_again(written, run, tmp_path):
    _, said = written
    command = said[said.index("cocoprep build") :].splitlines()[0].split()
    code, told, err = run(*command[1:], "--out", tmp_path / "again", "--dry-run")
    assert code == 0, err
    assert "17, coco-17" in told


def test_a_rerun_writes_the_same(written, built, run):
    out, _ = written
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (out / "train2017/999999.jpg").write_bytes(b"of an earlier build")
    (out / "train2017/notes.txt").write_bytes(b"a user's")
    assert run("convert", built, "--to", "coco", "--out", out)[0] == 0
    after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert after == {**before, out / "train2017/notes.txt": b"a user's"}


def test_a_folder_that_is_not_whole_is_refused(built, run, tmp_path):
    folder = tmp_path / "built"
    shutil.copytree(built, folder)
    shard = next(path for path in folder.iterdir() if path.name.endswith("-of-00004"))
    shard.write_bytes(shard.read_bytes()[:-9])
    code, _, err = run("convert", folder, "--to", "coco", "--out", tmp_path / "out")
    assert code == 1
    assert f"cocoprep verify {folder}" in err
    (part,) = json.loads((tmp_path / "out/converted.json").read_bytes())["parts"].values()
    assert not part["complete"]
    (folder / "manifest.json").unlink()
    code, _, err = run("convert", folder, "--to", "coco", "--out", tmp_path / "out")
    assert code == 1
    assert "no manifest.json" in err
