"""Train on two logical CPUs: `python -m tests.model.two_devices DATA`. Run in a process of its own."""

from __future__ import annotations

import json
import sys

import numpy as np
import tensorflow as tf

from cocoprep.files import LocalFiles
from cocoprep.manifest import read_manifest
from model.config import LossConfig, NetworkConfig, OptimizerConfig, TrainConfig
from model.dataset import train_dataset
from model.devices import describe_devices
from model.train_step import train_step
from model.trainee import build_trainee

STEPS = 4


def trace(data: str, devices: str) -> dict[str, list[float]]:
    """Return losses and gradient norms of a few steps, without what each device normalises on its own."""
    config = TrainConfig(
        data=data, batch_size=4, devices=devices, network=NetworkConfig(channels=8, depth=1, stacks=2),
        loss=LossConfig(kind="mse"), optimizer=OptimizerConfig(kind="sgd", clip_norm=0.05, ema=0.5, warmup_epochs=0),
    )  # fmt: skip
    trainee = build_trainee(config, read_manifest(data, LocalFiles()), 5)
    for layer in trainee.network.layers:
        if "_bn" in layer.name:  # statistics of half a batch are others than of the whole
            layer.trainable = False
    step = train_step(trainee)
    batches = trainee.strategy.experimental_distribute_dataset(train_dataset(data, config.read))
    parts = [step(batch) for _, batch in zip(range(STEPS), batches, strict=False)]
    return {
        "devices": describe_devices(trainee.strategy),
        "loss": [np.asarray(part["loss"]).tolist() for part in parts],
        "people": [float(part["people"]) for part in parts],
        "steps": [float(part["steps"]) for part in parts],
        "gradient": [np.asarray(part["gradient"]).tolist() for part in parts],
    }


def main() -> None:
    """Print both traces as JSON."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    print(json.dumps({devices: trace(sys.argv[1], devices) for devices in ("one", "all")}))


if __name__ == "__main__":
    main()
