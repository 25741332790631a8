"""Take some steps by the backend that KERAS_BACKEND names: `python -m tests.model.backends.traced WHAT`, JSON.

`weights` is a file of an earlier trace to begin with its weights, `save` one to write.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import keras
import numpy as np

from cocoprep.model.backends.choice import open_engine
from cocoprep.model.input.batches import eval_batches, people_to_evaluate, people_to_learn_from
from cocoprep.model.run.resolve import resolve_config
from cocoprep.model.training.trainee import Trainee, build_trainee
from tests.support.training import TINY


def open_trainee(settings: dict[str, Any]) -> Trainee:
    """Return what is trained by tiny settings, changed; on the backend that Keras has."""
    backend = keras.backend.backend()
    config = resolve_config("none", None, {**TINY, "backend": backend, **settings}, resume=False)
    return build_trainee(config, people_to_learn_from(config.folders, config.read), open_engine(config))


def take_steps(trainee: Trainee, count: int) -> list[dict[str, Any]]:
    """Return what some steps say of their batches."""
    config = trainee.config
    people = people_to_learn_from(config.folders, config.read)
    learn = trainee.engine.train_step(trainee)
    batches = trainee.engine.train_batches(people, config, 0)
    return [learn(batch, n) for n, batch in zip(range(1, count + 1), batches, strict=False)]


def trace(what: dict[str, Any]) -> dict[str, Any]:
    """Return the sums of steps, of a validation after them, and the joints' sums by source."""
    trainee = open_trainee(what["settings"])
    variables = trainee.network.variables
    if "weights" in what:
        with np.load(what["weights"]) as stored:
            for n, variable in enumerate(variables):
                variable.assign(stored[str(n)])
    if "save" in what:
        np.savez(what["save"], **{str(n): np.asarray(variable) for n, variable in enumerate(variables)})
    steps = take_steps(trainee, what["steps"])
    config = trainee.config
    batch = next(eval_batches(people_to_evaluate(config.folders, config.read), config.read))
    sums, maps = trainee.engine.validation_step(trainee)(batch)
    parts = trainee.engine.source_step(trainee, 2)(maps, batch)
    return {
        "devices": trainee.engine.describe(),
        "is_plain": trainee.network is trainee.plain,
        "steps": [_listed(step) for step in steps],
        "validation": _listed(sums),
        "maps": np.asarray(maps).mean(axis=(1, 2, 3)).tolist(),
        "sources": [_listed(part) for part in parts],
        "average": [float(np.abs(np.asarray(v)).sum()) for v in trainee.average.variables],
        "moving": [float(np.asarray(v).sum()) for v in variables if "moving" in v.path],
    }


def _listed(sums: dict[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(value).tolist() for name, value in sums.items()}


if __name__ == "__main__":
    print(json.dumps(trace(json.loads(sys.argv[1]))))
