"""Steps of an optimizer on two weights, `stem_a` and `stack1_a`, on the backend that KERAS_BACKEND names.

A test runs `python -m tests.model.training.rated_steps` in a fresh process. It prints one JSON object.
"""

from __future__ import annotations

import json

import keras
import numpy as np

from cocoprep.model.run.config import OptimizerConfig
from cocoprep.model.training.schedule import build_optimizer

GRADIENTS = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)


def take_steps(config: OptimizerConfig, *, start: float = 0.0, precision: str = "float32", gradients=GRADIENTS):
    """Give both weights, `start` at first, the same gradients, one a step; return what they are after each (2, 5)."""
    weights = [keras.Variable(np.full(5, start, np.float32), name=name) for name in ("stem_a", "stack1_a")]
    optimizer = build_optimizer(config, 10, 3, precision)
    optimizer.build(weights)
    after = []
    for gradient in gradients:
        scaled = np.asarray(optimizer.scale_loss(gradient))
        _apply(optimizer, [keras.ops.convert_to_tensor(scaled)] * 2, weights)
        after.append([np.asarray(weight.value) for weight in weights])
    return np.array(after)


def _apply(optimizer, gradients, weights):
    if keras.backend.backend() != "jax":
        optimizer.apply(gradients, weights)
        return
    import jax

    state = [variable.value for variable in optimizer.variables]
    values, state = jax.jit(optimizer.stateless_apply)(state, gradients, [weight.value for weight in weights])
    for variable, value in zip((*weights, *optimizer.variables), (*values, *state), strict=True):
        variable.assign(value)


def main() -> None:
    """Print the steps of every optimizer, with a weight decay, at a fourth of the rate for the stem."""
    told = {
        kind: take_steps(OptimizerConfig(kind=kind, rates={"stem": 0.25}, weight_decay=0.1), start=1.0).tolist()
        for kind in ("adam", "adamw", "rmsprop", "sgd")
    }
    print(json.dumps({"backend": keras.backend.backend(), **told}))


if __name__ == "__main__":
    main()
