"""Our side of the training benchmark: `python -m benchmarks.keras_step REFERENCE --stacks 2 ...`, a process for itself.

Writes the reference that the other side is held against, then serves steps.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.steps import serve_steps
from model.hourglass import build_hourglass

LEARNING_RATE = 1e-3


def draw_weights(network: keras.Model, seed: int = 0) -> None:
    """Give every weight, moving statistics too, a random value of a sensible size: a fresh head predicts zeros."""
    rng = np.random.default_rng(seed)
    for weight in network.weights:
        kind, shape = weight.path.split("/")[-1], tuple(weight.shape)
        if kind == "kernel":
            value = rng.normal(size=shape) * np.sqrt(1 / np.prod(shape[:-1]))
        elif kind in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, size=shape)
        else:
            value = rng.normal(size=shape) * 0.1
        weight.assign(value)


def draw_batch(batch: int, size: int, joints: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return images (B, size, size, 3) and heatmaps (B, size / 4, size / 4, K)."""
    rng = np.random.default_rng(1)
    images = rng.normal(size=(batch, size, size, 3)).astype(np.float32)
    return images, rng.uniform(size=(batch, size // 4, size // 4, joints)).astype(np.float32)


def training_step(network: keras.Model, optimizer: Any, *, xla: bool) -> Any:
    """Return the function that learns from a batch: forward, backward, update."""
    variables = network.trainable_variables
    optimizer.build(variables)  # or the function would be traced twice

    def learn(images: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            maps = network(images, training=True)
            loss = tf.add_n([tf.reduce_mean(tf.square(each - truth)) for each in maps])
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    return tf.function(learn, jit_compile=xla)


def main() -> None:
    """Write the reference and serve steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    for name, default in (("stacks", 2), ("channels", 256), ("depth", 4), ("joints", 17), ("size", 256), ("batch", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--xla", action="store_true")
    parser.add_argument("--precision", default="float32")
    chosen = parser.parse_args()
    keras.config.set_dtype_policy(chosen.precision)
    network = build_hourglass(
        stacks=chosen.stacks, channels=chosen.channels, depth=chosen.depth, joints=chosen.joints,
        input_size=(chosen.size, chosen.size),
    )  # fmt: skip
    draw_weights(network)
    images, truth = draw_batch(chosen.batch, chosen.size, chosen.joints)
    arrays = {f"weights:{weight.path}": weight.numpy() for weight in network.weights}
    predicted = np.stack(network(images[:1], training=False))
    np.savez(chosen.reference, images=images, truth=truth, predicted=predicted, **arrays)
    learn = training_step(network, keras.optimizers.Adam(LEARNING_RATE), xla=chosen.xla)
    batch = tf.constant(images), tf.constant(truth)
    parameters = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    serve_steps(lambda: float(learn(*batch)), parameters=parameters, version=tf.__version__)


if __name__ == "__main__":
    main()
