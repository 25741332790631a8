"""Train on two logical CPUs of TensorFlow: `python -m tests.model.backends.two_devices DATA [PRECISION FOLDER]`."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import tensorflow as tf

from cocoprep.model.backends.choice import open_engine
from cocoprep.model.input.batches import people_to_learn_from
from cocoprep.model.network.config import LossConfig, NetworkConfig
from cocoprep.model.run.config import OptimizerConfig, TrainConfig
from cocoprep.model.training.trainee import build_trainee
from tests.support.training import lines_of, open_tiny

STEPS = 4


def trace(data: str, devices: str, batch_size: int = 4) -> dict[str, list[float]]:
    """Return losses and gradient norms of a few steps, without what each device normalises on its own."""
    config = TrainConfig(
        data=data, batch_size=batch_size, devices=devices, network=NetworkConfig(channels=8, depth=1, stacks=2),
        loss=LossConfig(kind="mse"), optimizer=OptimizerConfig(kind="sgd", clip_norm=0.05, ema=0.5, warmup_epochs=0),
    )  # fmt: skip
    people = people_to_learn_from(data, config.read)
    trainee = build_trainee(config, people, open_engine(config))
    for layer in trainee.network.layers:
        if "_bn" in layer.name:  # statistics of half a batch are others than of the whole
            layer.trainable = False
    step = trainee.engine.train_step(trainee)
    batches = trainee.engine.train_batches(people, config, 0)
    parts = [step(batch, n) for n, batch in zip(range(1, STEPS + 1), batches, strict=False)]
    return {
        "devices": trainee.engine.describe(),
        "loss": [np.asarray(part["loss"]).tolist() for part in parts],
        "people": [float(part["people"]) for part in parts],
        "steps": [float(part["steps"]) for part in parts],
        "gradient": [np.asarray(part["gradient"]).tolist() for part in parts],
    }


def whole_runs(data: str, precision: str, folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the losses by step of a run on both devices: uninterrupted with validation, and stopped in the middle."""
    settings = {"devices": "all", "precision": precision, "optimizer__ema": 0.5, "network__stacks": 1, "epochs": 2}
    settings["optimizer__rates"] = {"stem": 0.5}
    open_tiny(data, data, folder / "whole", **settings).go()
    stopped = open_tiny(data, None, folder / "stopped", **settings)
    with suppress(KeyboardInterrupt):
        stopped.go(lambda: len(stopped.report.steps) == 7)
    open_tiny(data, None, folder / "stopped", resume=True, **settings).go()
    return {name: [(line["step"], line["loss"]) for line in lines_of(folder / name)] for name in ("whole", "stopped")}


def main() -> None:
    """Print traces of one and of two devices as JSON, or those of `whole_runs`."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    data, *rest = sys.argv[1:]
    if rest:
        print(json.dumps(whole_runs(data, rest[0], Path(rest[1]))))
    else:
        print(json.dumps({devices: trace(data, devices) for devices in ("one", "all")}))


if __name__ == "__main__":
    main()
