"""Whose heatmaps are looked at."""

from __future__ import annotations

from cocoprep.evaluation.stack_maps import people_to_show
from tests.support.scoring import person, truth_of

ALL, TWO, ONE, NONE = ([(1, 1, 2)] * n + [(0, 0, 0)] * (3 - n) for n in (3, 2, 1, 0))


def test_those_with_the_most_joints_one_an_image(tmp_path):
    truth = truth_of(
        tmp_path,
        person(1, *ONE, image=1),
        person(2, *TWO, image=2),
        person(3, *ALL, image=2),
        person(4, *NONE, image=3),
        person(5, *ALL, image=4, iscrowd=1),
        person(6, *ALL, image=5),
    )
    assert people_to_show(truth, [1, 2, 3, 4, 5, 6]) == [3, 6, 1]
    assert people_to_show(truth, [1, 2, 3, 4, 5, 6], people=2) == [3, 6]
    assert people_to_show(truth, [1, 2, 4]) == [2, 1]  # the others have no record
    assert people_to_show(truth, []) == []
