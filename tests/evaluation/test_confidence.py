from __future__ import annotations

import numpy as np
import pytest

from cocoprep.evaluation.confidence import choose_thresholds


@pytest.mark.parametrize(
    ("confidence", "labelled", "threshold", "precision", "recall"),
    [
        ([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], 0.8, 1.0, 1.0),
        ([0.9, 0.8, 0.2, 0.1], [1, 1, 1, 1], 0.1, 1.0, 1.0),
        ([0.1, 0.2, 0.8, 0.9], [1, 0, 1, 0], 0.1, 0.5, 1.0),  # F1 0.5 at 0.8, 0.67 at 0.1
        ([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0], 0.7, 2 / 3, 1.0),
        ([0.5, 0.5, 0.5, 0.1], [1, 0, 1, 0], 0.5, 2 / 3, 1.0),  # ties go together
        ([0.5, 0.5], [1, 0], 0.5, 0.5, 1.0),
        ([0.3], [1], 0.3, 1.0, 1.0),
        ([0.9, 0.5, 0.4], [1, 0, 1], 0.4, 2 / 3, 1.0),
        ([0.9, 0.5, 0.4, 0.3], [1, 0, 0, 1], 0.9, 1.0, 0.5),  # F1 2/3 at 0.9 and at 0.3: the higher threshold
        ([-2.0, -3.0], [1, 0], -2.0, 1.0, 1.0),  # confidences need not be probabilities
    ],
)
def test_thresholds_by_hand(confidence, labelled, threshold, precision, recall):
    found = choose_thresholds(np.array(confidence)[:, None], np.array(labelled)[:, None])
    assert found.thresholds.tolist() == [threshold]
    assert found.precision[0] == pytest.approx(precision)
    assert found.recall[0] == pytest.approx(recall)
    assert found.f1[0] == pytest.approx(2 * precision * recall / (precision + recall))
    assert found.people == len(confidence)


def test_a_joint_that_nobody_has_labelled_is_never_reported():
    found = choose_thresholds([[0.9, 0.3], [0.8, 0.7]], [[1, 0], [1, 0]])
    assert found.thresholds[1] > 0.7
    assert np.isnan(found.precision[1])
    assert np.isnan(found.recall[1])
    assert found.labelled.tolist() == [2, 0]
    assert (found.total_precision, found.total_recall, found.reported) == (1.0, 1.0, 1.0)


def test_totals_are_over_joints():
    found = choose_thresholds([[0.9, 0.9], [0.1, 0.8], [0.1, 0.7]], [[1, 1], [0, 0], [0, 1]])
    assert found.thresholds.tolist() == [0.9, 0.7]
    assert found.total_precision == pytest.approx(3 / 4)
    assert found.total_recall == 1
    assert found.reported == pytest.approx(4 / 3)


def test_no_other_threshold_has_a_higher_f1():
    rng = np.random.default_rng(0)
    confidence, labelled = rng.integers(0, 20, (60, 5)) / 20, rng.random((60, 5)) < 0.4
    found = choose_thresholds(confidence, labelled)
    for k in range(5):
        for threshold in np.unique(confidence[:, k]):
            out = confidence[:, k] >= threshold
            f1 = 2 * (out & labelled[:, k]).sum() / (out.sum() + labelled[:, k].sum())
            assert f1 <= found.f1[k] + 1e-12


def test_joints_that_nobody_looked_for_say_nothing():
    confidence, labelled = [[0.9], [0.8], [0.7], [0.1]], [[0], [1], [1], [0]]
    looked_for = [[0], [1], [1], [1]]  # the first person's source labels no such joint
    found = choose_thresholds(confidence, labelled, looked_for)
    assert found.thresholds.tolist() == [0.7]
    assert (found.total_precision, found.total_recall, found.labelled.tolist()) == (1.0, 1.0, [2])
    assert found.reported == 0.75
    assert choose_thresholds(confidence, labelled).total_precision == pytest.approx(2 / 3)
