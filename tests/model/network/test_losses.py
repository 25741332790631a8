"""Losses and weights, against cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.model.network.config import LossConfig
from cocoprep.model.network.losses import joint_losses, loss_weights


def maps(*values):
    """Return (1, 1, len(values), 1) heatmaps: one row of pixels of one joint of one person."""
    return np.array(values, np.float32).reshape(1, 1, -1, 1)


@pytest.mark.parametrize(
    ("config", "predicted", "truth", "expected"),
    [
        (LossConfig(kind="mse"), (0, 0), (1, 0), 0.5),
        (LossConfig(kind="mse"), (0.5, 0.5), (1, 0), 0.25),
        (LossConfig(kind="mse"), (1, 0), (1, 0), 0),
        (LossConfig(kind="weighted_mse", foreground=0), (0.5, 0.5), (1, 0), 0.25),
        (LossConfig(kind="weighted_mse", foreground=9), (0.5, 0.5), (1, 0), (0.25 * 10 + 0.25) / 2),
        (LossConfig(kind="weighted_mse", foreground=9), (0, 1), (0.5, 0), (0.25 * 5.5 + 1) / 2),
        # 14 ln(1 + 0.25^1.1) at a joint, 14 ln(1 + 0.25^2.1) far from one; linear from an error of 0.5 on.
        (LossConfig(kind="adaptive_wing"), (0.75,), (1,), 14 * np.log1p(0.25**1.1)),
        (LossConfig(kind="adaptive_wing"), (0.25,), (0,), 14 * np.log1p(0.25**2.1)),
        (LossConfig(kind="adaptive_wing"), (0,), (0,), 0),
    ],
)
def test_the_loss_of_a_map_is_a_mean_over_its_pixels(config, predicted, truth, expected):
    found = np.asarray(joint_losses(maps(*predicted), maps(*truth), config))
    np.testing.assert_allclose(found, [[expected]], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("truth", [0.0, 0.4, 1.0])
def test_the_adaptive_wing_is_continuous_and_smooth_where_its_parts_meet(truth):
    errors = np.array([0.499, 0.4999, 0.5001, 0.501])
    config = LossConfig(kind="adaptive_wing")
    values = [float(np.asarray(joint_losses(maps(truth + e), maps(truth), config))[0, 0]) for e in errors]
    slopes = np.diff(values) / np.diff(errors)
    assert np.ptp(values) < 0.1
    np.testing.assert_allclose(slopes, slopes[0], rtol=0.05)


@pytest.mark.parametrize(
    ("unlabelled", "expected"),
    [("mask", [[1, 0, 0], [0, 0, 0]]), ("background", [[1, 0, 1], [0, 0, 0]])],
)
def test_what_a_joint_counts(unlabelled, expected):
    """A labelled joint, one outside the window, one unlabelled; then a person who only fills up the batch."""
    batch = {
        "weights": np.array([[1, 0, 0], [1, 0, 0]], np.float32),
        "visibility": np.array([[2, 1, 0], [2, 1, 0]], np.int32),
        "looked_for": np.ones((2, 3), np.bool_),
        "valid": np.array([True, False]),
    }
    np.testing.assert_array_equal(loss_weights(batch, LossConfig(unlabelled=unlabelled)), expected)


@pytest.mark.parametrize(("kind", "worst"), [("mse", 1.0), ("weighted_mse", 1.0), ("adaptive_wing", 1.0)])
def test_absence_is_not_taught_where_nobody_has_looked(kind, worst):
    """Two people without a label; the source of the second does not label the second joint."""
    batch = {
        "weights": np.zeros((2, 2), np.float32),
        "visibility": np.zeros((2, 2), np.int32),
        "looked_for": np.array([[True, True], [True, False]]),
        "valid": np.array([True, True]),
    }
    config = LossConfig(kind=kind, unlabelled="background")
    truth = np.zeros((2, 4, 4, 2), np.float32)

    def loss(person, joint):
        said = truth.copy()
        said[person, ..., joint] = worst
        return float(np.sum(np.asarray(joint_losses(said, truth, config)) * np.asarray(loss_weights(batch, config))))

    assert loss(0, 0) == loss(0, 1) == loss(1, 0) > 0
    assert loss(1, 1) < 1e-9  # what the adaptive wing has of maps that are right
