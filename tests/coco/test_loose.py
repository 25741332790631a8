"""Numbers as text, joints in lists of their own, photographs by file: read by build and evaluate alike, and counted."""

from __future__ import annotations

import json
from copy import deepcopy

import msgspec
import numpy as np
import pytest

from cocoprep.coco.annotations import parse_annotation_file
from cocoprep.coco.loose import read_loosely
from cocoprep.coco.people import parse_entries
from cocoprep.coco.truth import read_truth
from cocoprep.errors import AnnotationError
from cocoprep.storage.local import LocalFiles
from tests.support.scoring import HANDS, coco_of, person, write_json

JOINTS = [(1.5, 2, 2), (3, 4, 1), (9, 9, 0)]
AS_TEXT = "1 annotation has numbers that are written as text: read as numbers"
IN_LISTS = "1 annotation has a list of x, y, visibility for each joint: read as one list"
BY_FILE = "1 annotation has the name of a photograph's file in place of its id: taken for that of this name"


def good():
    return coco_of(person(5, *JOINTS), images=3)


def read_both(tmp_path, content):
    """Return what a build and what an evaluation read, and what each says."""
    file = parse_annotation_file(json.dumps(content).encode(), "people.json", HANDS)
    entries = parse_entries(file)
    return entries, file.notes, read_truth(write_json(tmp_path, content), LocalFiles(), HANDS)


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"category_id": "1"}, AS_TEXT),
        ({"area": "1000"}, AS_TEXT),
        ({"area": " 1.0e3 ", "iscrowd": "0", "bbox": ["0", 0, "100.0", 50], "category_id": "1"}, AS_TEXT),
        ({"keypoints": [list(joint) for joint in JOINTS]}, IN_LISTS),
        ({"image_id": "1.jpg"}, BY_FILE),
    ],
)
def test_both_read_what_is_meant_and_say_so(fields, note, tmp_path):
    (plain,), _, truth = read_both(tmp_path, good())
    content = good()
    content["annotations"][0].update(fields)
    (entry,), notes, found = read_both(tmp_path, content)
    assert entry == plain
    assert note in notes
    assert note in found.notes
    assert found.document == truth.document
    for field in ("keypoints", "visibility", "bbox", "area", "image_ids", "crowd"):
        np.testing.assert_array_equal(getattr(found, field), getattr(truth, field))


def test_text_in_joints_and_each_joint_a_list():
    raw = msgspec.json.encode({"keypoints": [["1.5", 2, "2"], [3, "-4", 1]]})
    entry, kinds = read_loosely(msgspec.Raw(raw))
    assert entry.keypoints == [1.5, 2, 2, 3, -4, 1]
    assert len(kinds) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"area": "big"}, {"area": "nan"}, {"area": "Infinity"}, {"area": "0x10"}, {"area": "1_0"}, {"area": ""},
        {"area": [1]}, {"bbox": "1,2,3,4"}, {"bbox": {"x": 1}}, {"keypoints": [[1, 2], [3, 4]]},
        {"keypoints": [[1, 2, 2], 5]}, {"keypoints": {"a": 1}}, {"keypoints": [[[1, 2, 2]]]}, {"area": "1" * 300},
        {"iscrowd": "no"}, {"keypoints": [["a", 1, 2]]}, {"area": "\u0661"},
    ],
)  # fmt: skip
def test_what_is_no_number_is_none(fields):
    assert read_loosely(msgspec.Raw(msgspec.json.encode(fields))) is None


@pytest.mark.parametrize("text", [b"[" * 5000, b'{"keypoints":' + b"[" * 900 + b"]" * 900 + b"}", b"5", b""])
def test_what_is_no_entry_is_none(text):
    assert read_loosely(msgspec.Raw(text)) is None


def test_a_fault_stays_what_it_was():
    content = good()
    content["annotations"][0]["area"] = "big"
    file = parse_annotation_file(json.dumps(content).encode(), "people.json", HANDS)
    assert "Expected `float | null`, got `str` - at `$.area`" in parse_entries(file)[0].fault
    assert not +file.guesses


def test_ids_of_categories_as_text(tmp_path):
    content = good()
    content["categories"][0]["id"] = content["annotations"][0]["category_id"] = "1"
    (entry,), notes, truth = read_both(tmp_path, content)
    assert (entry.fault, truth.category_id) == (None, 1)
    assert "1 category id is written as text: read as numbers" in notes
    content["categories"][0]["id"] = "person"
    with pytest.raises(AnnotationError, match=r"Expected `int`, got `str` - at `\$\.categories\[0\]\.id`"):
        read_both(tmp_path, content)


def test_a_category_that_lists_no_joints_may_have_a_list_for_each(tmp_path):
    content = good()
    del content["categories"][0]["keypoints"]
    content["annotations"][0]["keypoints"] = [list(joint) for joint in JOINTS]
    (entry,), _, _ = read_both(tmp_path, content)
    assert entry.fault is None


@pytest.mark.parametrize(
    ("names", "own", "found"),
    [
        (["a/1.jpg", "b/2.jpg"], "b/2.jpg", 2),
        (["a/1.jpg", "b/2.jpg"], "b\\2.jpg", 2),
        (["a/1.jpg", "b/2.jpg"], "b/2", 2),
        (["a/x.jpg", "b/y.jpg"], "y.jpg", 2),
        (["a/x.jpg", "b/y.jpg"], "y", 2),
        (["a/x.jpg", "b/x.jpg"], "b/x.jpg", 2),
        (["a/x.jpg", "b/x.jpg"], "x.jpg", "could be 2 images"),
        (["a/x.jpg", "b/x.png"], "x", "could be 2 images"),
        (["a/x.jpg", "b/y.jpg"], "c/y.jpg", "no such image"),
        (["a/x.jpg", "b/y.jpg"], "", "no such image"),
        (["000000000007.jpg", "7.jpg"], "000000000007", 1),
        (["2.jpg", "1.jpg"], "2", 2),  # an id that is there is that one
        (["x.jpg", "y.jpg"], ["x.jpg"], "no such image"),
        (["x.jpg", "5.jpg"], 5, "no such image"),  # a number is an id
    ],
)
def test_a_photograph_by_its_file(names, own, found):
    content = good()
    content["images"] = [{"id": n, "file_name": name, "width": 99, "height": 99} for n, name in enumerate(names, 1)]
    content["annotations"][0]["image_id"] = own
    before = deepcopy(content)
    file = parse_annotation_file(json.dumps(content).encode(), "people.json", HANDS)
    (entry,) = parse_entries(file)
    if isinstance(found, int):
        assert (entry.fault, entry.image_id) == (None, found)
    else:
        assert found in entry.fault
    assert content == before
