"""A detector's boxes: read, checked, and told what is not taken."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import data, integers, sampled_from

from cocoprep.coco.detections import Stray, best_boxes, is_detections, read_detections
from cocoprep.coco.result_images import ResultImages
from cocoprep.errors import ResultsError
from tests.support.scoring import PIECES

GOOD = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40.5], "score": 0.75}
NAMES = {1: "a/1.jpg", 2: "b/dog.jpg", 3: "c/dog.jpg"}


def read(content, **options):
    encoded = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_detections(encoded, "boxes.json", ResultImages("x.json", NAMES, {}, what="detections"), **options)


def test_arrays_by_hand():
    found = read([GOOD, {**GOOD, "image_id": "b/dog", "score": 1, "extra": [None]}])
    assert (len(found), found.listed, found.category_id) == (2, 2, 1)
    assert found.image_ids.tolist() == [1, 2]
    assert found.bbox.tolist() == [[1, 2, 30, 40.5]] * 2
    assert found.scores.tolist() == [0.75, 1]
    assert found.lines.tolist() == [0, 1]
    assert found.notes == ("1 line of the detections names a photograph by its file: taken for the one of this name",)


def test_each_line_is_used_or_told():
    lines = [
        GOOD, {**GOOD, "category_id": 3}, {**GOOD, "image_id": 55}, {**GOOD, "image_id": 55, "score": 0.1},
        {**GOOD, "image_id": "dog"}, GOOD, {**GOOD, "score": 0.5}, {**GOOD, "bbox": [-0.0, 0, 0, 0]},
        {**GOOD, "bbox": [0, 0, 0, 0]},
    ]  # fmt: skip
    found = read(lines)
    assert found.lines.tolist() == [0, 6, 7]
    assert found.notes == (
        "1 line of the detections is of other categories: passed over",
        "2 lines of the detections are there twice, with all numbers: counted once",
    )
    missing, double = found.strays
    assert missing == Stray("55", missing.fault, 2)
    assert "no such image in x.json, by id or file name. The detections may be of" in missing.fault
    assert (double.image_id, double.boxes) == ("dog", 1)
    assert "could be 2 images" in double.fault
    assert found.left_out == {"other category": 1, "no image": 3, "twice": 2}
    assert len(found) + sum(found.left_out.values()) == found.listed == 9


def test_the_best_boxes_of_each_image():
    scores = (0.5, 0.9, 0.5, 0.1, 0.7, 0.5)
    lines = [{**GOOD, "image_id": 1 + n % 2, "score": score, "bbox": [n, 0, 1, 1]} for n, score in enumerate(scores)]
    found = read(lines)
    assert best_boxes(found, 0) is found
    assert best_boxes(found, 0, 5) is found
    assert best_boxes(found, 0.5).lines.tolist() == [0, 1, 2, 4, 5]
    best = best_boxes(found, 0.2, 2)
    assert best.lines.tolist() == [0, 1, 4, 5]  # of the equal ones on image 1 the earlier
    assert best.left_out == {"low score": 1, "not best": 1}
    assert best.notes == (
        "1 line of the detections has a score below 0.2: left out",
        "1 line of the detections is not among the best 2 of an image: left out",
    )
    assert len(best_boxes(found, 2, 1)) == 0


def test_the_only_category_is_taken_whatever_its_number():
    assert read([{**GOOD, "category_id": 0}]).category_id == 0
    with pytest.raises(ResultsError, match="line 0 and all others: category_id 0, expected 1, COCO's person, or one"):
        read([{**GOOD, "category_id": 0}, {**GOOD, "category_id": 2}])
    with pytest.raises(ResultsError, match="category_id 1, expected 7, of x"):
        read([GOOD], categories={7}, expected="7, of x")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "the list is empty"),
        (b"[", "not valid JSON at byte 1 of 1"),
        ({"annotations": []}, "expected a list of boxes such as"),
        ([GOOD, {"image_id": 3}], "line 1, image_id 3: Object missing required field `category_id`"),
        ([{**GOOD, "bbox": [1, 2, 3]}], "line 0, image_id 1: expected 4 numbers in bbox, found 3"),
        ([GOOD, {**GOOD, "bbox": [1, 2, 3, 1e7]}], "line 1, image_id 1: a number of bbox is above 1000000 pixels"),
        ([{**GOOD, "score": "0.5"}], "line 0, image_id 1: score: Expected `float`, got `str`"),
        ([GOOD, {**GOOD, "score": float("nan")}], "line 1, image_id 1: a number is NaN or infinite"),
        (b"[" * 100_000, "expected a list of boxes|nested|line 0"),
    ],
)
def test_what_is_wrong_names_line_and_image(content, says):
    with pytest.raises(ResultsError, match=says):
        read(content)


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        (b'[{"bbox": 3}]', True), (b' \n[{"a": 1, "bbox": []}, 3]', True), (b'\xef\xbb\xbf[{"bbox": []}]', True),
        (b"[]", False), (b"{}", False), (b"[3]", False), (b'[{"joints": []}]', False), (b"", False), (b"[[", False),
        (b'{"a": [{"bbox": 1}]}', False),
    ],
)  # fmt: skip
def test_a_list_of_boxes_is_told_from_other_files(content, is_one):
    assert is_detections(content) is is_one


@settings(max_examples=200)
@given(data())
def test_whatever_is_in_the_file_is_read_or_refused(drawn):
    """Bytes changed, cut out and put in: never another error than ours."""
    content = bytearray(json.dumps([GOOD, {**GOOD, "image_id": "b/dog.jpg", "score": 1}]).encode())
    for _ in range(drawn.draw(integers(1, 4))):
        at = drawn.draw(integers(0, len(content) - 1))
        content[at : at + drawn.draw(integers(0, 3))] = drawn.draw(sampled_from(PIECES))
    is_detections(bytes(content))
    with contextlib.suppress(ResultsError):
        found = read(bytes(content))
        assert np.isfinite(found.bbox).all()
        assert np.isfinite(found.scores).all()
        assert np.isin(found.image_ids, list(NAMES)).all()
