"""Losses in PyTorch: those that Keras's network has against it, the others by hand."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install '.[bench]')")

from benchmarks.ablation_variants import Variant  # noqa: E402
from benchmarks.torch_losses import joint_losses, total_loss  # noqa: E402

RNG = np.random.default_rng(0)
PREDICTED, TRUTH = (RNG.uniform(low, 1, size=(2, 3, 8, 8)).astype(np.float32) for low in (-0.5, 0))
LOSSES = torch.tensor([[1.0, 2.0, 6.0], [3.0, 4.0, 5.0]])
WEIGHTS = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])


def losses(**changes):
    return joint_losses(torch.from_numpy(PREDICTED), torch.from_numpy(TRUTH), Variant(**changes)).numpy()


@pytest.mark.parametrize("kind", ["mse", "weighted_mse", "adaptive_wing"])
def test_they_are_those_of_keras(kind):
    pytest.importorskip("keras")
    from cocoprep.model.network.config import LossConfig
    from cocoprep.model.network.losses import joint_losses as of_keras

    last = [array.transpose(0, 2, 3, 1) for array in (PREDICTED, TRUTH)]
    expected = np.array(of_keras(*last, LossConfig(kind=kind, foreground=7.0)))
    np.testing.assert_allclose(losses(loss=kind, foreground=7.0), expected, rtol=1e-5)


def test_from_its_bound_an_error_grows_in_a_line():
    error = np.abs(PREDICTED - TRUTH)
    expected = np.where(error < 0.3, error**2, 0.3 * (2 * error - 0.3)).mean(axis=(2, 3))
    np.testing.assert_allclose(losses(loss="mse", huber=0.3), expected, rtol=1e-5)


def total(done=0.0, **changes):
    return float(total_loss(LOSSES, WEIGHTS, Variant(**changes), torch.tensor(done)))


def test_a_mean_over_the_maps_that_count():
    assert total() == pytest.approx((1 + 2 + 6 + 3 + 4) / 5)
    nobody = total_loss(LOSSES, torch.zeros(2, 3), Variant(), torch.tensor(0.0))
    assert float(nobody) == 0


def test_hard_joints_count_twice():
    assert total(hard_joints=1) == pytest.approx((16 + 6 + 4) / 5)
    assert total(hard_joints=50) == pytest.approx(2 * 16 / 5)


def test_the_highest_losses_do_not_count_later_on():
    assert total(trim=0.2) == pytest.approx(16 / 5)
    assert total(trim=0.2, done=0.5) == pytest.approx(10 / 5)
