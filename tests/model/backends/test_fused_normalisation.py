"""Fused batch normalisation: the numbers of Keras's own, forward, backward and stored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from cocoprep.model.backends.tensorflow.fused_normalisation import FusedBatchNormalization, fuse_normalisation
from cocoprep.model.network.copy_weights import copy_weights
from cocoprep.model.network.hourglass import build_hourglass

PICTURES = np.random.default_rng(0).normal(size=(4, 64, 64, 3)).astype(np.float32)


def build(stacks: int = 2) -> Any:
    """Return a small network of drawn weights."""
    keras.utils.set_random_seed(0)
    return build_hourglass(stacks=stacks, channels=16, depth=3, joints=5, input_size=(64, 64))


def learn(network: Any, steps: int) -> list[float]:
    """Take steps of plain descent towards maps of ones, and return the losses."""
    losses = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.add_n([tf.reduce_mean(tf.square(maps - 1)) for maps in network(PICTURES, training=True)])
        losses.append(float(loss))
        for variable, gradient in zip(
            network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=True
        ):
            variable.assign_sub(0.05 * gradient)
    return losses


@pytest.mark.parametrize("stacks", [1, 2])
def test_it_learns_as_the_plain_network(stacks: int) -> None:
    plain = build(stacks)
    fused = fuse_normalisation(plain)
    assert any(isinstance(layer, FusedBatchNormalization) for layer in fused.layers)
    assert [v.path for v in fused.variables] == [v.path for v in plain.variables]
    before, losses = learn(plain, 3), learn(fused, 3)
    assert losses == pytest.approx(before, rel=1e-4)
    assert losses[-1] < losses[0]
    for ours, theirs in zip(fused.variables, plain.variables, strict=True):
        close = 0.01 * np.abs(theirs).max() + 1e-3
        np.testing.assert_allclose(ours, theirs, atol=close, rtol=0, err_msg=ours.path)


def test_the_weights_are_its_own() -> None:
    plain = build()
    fused = fuse_normalisation(plain)
    drawn = [variable.numpy() for variable in plain.variables]
    learn(fused, 1)
    assert all(np.array_equal(variable, was) for variable, was in zip(plain.variables, drawn, strict=True))
    copy_weights(fused, plain)
    assert all(np.array_equal(a, b) for a, b in zip(plain.variables, fused.variables, strict=True))
    np.testing.assert_allclose(plain(PICTURES)[-1], fused(PICTURES)[-1], atol=1e-4)


def test_statistics_of_what_is_not_trained_stay() -> None:
    fused = fuse_normalisation(build())
    layer = fused.get_layer("stem_bn")
    layer.trainable = False
    before = [weight.copy() for weight in layer.get_weights()]
    fused(PICTURES, training=True)
    assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), before, strict=True))
    assert not np.array_equal(fused.get_layer("stack1_features_bn").get_weights()[2], np.zeros(16))


@pytest.mark.parametrize(("policy", "close"), [("mixed_bfloat16", 0.08), ("mixed_float16", 0.015)])
def test_half_precision_rounds_alike(policy: str, close: float) -> None:
    keras.config.set_dtype_policy(policy)
    try:
        plain = build()
        fused = fuse_normalisation(plain)
        exact = plain(PICTURES, training=True)[-1].numpy()
        np.testing.assert_allclose(fused(PICTURES, training=True)[-1], exact, atol=close * np.abs(exact).max())
        assert all(weight.dtype == np.float32 for weight in fused.get_layer("stem_bn").get_weights())
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_saved_network_needs_nothing_of_ours(tmp_path: Path) -> None:
    plain = build()
    copy_weights(fuse_normalisation(plain), plain)
    plain.save(tmp_path / "plain.keras")
    code = "import sys, keras; keras.saving.load_model(sys.argv[1]); sys.exit('cocoprep' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, tmp_path / "plain.keras"], check=True)
