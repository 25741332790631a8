"""Sizes of effects beside their formulas, and what is ranked first."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.inspection.effects import cohen_d, cohen_h, js_distance
from cocoprep.inspection.shifts import find_shifts, largest_of_groups
from cocoprep.inspection.statistics import measure
from cocoprep.pose.crop_config import CropConfig
from tests.support.any_joints import TABLES, write
from tests.support.building import keypoints, write_coco
from tests.support.stats import read

COUNTS = st.lists(st.integers(0, 50), min_size=1, max_size=8)


def test_h_is_cohens():
    # Cohen 1988, table 6.2.2: phi of .25 is 1.047, of .40 is 1.369.
    found = cohen_h(0.25, 100, 0.40, 50)
    assert found.size == pytest.approx(1.369 - 1.047, abs=1e-3)
    assert found.error == pytest.approx(math.sqrt(0.03))
    assert (found.words, found.may_be_chance) == ("small", True)
    assert cohen_h(0, 100, 1, 100).size == pytest.approx(math.pi)
    assert cohen_h(0.5, 0, 0.5, 10) is None


def test_d_is_cohens():
    found = cohen_d((10, 2, 100), (11, 2, 100))
    assert (found.size, found.words, found.may_be_chance) == (0.5, "medium", False)
    # Where deviations differ, their root mean square: Cohen 1988, 2.3.2.
    assert cohen_d((10, 0, 1000), (12, 2, 20)).size == pytest.approx(2 / math.sqrt(2))
    assert cohen_d((3, 0, 20), (3, 0, 30)).size == 0
    assert cohen_d((3, 0, 20), (4, 0, 30)) is None
    assert cohen_d((3, 1, 1), (4, 1, 30)) is None


def test_of_few_everything_may_be_chance():
    assert cohen_h(0, 9, 1, 1000).may_be_chance
    assert not cohen_h(0, 10, 1, 1000).may_be_chance


@given(COUNTS, COUNTS)
def test_js_distance_is_a_distance(first, second):
    first, second = (np.pad(one, (0, 8 - len(one))) for one in (first, second))
    found = js_distance(first, second)
    if not first.any() or not second.any():
        assert found is None
        return
    assert 0 <= found <= 1
    assert found == js_distance(second, first)
    assert js_distance(first, 3 * first) == pytest.approx(0, abs=1e-7)
    p, q = first / first.sum(), second / second.sum()
    divergence = sum(x * math.log2(2 * x / (a + b)) / 2 for a, b in zip(p, q, strict=True) for x in (a, b) if x)
    assert found == pytest.approx(math.sqrt(max(divergence, 0)), abs=1e-7)


def test_js_distance_of_what_shares_nothing_is_1():
    assert js_distance([5, 0], [0, 2]) == pytest.approx(1)


def data_set(folder, name, *, right: float, people: int = 30, labelled: int = 2):
    """Return figures of people whose nose lies so far right in the box, and of whose left eye some are labelled."""
    annotations = [
        {"id": n + 1, "image_id": n + 1, "bbox": [10, 10, 50, 50], "area": 1500,
         "keypoints": keypoints(nose=(10 + right + n % 5, 30, 2),
                                **({"left_eye": (30, 30, 1)} if n < labelled else {}))}
        for n in range(people)
    ]  # fmt: skip
    path, _ = write_coco(folder / name, dict.fromkeys(range(1, people + 1), (100, 100)), annotations)
    return measure(read(path, name), CropConfig())


def test_the_largest_shift_stands_first(tmp_path):
    first = data_set(tmp_path, "a", right=10)
    moved, labelled = data_set(tmp_path, "b", right=30), data_set(tmp_path, "c", right=10, labelled=20)
    (top, *_) = find_shifts([first, moved])
    assert (top.name, top.shown) == ("nose across the crop", ("0.30", "0.62"))
    assert top.effects[0].measure == "d"
    assert top.effects[0].size > 0.8
    more, top, *_ = find_shifts([first, labelled])
    assert (more.name, more.shown) == ("labelled joints, if any", ("1.1 of 17", "1.7 of 17"))
    assert (top.name, top.shown) == ("left_eye labelled", ("6.7%", "66.7%"))
    assert top.effects[0].measure == "h"
    both = find_shifts([first, moved, labelled])
    assert [len(shift.effects) for shift in both[:2]] == [2, 2]
    assert {"nose across the crop", "left_eye labelled"} <= {shift.name for shift in both[:4]}


def test_equal_data_sets_have_not_shifted(tmp_path):
    one = data_set(tmp_path, "a", right=10)
    shifts = find_shifts([one, one])
    assert shifts
    assert all(shift.largest.size == 0 for shift in shifts)


def test_what_may_be_chance_stands_last(tmp_path):
    shifts = find_shifts([data_set(tmp_path, "a", right=10), data_set(tmp_path, "b", right=30, people=9)])
    order = [shift.largest.may_be_chance for shift in shifts]
    assert order == sorted(order)
    groups = [shift.group for shift in largest_of_groups(shifts)]
    assert len(groups) == len(set(groups))


def test_joints_of_other_tables_are_compared_by_name(tmp_path):
    other = write(tmp_path / "other", TABLES["bird-5"])["annotations"]
    shifts = find_shifts([data_set(tmp_path, "a", right=10), measure(read(other, "other"), CropConfig())])
    assert not [shift for shift in shifts if "nose" in shift.name]
    assert [shift for shift in shifts if shift.name == "no joint labelled"]
