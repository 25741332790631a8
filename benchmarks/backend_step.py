"""One side of `benchmarks.bench_backends`.

`python -m benchmarks.backend_step FOLDER BACKEND DEVICES CHANNELS BATCH PRECISION [FROZEN ...]`. A process for
itself: Keras takes one backend, and TensorFlow its threads once. It serves the steps of `cocoprep train`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.metadata import version
from itertools import count, cycle, islice

import numpy as np

from benchmarks.steps import serve_steps
from cocoprep.model.backends.choice import leave_out_tensorflow, use_backend
from cocoprep.model.backends.tensorflow.prepare import prepare_tensorflow
from cocoprep.model.run.resolve import resolve_config

BATCHES = 4  # in turn: one alone would stay in the caches


def main() -> None:
    """Open a trainee and serve its steps."""
    folder, backend, devices, channels, batch_size, precision, *frozen = sys.argv[1:]
    config = resolve_config(
        "never-written", None,
        {
            "data": folder, "backend": backend, "network.channels": int(channels), "batch_size": int(batch_size),
            "precision": precision, "devices": devices, "optimizer.ema": 0.999,
        },
        resume=False,
    )  # fmt: skip
    config = replace(config, freeze=tuple(frozen))  # past the check that they have learned something: here time counts
    if use_backend(config.backend) == "jax":
        leave_out_tensorflow()
    else:
        prepare_tensorflow(config)
    from cocoprep.model.backends.choice import open_engine
    from cocoprep.model.input.batches import people_to_learn_from
    from cocoprep.model.training.trainee import build_trainee

    people = people_to_learn_from(config.folders, config.read)
    trainee = build_trainee(config, people, open_engine(config))
    batches = cycle(list(islice(trainee.engine.train_batches(people, config, 0), BATCHES)))
    learn, numbers = trainee.engine.train_step(trainee), count(1)
    serve_steps(
        lambda: float(np.asarray(learn(next(batches), next(numbers))["loss"]).sum()),
        parameters=trainee.network.count_params(),
        version=version(backend),
    )


if __name__ == "__main__":
    main()
