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
from collections.abc import Iterable
from itertools import cycle, islice
from typing import Any

import jax
import jax.numpy as jnp
import keras

from cocoprep.errors import CocoprepError
from cocoprep.model.augment.config import STRENGTHS
from cocoprep.model.backends.choice import open_engine
from cocoprep.model.backends.jax.engine import JaxEngine
from cocoprep.model.backends.jax.steps import MEASURED, State, Training, compile_training
from cocoprep.model.input.batch import Batch
from cocoprep.model.input.batches import people_to_learn_from
from cocoprep.model.network.config import NetworkConfig
from cocoprep.model.run.config import OptimizerConfig, TrainConfig
from cocoprep.model.training.trainee import Trainee, build_trainee
from cocoprep.workers import default_workers

BATCHES = 4  # in turn: one alone would stay in the caches
# Square matrices large enough to fill the device, and small enough not to keep a CPU for minutes.
MATRIX = {"cpu": 2048}
LARGE_MATRIX = 8192
PRODUCTS = 10


def needed(batch: Batch) -> Batch:
    """Return what of a batch a step needs."""
    return {name: batch[name] for name in MEASURED}


def multiply_adds(network: keras.Model) -> int:
    """Return the multiply-adds of the convolutions for one image, forward."""
    return sum(
        math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D)
    )


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


def open_trainee(chosen: argparse.Namespace) -> Trainee:
    """Return what `cocoprep train` would train on a folder, with its usual optimizer."""
    config = TrainConfig(
        data=chosen.folder, batch_size=chosen.batch, backend="jax", precision=chosen.precision, cache=True,
        augment=STRENGTHS[chosen.augment], network=NetworkConfig(stacks=chosen.stacks, channels=chosen.channels),
        optimizer=OptimizerConfig(schedule="constant", warmup_epochs=0),
    )  # fmt: skip
    return build_trainee(config, people_to_learn_from(config.folders, config.read), open_engine(config))


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Take the steps and return what is to be known of them."""
    trainee = open_trainee(chosen)
    config, engine = trainee.config, trainee.engine
    assert isinstance(engine, JaxEngine)
    people = people_to_learn_from(config.folders, config.read)
    stream = map(needed, engine.train_batches(people, config, 0))
    resident = list(islice(stream, BATCHES))
    training = Training(trainee)
    state = State(*(engine.placing.everywhere([v.value for v in part]) for part in training.variables))

    started = time.perf_counter()
    step = compile_training(training, engine.placing).lower(state, resident[0], 1).compile()
    compiling = time.perf_counter() - started

    def take_round(batches: Iterable[Any], steps: int) -> tuple[float, float]:
        """Take some steps and return the seconds of one, and their mean loss."""
        nonlocal state
        losses = []
        started = time.perf_counter()
        for batch in islice(batches, steps):
            state, sums = step(state, batch, 1)
            losses.append(sum(sums["loss"]) / sums["weight"])
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
        "multiply_adds": 3 * chosen.batch * multiply_adds(trainee.network),
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
