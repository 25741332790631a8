"""What build and evaluation demand alike of COCO's files."""

from __future__ import annotations

import msgspec
import pytest

from cocoprep.coco.format import json_fault, keypoints_fault, not_json, numbers_fault
from cocoprep.errors import AnnotationError
from tests.support.scoring import HANDS

GOOD = {"iscrowd": 0, "area": 1000.0, "bbox": (0.0, 0.0, 10.0, 10.0)}


@pytest.mark.parametrize(
    "changes",
    [{}, {"iscrowd": 1}, {"area": 0.0}, {"area": 1e12}, {"bbox": (-1e6, 0.0, 1e6, 3.0)}],
)
def test_numbers_that_can_be_evaluated(changes):
    assert numbers_fault(**{**GOOD, **changes}) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"iscrowd": 2}, "iscrowd 2: expected 0 or 1"),
        ({"iscrowd": -1}, "iscrowd -1: expected 0 or 1"),
        ({"area": -0.5}, "area -0.5: expected"),
        ({"area": 1.1e12}, "area 1100000000000.0: expected"),
        ({"area": float("nan")}, "area nan: expected"),
        ({"bbox": (0.0, 1.0, 2e6, 3.0)}, "bbox [0.0, 1.0, 2000000.0, 3.0]: expected pixels, none above 1000000"),
        ({"bbox": (0.0, -2e6, 2.0, 3.0)}, "bbox [0.0, -2000000.0, 2.0, 3.0]: expected pixels"),
    ],
)
def test_numbers_that_cannot(changes, says):
    assert numbers_fault(**{**GOOD, **changes}).startswith(says)


@pytest.mark.parametrize(
    "values", [[0] * 9, [3.5, 4.5, 2, 0, 0, 0, 9, 9, 1], [1e6, -1e6, 1.0] + [0] * 6, [5, 5, 0] + [0] * 6]
)
def test_keypoints_that_can_be_used(values):
    assert keypoints_fault(values, HANDS) is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], "expected 9 numbers, found 0"),
        ([0] * 51, "expected 9 numbers, found 51"),
        (
            [3, 4, 3, 0, 0, 0, 0, 0, 0],
            "expected visibilities 0, 1 or 2, found 3; say what it means, such as --visibility 3=1 for hidden",
        ),
        ([3, 4, 2, 0, 0, 0.5, 0, 0, 0], "expected visibilities 0, 1 or 2, found 0.5"),
        ([3, 4, -1, 0, 0, 0, 0, 0, 0], "expected visibilities 0, 1 or 2, found -1"),
        ([3, 4, 1e300, 0, 0, 0, 0, 0, 0], "expected visibilities 0, 1 or 2, found 1e+300"),
        ([3, -2e6, 2, 0, 0, 0, 0, 0, 0], "expected pixels, none above 1000000"),
    ],
)
def test_keypoints_that_cannot(values, says):
    assert keypoints_fault(values, HANDS) == f"keypoints: {says}"


def error_of(data: bytes) -> msgspec.DecodeError:
    with pytest.raises(msgspec.DecodeError) as caught:
        msgspec.json.decode(data)
    return caught.value


def test_where_json_breaks_is_counted_from_the_files_beginning():
    data = b'xxx{"images": [1, 2,, 3]}'
    found = json_fault(error_of(data[3:]), data, 3)
    assert found.startswith(f"at byte {data.index(b',,') + 1} of {len(data)} (")
    assert ",, 3" in found


def test_json_that_is_cut_short_breaks_at_its_end():
    data = b'{"images": [1, 2'
    assert json_fault(error_of(data), data, 0).startswith("at byte 16 of 16 (")


def test_damage_and_nesting_are_told_with_the_cure():
    data = b"[NaN]"
    said = not_json(error_of(data), data, "a.json")
    assert isinstance(said, AnnotationError)
    assert str(said).startswith("a.json: not valid JSON at byte 1 of 5 (")
    assert str(said).endswith("NaN and Infinity are not JSON either.")
    assert "hundreds of levels deep" in str(not_json(RecursionError(), data, "a.json"))
