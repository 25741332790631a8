"""YOLO pose: odd settings and odd labels, and that nothing outside of the data set's folder is read."""

from __future__ import annotations

import json
import os
import re

import pytest
import yaml
from PIL import Image

from cocoprep.importers.yolo import label_name

CONFIG = {"train": "images/train", "kpt_shape": [2, 3], "flip_idx": [1, 0], "names": ["bird"]}
LINE = "0 0.5 0.5 0.5 0.5 0.25 0.5 2 0.75 0.5 1\n"


def write(tmp_path, label=LINE, image=True, **config):
    root = tmp_path / "set"
    for kind in ("images", "labels"):
        (root / kind / "train").mkdir(parents=True)
    if image:
        Image.new("RGB", (200, 100)).save(root / "images/train/a.jpg")
    (root / "labels/train/a.txt").write_text(label)
    (root / "data.yaml").write_text(yaml.safe_dump({**CONFIG, **config}))
    return root


def convert(run, tmp_path, *options, split="train"):
    code, out, err = run("convert", tmp_path / "set", "--from", "yolo-pose", "--out", tmp_path / "out", *options)
    path = tmp_path / f"out/annotations/person_keypoints_{split}.json"
    return code, out + err, json.loads(path.read_bytes()) if code == 0 else None


def test_numbers_become_pixels(run, tmp_path):
    write(tmp_path)
    code, said, document = convert(run, tmp_path)
    assert code == 0
    (person,) = document["annotations"]
    assert person["keypoints"] == [50, 50, 2, 150, 50, 1]
    assert person["bbox"] == [50, 25, 100, 50]
    assert document["images"] == [{"id": 1, "file_name": "images/train/a.jpg", "width": 200, "height": 100}]
    assert "cocoprep build --annotations" in said


def test_joints_without_names_are_paired_by_flip_idx(run, tmp_path):
    write(tmp_path)
    _, said, document = convert(run, tmp_path)
    assert document["categories"][0]["keypoints"] == ["left_joint_0", "right_joint_0"]
    assert "no names of joints: named by number" in said


@pytest.mark.parametrize("flip", [None, [1, 1], [0], [0, 1, 2]])
def test_a_flip_idx_that_is_none_pairs_nobody(flip, run, tmp_path):
    write(tmp_path, flip_idx=flip)
    code, _, document = convert(run, tmp_path)
    assert code in (0, 1)
    if code == 0:
        assert document["categories"][0]["keypoints"] == ["joint_0", "joint_1"]


def test_a_table_names_the_joints_or_is_refused(run, tmp_path):
    write(tmp_path)
    code, said, _ = convert(run, tmp_path, "--keypoints", "coco-17")
    assert code == 1
    assert "coco-17 has 17 joints, and kpt_shape of" in said


def test_several_classes_that_share_their_joints_are_built_together(run, tmp_path):
    write(tmp_path, LINE + "1" + LINE[1:], names=["bird", "fish"])
    _, said, document = convert(run, tmp_path)
    assert [person["category_id"] for person in document["annotations"]] == [1, 2]
    command = next(line for line in said.splitlines() if "cocoprep build" in line)
    code, out, err = run(*command.split()[1:], "--out", tmp_path / "shards", "--dry-run")
    assert code == 0, err
    assert re.search(r"annotations read +│ 2 ", out)


SIDEWAYS = ("../set/images/train", "../images/train", "/anywhere/images/train", "C:\\x\\images\\train")


@pytest.mark.parametrize("path", SIDEWAYS)
def test_paths_are_looked_for_within_the_folder(path, run, tmp_path):
    write(tmp_path, train=path)
    code, said, document = convert(run, tmp_path)
    assert code == 0, said
    assert len(document["annotations"]) == 1


def test_nothing_outside_is_read(run, tmp_path):
    root = write(tmp_path, train="../elsewhere/images")
    for kind in ("images", "labels"):
        (tmp_path / "elsewhere" / kind).mkdir(parents=True)
    (root / "images/train/a.jpg").rename(tmp_path / "elsewhere/images/a.jpg")
    os.symlink(tmp_path / "elsewhere/images/a.jpg", root / "images/train/b.jpg")
    code, said, _ = convert(run, tmp_path)
    assert code == 1
    assert "nobody can be read" in said


def test_a_list_of_photographs(run, tmp_path):
    root = write(tmp_path, val="val.txt", train=None)
    (root / "val.txt").write_text("./images/train/a.jpg\n../../etc/passwd\n")
    code, said, document = convert(run, tmp_path, split="val")
    assert code == 0
    assert [image["file_name"] for image in document["images"]] == ["images/train/a.jpg"]
    assert "LEFT OUT: 1 photograph has a name that is none, or leads out" in said


@pytest.mark.parametrize("val", [["images/train", "images/train"], ["images/train", "val.txt"], "val.txt"])
def test_a_photograph_that_a_split_names_again_has_its_people_once(val, run, tmp_path):
    root = write(tmp_path, val=val, train=None)
    (root / "val.txt").write_text("./images/train/a.jpg\nimages/train/a.jpg\n")
    code, said, document = convert(run, tmp_path, split="val")
    assert code == 0
    assert (len(document["images"]), len(document["annotations"])) == (1, 1)
    assert "named again in the same split" in said


def test_a_path_of_sixty_thousand_folders_is_passed_over_at_once(run, tmp_path):
    write(tmp_path, train=["images/train", "a/" * 60_000])
    code, said, document = convert(run, tmp_path)
    assert code == 0
    assert len(document["annotations"]) == 1
    assert "folder is not there" in said


LABELS = {
    "words": ("0 a b c d e f g h i j", "no numbers"),
    "too few": ("0 0.5 0.5", "other than 11 finite"),
    "endless": (LINE.replace("0.25", "inf"), "other than 11 finite"),
    "another class": ("7" + LINE[1:], "a class that data.yaml does not name"),
    "half a class": ("0.5" + LINE[1:], "a class that data.yaml does not name"),
    "visibility 3": (LINE.replace(" 2 ", " 3 "), "a visibility other than"),
    "visibility 0.5": (LINE.replace(" 2 ", " 0.5 "), "a visibility other than"),
    "no width": (LINE.replace("0 0.5 0.5 0.5", "0 0.5 0.5 0.0"), "positive width"),
    "far away": (LINE.replace("0.25", "1e200"), "no pixels"),
}


@pytest.mark.parametrize("case", LABELS)
def test_an_odd_line_costs_itself_and_is_told(case, run, tmp_path):
    line, says = LABELS[case]
    write(tmp_path, f"{line.strip()}\n{LINE}")
    code, said, document = convert(run, tmp_path)
    assert code == 0
    assert [person["id"] for person in document["annotations"]] == [2]
    assert says in "".join(one for one in said.splitlines() if one.startswith("LEFT OUT"))


def test_photographs_and_labels_that_are_not_there_are_told(run, tmp_path):
    root = write(tmp_path)
    Image.new("RGB", (20, 10)).save(root / "images/train/b.png")
    (root / "images/train/c.jpg").write_bytes(b"no picture")
    (root / "images/train/d.tif").write_bytes(b"")
    (root / "images/train/e.jpg").mkdir()
    (root / "images/train/notes.md").write_text("")
    (root / "labels/train/z.txt").write_text(LINE)
    code, said, document = convert(run, tmp_path)
    assert code == 0
    assert [image["file_name"] for image in document["images"]] == ["images/train/a.jpg", "images/train/b.png"]
    assert "1 photograph has no labels that can be read" in said
    assert "1 photograph cannot be read: left out with its people, such as 'images/train/c.jpg'" in said
    assert "of a kind that is not read" in said
    assert "LEFT OUT: 1 label file is of no photograph of its split, such as 'labels/train/z.txt'" in said


CONFIGS = {
    "no shape": {"kpt_shape": None},
    "four numbers a joint": {"kpt_shape": [2, 4]},
    "no joints": {"kpt_shape": [0, 3]},
    "classes from 1": {"names": {1: "bird"}},
    "no classes": {"names": []},
    "no folder": {"train": "photographs"},
    "no split": {"train": None},
    "nowhere": {"train": ".."},
}


@pytest.mark.parametrize("case", CONFIGS)
def test_settings_that_cannot_be_used_are_refused(case, run, tmp_path):
    write(tmp_path, **CONFIGS[case])
    code, said, _ = convert(run, tmp_path)
    assert code == 1
    assert said.count("error: ") == 1


def test_labels_lie_where_ultralytics_looks():
    assert label_name("images/train/a.jpg") == "labels/train/a.txt"
    assert label_name("train/images/x/a.b.png") == "train/labels/x/a.b.txt"
    assert label_name("images/images/a.jpg") == "images/labels/a.txt"
    assert label_name("photos/a.jpg") == "photos/a.txt"
