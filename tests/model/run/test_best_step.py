"""Which step a run's best network is of."""

from __future__ import annotations

import pytest

from cocoprep.model.run.best_step import BestStep, best_step


def val(step, epoch, **figures):
    return {"phase": "val", "step": step, "epoch": epoch, **figures}


def scored(step, pck, skill):
    return val(step, step // 9, AP=0.0, skill=skill, **{"pck@0.2": pck})


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([], None),
        ([{"phase": "train", "step": 9, "epoch": 1, "AP": 0.9}], None),
        ([val(9, 1, loss=1.0)], None),
        ([val(9, 1, AP=0.5), val(18, 2, AP=0.7), val(27, 3, AP=0.7), val(36, 4, AP=0.6)], BestStep(27, 3, 0.7)),
        ([val(9, 1, AP=-1.0)], BestStep(9, 1, -1.0)),  # validation without people
        ([scored(9, 0.5, 0.1), scored(18, 0.6, 0.0), scored(27, 0.2, 0.9)], BestStep(18, 2, 0.0)),  # ties go to PCK,
        ([scored(9, 0.5, 0.1), scored(18, 0.5, 0.2), scored(27, 0.5, 0.1)], BestStep(18, 2, 0.0)),  # then to skill,
        ([scored(9, 0.5, 0.1), scored(18, 0.5, 0.1)], BestStep(18, 2, 0.0)),  # then to the later
        ([scored(9, None, 0.1), scored(18, float("nan"), 0.2), scored(27, 1.0, "x")], BestStep(27, 3, 0.0)),
        ([val(9, "1", AP=0.5), val(18, 2, AP="x"), val(18, 2, AP=True), val(27, 3, AP=1e9)], None),  # edited
    ],
)
def test_the_best_network_is_of_the_last_validation_with_the_highest_score(log, expected):
    assert best_step(log) == expected
