"""Our side of the training benchmark: `python -m benchmarks.keras_step REFERENCE [--xla] [--precision P]`.

A process for itself. It writes the reference that the other side is held against, then serves steps.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.steps import serve_steps
from cocoprep.model.backends.tensorflow.fused_normalisation import fuse_normalisation
from cocoprep.model.network.copy_weights import copy_weights
from cocoprep.model.network.hourglass import build_hourglass

LEARNING_RATE = 1e-3
IMAGES, HEATMAPS = (8, 256, 256, 3), (8, 64, 64, 17)


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


def draw_batch() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return images (B, H, W, 3) and heatmaps (B, h, w, K)."""
    rng = np.random.default_rng(1)
    return rng.normal(size=IMAGES).astype(np.float32), rng.uniform(size=HEATMAPS).astype(np.float32)


def training_step(network: keras.Model, optimizer: Any, *, xla: bool) -> Any:
    """Return the function that learns from a batch: forward, backward, update."""
    variables = network.trainable_variables
    optimizer.build(variables)  # or the function would be traced twice

    def learn(images: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            maps = network(images, training=True)
            loss = tf.add_n([tf.reduce_mean(tf.square(each - truth)) for each in maps])
        gradients = tape.gradient(loss, variables)
        # Where XLA is told to join what it can, the update's hundreds of small parts are not worth compiling.
        with nullcontext() if xla else tf.xla.experimental.jit_scope(compile_ops=False):
            optimizer.apply(gradients, variables)
        return loss

    return tf.function(learn, jit_compile=xla)


def main() -> None:
    """Write the reference and serve steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--xla", action="store_true")
    parser.add_argument("--precision", default="float32")
    chosen = parser.parse_args()
    drawn = build_hourglass()  # in float32, whatever the steps compute in
    draw_weights(drawn)
    images, truth = draw_batch()
    arrays = {f"weights:{weight.path}": weight.numpy() for weight in drawn.weights}
    predicted = np.stack(drawn(images[:1], training=False))
    np.savez(chosen.reference, images=images, truth=truth, predicted=predicted, **arrays)
    keras.config.set_dtype_policy(chosen.precision)
    network = fuse_normalisation(build_hourglass())
    copy_weights(drawn, network)
    learn = training_step(network, keras.optimizers.Adam(LEARNING_RATE), xla=chosen.xla)
    batch = tf.constant(images), tf.constant(truth)
    parameters = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    serve_steps(lambda: float(learn(*batch)), parameters=parameters, version=tf.__version__)


if __name__ == "__main__":
    main()
