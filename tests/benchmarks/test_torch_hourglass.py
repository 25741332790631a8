"""The network in PyTorch against the one in Keras: parameters, heatmaps, first weights."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install '.[bench]')")
keras = pytest.importorskip("keras")

from benchmarks.bench_train import PARAMETERS  # noqa: E402
from benchmarks.keras_step import draw_weights  # noqa: E402
from benchmarks.torch_hourglass import (  # noqa: E402
    Convolutions,
    Hourglass,
    begin_as_keras,
    count_parameters,
    keras_name,
    load_keras,
)
from cocoprep.model.network.hourglass import build_hourglass  # noqa: E402

SIZES = {"stacks": 2, "channels": 12, "depth": 2, "joints": 5}
CASES = [(stride, convolution) for stride in (2, 4, 8) for convolution in ("standard", "separable")]
PICTURES = np.random.default_rng(0).normal(size=(2, 64, 64, 3)).astype(np.float32)


def both(stride, convolution, **changes):
    """Return a Keras network and one in PyTorch with the same weights."""
    sizes = {**SIZES, **changes}
    ours = build_hourglass(**sizes, input_size=(64, 64), heatmap_stride=stride, convolution=convolution)
    draw_weights(ours)
    theirs = Hourglass(**sizes, stride=stride, make=Convolutions(separable=convolution == "separable"))
    load_keras(theirs, {weight.path: torch.tensor(np.array(weight)) for weight in ours.weights})
    return ours, theirs


@pytest.mark.parametrize(("stride", "convolution"), CASES)
def test_heatmaps_are_those_of_keras(stride, convolution):
    ours, theirs = both(stride, convolution)
    assert count_parameters(theirs) == sum(math.prod(weight.shape) for weight in ours.trainable_weights)
    expected = np.stack(ours(PICTURES, training=False))
    with torch.no_grad():
        found = torch.stack(theirs.eval()(torch.from_numpy(PICTURES).permute(0, 3, 1, 2))).permute(0, 1, 3, 4, 2)
    assert found.shape == expected.shape == (2, 2, 64 // stride, 64 // stride, 5)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_it_is_as_large_as_the_one_that_training_is_timed_with():
    assert count_parameters(Hourglass()) == PARAMETERS


@pytest.mark.parametrize("convolution", ["standard", "separable"])
def test_a_bias_before_a_normalisation_changes_nothing_in_training(convolution):
    _, full = both(4, convolution)
    lean = Hourglass(**SIZES, make=Convolutions(separable=convolution == "separable", bias_before_norm=False))
    missing, unexpected = lean.load_state_dict(full.state_dict(), strict=False)
    assert not missing
    assert unexpected
    assert all(name.endswith(".bias") for name in unexpected)
    images = (
        torch.from_numpy(PICTURES).permute(0, 3, 1, 2).double()
    )  # or statistics of few pixels would magnify rounding
    with torch.no_grad():
        for with_bias, without in zip(full.double().train()(images), lean.double().train()(images), strict=True):
            torch.testing.assert_close(without, with_bias, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("convolution", ["standard", "separable"])
def test_the_first_weights_are_drawn_as_keras_draws_them(convolution):
    sizes = {**SIZES, "channels": 64, "depth": 1}
    theirs = Hourglass(**sizes, make=Convolutions(separable=convolution == "separable"))
    begin_as_keras(theirs, 0)
    keras.utils.set_random_seed(0)
    ours = build_hourglass(**sizes, input_size=(64, 64), convolution=convolution)
    by_path = {weight.path: np.array(weight) for weight in ours.trainable_weights}
    for name, weight in theirs.named_parameters():
        expected, found = by_path.pop(keras_name(name)), weight.detach().numpy()
        if expected.size > 1000 or not expected.std():
            assert found.std() == pytest.approx(expected.std(), rel=0.12), name
            assert abs(found.mean() - expected.mean()) <= 5 * found.std() * math.sqrt(2 / found.size), name
    assert not by_path


def test_a_seed_says_which_first_weights():
    networks = [Hourglass(**SIZES) for _ in range(3)]
    for network, seed in zip(networks, (0, 0, 1), strict=True):
        begin_as_keras(network, seed)
    first, same, other = (next(iter(network.parameters())) for network in networks)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
