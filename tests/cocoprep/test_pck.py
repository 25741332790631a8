from __future__ import annotations

import numpy as np
import pytest

from cocoprep.pck import longer_side, pck


@pytest.mark.parametrize(
    ("offsets", "labelled", "bbox", "expected"),
    [
        ([0, 0], [1, 1], (0, 0, 10, 10), 1.0),
        ([2, 2.1], [1, 1], (0, 0, 10, 10), 0.5),  # the limit itself is right
        ([3, 3], [1, 1], (0, 0, 10, 15), 1.0),  # the longer side counts
        ([100, 0], [0, 1], (0, 0, 10, 10), 1.0),  # an unlabelled joint does not
        ([100, 1], [1, 1], (5, 5, 1, 10), 0.5),
        ([0, 0], [1, 1], (0, 0, 0, 0), 1.0),  # no size: only the place itself is right
        ([0.1, 0], [1, 1], (0, 0, 0, 0), 0.5),
    ],
)
def test_by_hand(offsets, labelled, bbox, expected):
    truth = np.array([[[3.0, 4.0], [50.0, 60.0]]])
    predicted = truth + np.array(offsets)[None, :, None] * [1, 0]
    found = pck(predicted, truth, [labelled], unit=longer_side([bbox]), thresholds=[0.2])
    assert found.total[0] == expected


def test_no_labelled_joint_is_no_figure():
    found = pck(np.zeros((2, 3, 2)), np.zeros((2, 3, 2)), np.zeros((2, 3)), unit=np.ones(2))
    assert np.isnan(found.total).all()
    assert np.isnan(found.per_joint).all()
    assert found.joints.tolist() == [0, 0, 0]


def test_micro_average_over_joints():
    truth = np.zeros((2, 2, 2))
    predicted = truth.copy()
    predicted[0, 0] = 100
    labelled = [[1, 1], [0, 1]]
    found = pck(predicted, truth, labelled, unit=[10, 10], thresholds=[0.1])
    assert found.total[0] == pytest.approx(2 / 3)
    assert found.per_joint[0].tolist() == [0.0, 1.0]
    assert found.joints.tolist() == [1, 2]
