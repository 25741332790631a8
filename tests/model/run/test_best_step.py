"""Which step a run's best network is of."""

from __future__ import annotations

import pytest

from cocoprep.model.run.best_step import BestStep, best_step


def val(step, epoch, **figures):
    return {"phase": "val", "step": step, "epoch": epoch, **figures}


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([], None),
        ([{"phase": "train", "step": 9, "epoch": 1, "AP": 0.9}], None),
        ([val(9, 1, loss=1.0)], None),
        ([val(9, 1, AP=0.5), val(18, 2, AP=0.7), val(27, 3, AP=0.7), val(36, 4, AP=0.6)], BestStep(18, 2, 0.7)),
        ([val(9, 1, AP=-1.0)], BestStep(9, 1, -1.0)),  # validation without people
        ([val(9, "1", AP=0.5), val(18, 2, AP="x"), val(18, 2, AP=True), val(27, 3, AP=1e9)], None),  # edited
    ],
)
def test_the_best_network_is_of_the_first_validation_with_the_highest_ap(log, expected):
    assert best_step(log) == expected
