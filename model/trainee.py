"""The network in training, with its optimizer and what it is measured by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from cocoprep.baseline import read_baseline
from cocoprep.manifest import Manifest
from model.config import TrainConfig
from model.devices import choose_strategy
from model.gfile import files_of
from model.hourglass import build_hourglass, group_of
from model.metrics import Guess, Measure
from model.schedule import build_optimizer


@dataclass(frozen=True)
class Trainee:
    """What is trained, by what, what it is measured by, and on which devices."""

    config: TrainConfig
    network: keras.Model
    optimizer: Any
    measure: Measure
    strategy: Any

    @property
    def groups(self) -> list[str]:
        """Return the parts of the network whose gradients are watched: `stem`, `stack1`, `stack2`, ..."""
        return list(dict.fromkeys(group_of(variable.path) for variable in self.network.trainable_variables))

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Put the moving average of the weights in their place for a while, where the run keeps one."""
        optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if not optimizer.use_ema:
            yield
            return
        variables = self.network.trainable_variables
        own = [variable.numpy() for variable in variables]
        for variable, average in zip(variables, optimizer._model_variables_moving_average, strict=True):
            variable.assign(average)
        try:
            yield
        finally:
            for variable, value in zip(variables, own, strict=True):
                variable.assign(value)


def build_trainee(config: TrainConfig, manifest: Manifest, steps_per_epoch: int) -> Trainee:
    """Build network, optimizer and measure for the shards of a manifest, on the devices that the config names."""
    keras.utils.set_random_seed(config.seed)
    keras.config.set_dtype_policy(config.precision)
    strategy = choose_strategy(config.devices, config.batch_size)
    with strategy.scope():
        network = build_hourglass(
            stacks=config.network.stacks,
            channels=config.network.channels,
            depth=config.network.depth,
            convolution=config.network.convolution,
            activation=config.network.activation,
            joints=len(manifest.keypoints.names),
            input_size=manifest.crop.input_size,
            heatmap_stride=manifest.crop.heatmap_stride,
        )
        optimizer = build_optimizer(config.optimizer, steps_per_epoch, config.epochs, config.precision)
        optimizer.build(network.trainable_variables)
    guess = Guess.of(read_baseline(config.data, files_of(config.data)))
    measure = Measure(config.loss, guess, manifest.keypoints.flip_index, manifest.crop.heatmap_stride)
    return Trainee(config, network, optimizer, measure, strategy)
