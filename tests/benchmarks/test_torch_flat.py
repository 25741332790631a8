"""The flat network: its layout, and its update against Keras's Adam with our schedule and our average."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install '.[bench]')")

from benchmarks.ablation_variants import Variant  # noqa: E402
from benchmarks.torch_flat import FlatNetwork, learning_rates, step_rates  # noqa: E402
from benchmarks.torch_hourglass import Hourglass  # noqa: E402

STEPS, AN_EPOCH = 20, 4


def test_weights_and_gradients_lie_in_the_buffers_aligned():
    network = Hourglass(stacks=2, channels=6, depth=1, joints=5).to(memory_format=torch.channels_last)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    flat = FlatNetwork(network)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
        if name.split(".")[-1] != "num_batches_tracked":
            assert (value.data_ptr() - flat.values.data_ptr()) % 256 == 0
            assert 0 <= value.data_ptr() - flat.values.data_ptr() < 4 * flat.values.numel()
    assert flat.parameters == sum(weight.numel() for weight in network.parameters())
    sum(maps.square().sum() for maps in network(torch.ones(2, 3, 16, 16))).backward()
    assert flat.gradients.abs().max() > 0
    running = dict(network.named_buffers())["stem.bn.running_mean"]
    assert not torch.equal(running, before["stem.bn.running_mean"])
    flat.values.zero_()
    assert not any(weight.any() for weight in network.parameters())
    assert not running.any()


@pytest.mark.parametrize("kind", ["cosine", "steps", "constant"])
def test_learning_rates_are_those_of_keras(kind):
    pytest.importorskip("keras")
    from cocoprep.model.training.schedule import WarmedUp

    schedule = WarmedUp(peak=0.3, steps=STEPS, warmup=AN_EPOCH, kind=kind, decay_at=(0.7, 0.9))
    found = learning_rates(Variant(schedule=kind, learning_rate=0.3), steps=STEPS, warmup=AN_EPOCH)
    np.testing.assert_allclose(found, [float(schedule(step)) for step in range(STEPS)], rtol=1e-5, atol=1e-8)


def test_a_line_falls_to_nothing():
    rates = learning_rates(Variant(schedule="linear", learning_rate=2.0), steps=104, warmup=4)
    np.testing.assert_allclose(rates[[0, 3, 4, 54, 103]], [0.5, 2, 2, 1, 0.02], rtol=1e-6)


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_steps_and_averages_are_those_of_keras(weight_decay):
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    from cocoprep.model.run.config import OptimizerConfig
    from cocoprep.model.training.schedule import build_optimizer
    from cocoprep.model.training.weight_average import WeightAverage
    from tests.support.averages import move_average

    theirs = torch.nn.Sequential(torch.nn.Linear(5, 3, bias=False))
    ours = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, use_bias=False)])
    ours.set_weights([theirs[0].weight.detach().numpy().T])
    settings = {"learning_rate": 0.05, "ema": 0.6, "weight_decay": weight_decay}
    optimizer = build_optimizer(OptimizerConfig(**settings), AN_EPOCH, STEPS // AN_EPOCH, "float32")
    average = WeightAverage(ours, 0.6)
    flat, variant = FlatNetwork(theirs), Variant(**settings)
    rates = torch.from_numpy(step_rates(variant, steps=STEPS, steps_an_epoch=AN_EPOCH))
    for step, gradient in enumerate(np.random.default_rng(0).normal(size=(STEPS, 5, 3)).astype(np.float32)):
        theirs[0].weight.grad.copy_(torch.from_numpy(gradient.T))
        flat.update(rates[step])
        optimizer.apply([tf.constant(gradient)], ours.trainable_variables)
        move_average(average, step + 1)
    np.testing.assert_allclose(theirs[0].weight.detach(), ours.get_weights()[0].T, rtol=1e-4, atol=1e-5)
    kept = flat.average[:15].reshape(3, 5)
    np.testing.assert_allclose(kept, average.variables[0].numpy().T, rtol=1e-4, atol=1e-5)
