"""Learning rates by group: what is scaled, and that nothing else is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from cocoprep.model.run.config import OptimizerConfig
from cocoprep.model.training.schedule import build_optimizer
from tests.model.training.rated_steps import GRADIENTS, take_steps

pytest.importorskip("tensorflow")
ROOT = Path(__file__).parents[3]
KINDS = ("adam", "adamw", "rmsprop", "sgd")


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_is_exactly_the_factor_times_as_large(kind):
    # From zero, so that a weight is the sum of its updates, and by a power of two: nothing is rounded otherwise.
    stem, stack = np.moveaxis(take_steps(OptimizerConfig(kind=kind, rates={"stem": 0.25})), 1, 0)
    assert np.abs(stack).min() > 0
    np.testing.assert_array_equal(stem, 0.25 * stack)
    plain = take_steps(OptimizerConfig(kind=kind))
    np.testing.assert_array_equal(stack, plain[:, 1])
    by_tenth = take_steps(OptimizerConfig(kind=kind, rates={"stem": 0.1, "stack1": 3.0}))
    np.testing.assert_allclose(by_tenth[:, 0], 0.1 * plain[:, 0], rtol=1e-5)
    np.testing.assert_allclose(by_tenth[:, 1], 3.0 * plain[:, 1], rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_a_factor_of_one_is_no_factor_to_the_bit(kind, weight_decay):
    settings = {"kind": kind, "weight_decay": weight_decay}
    rated = take_steps(OptimizerConfig(**settings, rates={"stem": 1.0}), start=0.7)
    np.testing.assert_array_equal(rated, take_steps(OptimizerConfig(**settings), start=0.7))


@pytest.mark.parametrize("kind", KINDS)
def test_weight_decay_follows_the_rate_of_the_group(kind):
    settings = {"learning_rate": 0.5, "schedule": "constant", "warmup_epochs": 0.0, "weight_decay": 0.5}
    config = OptimizerConfig(kind=kind, rates={"stem": 0.25}, **settings)
    stem, stack = take_steps(config, start=1.0, gradients=np.zeros((1, 5), np.float32))[0]
    np.testing.assert_array_equal(stack, np.float32(1 - 0.25))
    np.testing.assert_array_equal(stem, np.float32(1 - 0.25 / 4))


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_scale_changes_nothing(kind):
    config = OptimizerConfig(kind=kind, rates={"stem": 0.25}, weight_decay=0.1)
    scaled = take_steps(config, start=1.0, precision="mixed_float16")
    np.testing.assert_array_equal(scaled, take_steps(config, start=1.0))


def test_a_step_that_overflows_leaves_rated_weights_as_they_are():
    gradients = GRADIENTS.copy()
    gradients[1, 0] = np.inf
    config = OptimizerConfig(rates={"stem": 0.25}, weight_decay=0.1)
    after = take_steps(config, start=1.0, precision="mixed_float16", gradients=gradients)
    np.testing.assert_array_equal(after[1], after[0])
    assert (after[2] != after[1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_without_rates_the_optimizer_is_keras_own(kind):
    plain = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}[kind]
    assert type(build_optimizer(OptimizerConfig(kind=kind), 10, 3, "float32")) is getattr(keras.optimizers, plain)


def test_jax_takes_the_same_steps():
    pytest.importorskip("jax")
    run = subprocess.run(
        [sys.executable, "-m", "tests.model.training.rated_steps"],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout.splitlines()[-1])
    assert told.pop("backend") == "jax"
    for kind, after in told.items():
        ours = take_steps(OptimizerConfig(kind=kind, rates={"stem": 0.25}, weight_decay=0.1), start=1.0)
        np.testing.assert_allclose(after, ours, rtol=1e-5, err_msg=kind)
