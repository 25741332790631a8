from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import data, integers, sampled_from

from cocoprep.coco.results import read_results
from cocoprep.errors import ResultsError
from cocoprep.storage.local import LocalFiles
from tests.support.scoring import HANDS, PIECES, person, predictions_of, truth_of

JOINTS = [(1, 2, 2), (3, 4, 1), (0, 0, 0)]
GOOD = {"image_id": 1, "category_id": 1, "keypoints": [1, 2, 0.5, 3, 4, 0.25, 5, 6, 0], "score": 0.75}


@pytest.fixture
def read(tmp_path):
    truth = truth_of(tmp_path, person(7, *JOINTS), images=2)

    def read(content):
        path = tmp_path / "results.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return read_results(str(path), LocalFiles(), truth, HANDS)

    return read


def test_arrays_by_hand(read):
    found = read([GOOD, {**GOOD, "image_id": 2, "score": 1, "extra": {"a": [None]}}])
    assert len(found) == 2
    assert found.image_ids.tolist() == [1, 2]
    assert found.keypoints[0].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert found.confidence[0].tolist() == [0.5, 0.25, 0]
    assert found.scores.tolist() == [0.75, 1]
    assert found.annotation_ids is None
    assert found.bbox is None


def test_images_by_file_name_and_other_categories_are_told(read):
    lines = [GOOD, {**GOOD, "image_id": "2.jpg"}, {**GOOD, "image_id": "2", "score": 1}, {**GOOD, "category_id": 3}]
    found = read([*lines, {**GOOD, "image_id": "photos/2", "score": 0.1, "category_id": "1"}])
    assert found.image_ids.tolist() == [1, 2, 2, 2]
    others, named = found.notes
    assert others == "1 line of the results is of other categories: passed over"
    assert named.startswith("2 lines of the results name a photograph by its file")


def test_several_lines_an_image_are_normal(read):
    lines = [GOOD, {**GOOD, "score": 0.7}, {**GOOD, "keypoints": [0] * 9}]
    assert len(read(lines)) == 3


def test_lines_come_back_as_they_were(read):
    lines = [GOOD, {**GOOD, "image_id": 2, "keypoints": [0.1, 1 / 3, 1] * 3}]
    assert read(lines).lines(1) == lines
    boxed = [{**line, "bbox": [1, 2, 3, 4.5]} for line in lines]
    assert read(boxed).lines(1) == boxed


def test_lines_are_the_callers_own():
    found = predictions_of((1, 0.5, [(1, 2), (3, 4), (5, 6)]))
    found.lines(1)[0]["keypoints"][0] = 99
    assert found.lines(1)[0]["keypoints"][0] == 1


def second(**fields):
    return [GOOD, {**GOOD, "image_id": 2, **fields}]


def without(name):
    return [{key: value for key, value in GOOD.items() if key != name}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not valid JSON .*byte 0"),
        (b'[{"image_id": 1,', "not valid JSON at byte 16 of 16"),
        (b'[{"image_id": 1, "score": 0.5 x}]', "not valid JSON at byte 30"),
        (b"\xff\xfe[", "begins as UTF-16 and is none"),
        (b"[" * 100_000, "expected a list of results lines|nested|line 0"),
        (
            b'[{"image_id": 7, "x": ' + b"[" * 900 + b"]" * 900 + b', "score": NaN}]',
            "line 0, image_id 7: a number is NaN or infinite",
        ),
        ({"annotations": []}, "expected a list of results lines"),
        (b"3", "expected a list of results lines"),
        ([], "the list is empty"),
        ([GOOD, 3], "line 1, without an image_id: Expected `object`, got `int`"),
        (without("score"), "line 0, image_id 1: Object missing required field `score`"),
        (without("image_id"), "line 0, without an image_id: Object missing required field `image_id`"),
        (second(image_id="dog.jpg"), "line 1, image_id dog.jpg: no such image in .*truth.json, by id or file name"),
        (second(image_id=2.5), "line 1, image_id 2.5: no such image in"),
        (second(image_id=[2]), r"line 1, image_id \[2\]: no such image in"),
        (second(score=None), "line 1, image_id 2: score: Expected `float`, got `null`"),
        (second(keypoints=[1, 2, "a"]), r"line 1, image_id 2: keypoints\[2\]: Expected `float`, got `str`"),
        (second(keypoints=[1.0] * 8), "line 1, image_id 2: expected 9 numbers in keypoints .*found 8"),
        (second(keypoints=[1.0] * 51), "line 1, image_id 2: expected 9 numbers in keypoints .*found 51"),
        (second(keypoints=[float("nan")] * 9), "line 1, image_id 2: a number is NaN or infinite"),
        (second(keypoints=[1.0] * 8 + [float("-inf")]), "line 1, image_id 2: a number is NaN or infinite"),
        (second(score=float("nan")), "line 1, image_id 2: a number is NaN or infinite"),
        (json.dumps(second(score=0.125)).replace("0.125", "1e999").encode(), "line 1, image_id 2: .*(infinite|range)"),
        (second(image_id=55), "line 1, image_id 55: no such image in .*truth.json"),
        ([{**GOOD, "category_id": 18}] * 2, "line 0 and all others: category_id 18, expected 1"),
        ([{**GOOD, "category_id": 18}, GOOD, {**GOOD, "image_id": 5}], "line 2, image_id 5: no such image"),
        ([GOOD, GOOD], "line 1, image_id 1: equal to line 0 in image_id, keypoints and score"),
        ([GOOD, {**GOOD, "score": 0.1}, {**GOOD, "note": 1}], "line 2, image_id 1: equal to line 0"),
        (
            [{**GOOD, "keypoints": [0.0] * 9}, {**GOOD, "keypoints": [-0.0] * 9}],
            "line 1, image_id 1: equal to line 0",
        ),
        ([{**GOOD, "image_id": n} for n in (1, 8, 9, 9)], r"line 1, image_id 8: no such image.*\(2 more like it\)"),
        ([{**GOOD, "bbox": [0, 0, 1, 1]}, {**GOOD, "score": 0}], "line 1, image_id 1: expected 4 numbers in bbox"),
    ],
)  # fmt: skip
def test_what_is_wrong_names_line_and_image(read, content, says):
    with pytest.raises(ResultsError, match=says) as error:
        read(content)
    assert "results.json" in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    truth = truth_of(tmp_path, person(7, *JOINTS))
    with pytest.raises(ResultsError, match="expected a JSON file of COCO results, found nothing"):
        read_results(str(tmp_path / "none.json"), LocalFiles(), truth, HANDS)


def test_every_digit_is_kept(read):
    values = np.random.default_rng(0).normal(0, 300, 9).tolist()
    np.testing.assert_array_equal(read([{**GOOD, "keypoints": values}]).keypoints.ravel(), np.delete(values, [2, 5, 8]))


@settings(max_examples=300)
@given(data())
def test_whatever_is_in_the_file_is_scored_or_refused(drawn):
    """Bytes changed, cut out and put in: never another error than ours."""
    with tempfile.TemporaryDirectory() as folder:
        truth = truth_of(Path(folder), person(7, *JOINTS), images=2)
        content = bytearray(json.dumps([GOOD, {**GOOD, "image_id": 2, "score": 1}]).encode())
        for _ in range(drawn.draw(integers(1, 4))):
            at = drawn.draw(integers(0, len(content) - 1))
            content[at : at + drawn.draw(integers(0, 3))] = drawn.draw(sampled_from(PIECES))
        path = Path(folder) / "results.json"
        path.write_bytes(content)
        with contextlib.suppress(ResultsError):
            found = read_results(str(path), LocalFiles(), truth, HANDS)
            assert np.isfinite(found.keypoints).all()
            assert np.isin(found.image_ids, [1, 2]).all()
