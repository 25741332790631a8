"""One setting of `benchmarks.bench_jax`, which starts it with KERAS_BACKEND=jax.

A process for itself, so that its memory is its own. It needs neither TensorFlow nor Beam, and prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from itertools import cycle, islice
from typing import Any

import jax
import jax.numpy as jnp
import keras

from cocoprep.errors import CocoprepError
from cocoprep.model.augment.config import STRENGTHS
from cocoprep.model.input.batch import Batch
from cocoprep.model.input.batches import train_batches
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.records import RecordSource
from cocoprep.model.network.config import LossConfig
from cocoprep.model.network.hourglass import build_hourglass
from cocoprep.model.network.losses import joint_losses
from cocoprep.model.network.preprocess import normalise_images, unit_heatmaps
from cocoprep.shards.manifest import Manifest
from cocoprep.workers import default_workers

LEARNING_RATE = 1e-3
BATCHES = 4  # in turn: one alone would stay in the caches
# Square matrices large enough to fill the device, and small enough not to keep a CPU for minutes.
MATRIX = {"cpu": 2048}
LARGE_MATRIX = 8192
PRODUCTS = 10


def needed(batch: Batch) -> Batch:
    """Return what of a batch a step needs."""
    return {name: batch[name] for name in ("image", "heatmaps", "weights")}


def multiply_adds(network: keras.Model) -> int:
    """Return the multiply-adds of the convolutions for one image, forward."""
    return sum(
        math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D)
    )


def training_step(network: keras.Model, optimizer: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return the function that learns from a batch: from a state and a batch to the next state and the loss.

    The state is the network's trained and other variables and the optimizer's; its memory is used again.
    """
    config = LossConfig()

    def loss_of(trained: Any, others: Any, batch: Any) -> tuple[Any, Any]:
        stacks, others = network.stateless_call(trained, others, normalise_images(batch["image"]), training=True)
        truth, weights = unit_heatmaps(batch["heatmaps"]), batch["weights"]
        losses = sum(jnp.sum(joint_losses(maps, truth, config) * weights) for maps in stacks)
        return losses / jnp.maximum(jnp.sum(weights), 1.0), others

    def learn(state: Any, batch: Any) -> tuple[Any, Any]:
        trained, others, slots = state
        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(trained, others, batch)
        trained, slots = optimizer.stateless_apply(slots, gradients, trained)
        return (trained, others, slots), loss

    return jax.jit(learn, donate_argnums=0)


def measure_matrix_products(precision: str) -> float:
    """Return the multiply-adds a second of the device's best product of large matrices, of the network's own dtype."""
    size = MATRIX.get(jax.devices()[0].platform, LARGE_MATRIX)
    dtype = jnp.float32 if precision == "float32" else jnp.bfloat16
    left, right = (jax.random.normal(jax.random.key(n), (size, size), dtype) for n in range(2))
    multiply = jax.jit(jnp.matmul)
    multiply(left, right).block_until_ready()

    def seconds() -> float:
        started = time.perf_counter()
        for _ in range(PRODUCTS):
            product = multiply(left, right)
        product.block_until_ready()
        return (time.perf_counter() - started) / PRODUCTS

    return size**3 / min(seconds() for _ in range(5))


def planned_memory(compiled: Any) -> int:
    """Return the bytes that a compiled step holds at once: what goes in, what comes out elsewhere, and between."""
    plan = compiled.memory_analysis()
    inside = plan.argument_size_in_bytes + plan.output_size_in_bytes - plan.alias_size_in_bytes
    return int(inside + plan.temp_size_in_bytes)


def peak_memory() -> int | None:
    """Return the most bytes of the device that were in use, where it tells."""
    told = jax.devices()[0].memory_stats()
    return told["peak_bytes_in_use"] if told else None


def build_state(manifest: Manifest, stacks: int, channels: int) -> tuple[keras.Model, Any, Any]:
    """Return a network for the shards of a manifest, its optimizer, and their state: see `training_step`."""
    network = build_hourglass(
        stacks=stacks, channels=channels, joints=len(manifest.keypoints.names),
        input_size=manifest.crop.input_size, heatmap_stride=manifest.crop.heatmap_stride,
    )  # fmt: skip
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(network.trainable_variables)
    groups = (network.trainable_variables, network.non_trainable_variables, optimizer.variables)
    return network, optimizer, tuple([variable.value for variable in group] for group in groups)


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Take the steps and return what is to be known of them."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(chosen.precision)
    config = ReadConfig(batch_size=chosen.batch, augment=STRENGTHS[chosen.augment], cache=True)
    people = RecordSource(chosen.folder, config)
    stream = map(needed, train_batches(people, config))
    network, optimizer, state = build_state(people.manifest, chosen.stacks, chosen.channels)
    resident = [jax.device_put(batch) for batch in islice(stream, BATCHES)]

    started = time.perf_counter()
    step = training_step(network, optimizer).lower(state, resident[0]).compile()  # type: ignore[attr-defined]
    compiling = time.perf_counter() - started

    def take_round(batches: Iterable[Any], steps: int) -> tuple[float, float]:
        """Take some steps and return the seconds of one, and their mean loss."""
        nonlocal state
        losses = []
        started = time.perf_counter()
        for batch in islice(batches, steps):
            state, loss = step(state, batch)
            losses.append(loss)
        jax.block_until_ready((state, losses))  # type: ignore[no-untyped-call]
        return (time.perf_counter() - started) / steps, statistics.mean(map(float, losses))

    # The first round warms up.
    on_device = [take_round(cycle(resident), chosen.steps) for _ in range(1 + chosen.rounds)]
    # What lies ready when the first of these steps begins would hide a reader that is too slow.
    take_round(stream, default_workers() + 1)
    fed, _ = take_round(stream, chosen.rounds * chosen.steps)
    used = peak_memory()
    return {
        "device": jax.devices()[0].device_kind,
        "versions": f"JAX {jax.__version__}, Keras {keras.__version__}",
        "compiling": compiling,
        "seconds": [seconds for seconds, _ in on_device[1:]],
        "fed_seconds": fed,
        "losses": [loss for _, loss in on_device],
        # Once forward, and twice backward: for the input and for the kernel.
        "multiply_adds": 3 * chosen.batch * multiply_adds(network),
        "matrix_products": measure_matrix_products(chosen.precision),
        "planned_bytes": planned_memory(step),
        "peak_bytes": used,
    }


def main() -> None:
    """Measure one setting and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--precision", required=True)
    parser.add_argument("--augment", choices=tuple(STRENGTHS), required=True)
    for option in ("batch", "stacks", "channels", "rounds", "steps"):
        parser.add_argument(f"--{option}", type=int, required=True)
    if keras.backend.backend() != "jax":
        parser.error(f"expected KERAS_BACKEND=jax, found {keras.backend.backend()}")
    try:
        print(json.dumps(measure(parser.parse_args())))
    except CocoprepError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
