"""The network in training, with its optimizer and what it is measured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from cocoprep.model.backends.engine import Engine
from cocoprep.model.input.batches import whole_batches
from cocoprep.model.input.mixture import Mixture
from cocoprep.model.network.copy_weights import copy_weights
from cocoprep.model.network.hourglass import build_hourglass
from cocoprep.model.run.config import TrainConfig
from cocoprep.model.training.groups import freeze, frozen_as_drawn, groups_of
from cocoprep.model.training.guess import read_guess
from cocoprep.model.training.metrics import Measure
from cocoprep.model.training.schedule import build_optimizer
from cocoprep.model.training.starting_weights import StartingWeights, take_weights
from cocoprep.model.training.weight_average import WeightAverage
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.settings import table_of
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore


@dataclass(frozen=True)
class Trainee:
    """What is trained, by what, what it is measured by, by which engine, and, in sentences, what it began with.

    `network` is a copy of `plain` in the form that trains fastest, parts of it frozen; files take `plain`.
    """

    config: TrainConfig
    network: keras.Model
    plain: keras.Model
    optimizer: Any
    average: WeightAverage
    measure: Measure
    engine: Engine
    begun_with: tuple[str, ...] = ()

    def network_to_save(self) -> keras.Model:
        """Return the network as it is now, of Keras's own layers alone."""
        copy_weights(self.network, self.plain)
        return self.plain

    @property
    def groups(self) -> list[str]:
        """Return the parts of the network that are trained: `stem`, `stack1`, `stack2`, ..."""
        return groups_of(self.network.trainable_variables)


def build_trainee(
    config: TrainConfig,
    people: Mixture,
    engine: Engine,
    files: FileStore = AnyFiles(),
    *,
    start: StartingWeights | None = None,
) -> Trainee:
    """Build network, optimizer and measure for the people to learn from, by an engine of the config.

    `files` is where their shards lie; by default, on this machine or in a bucket, as each path says. `start` is what
    the network begins with, as far as it has it.

    Raises:
        ConfigError: the network cannot begin with that.
    """
    manifest, steps_per_epoch = people.manifest, whole_batches(people, config.read)
    engine.seed(config.seed)
    keras.config.set_dtype_policy(config.precision)
    guess = read_guess(people, config.loss, files)
    with engine.scope():
        plain = build_hourglass(
            stacks=config.network.stacks,
            channels=config.network.channels,
            depth=config.network.depth,
            convolution=config.network.convolution,
            activation=config.network.activation,
            joints=len(manifest.keypoints.names),
            input_size=manifest.crop.input_size,
            heatmap_stride=manifest.crop.heatmap_stride,
        )
        network = engine.in_training(plain)
        begun_with = () if start is None else _begin(network, start, config, table_of(manifest.keypoints))
        freeze(network, config.freeze)
        optimizer = build_optimizer(config.optimizer, steps_per_epoch, config.epochs, config.precision)
        optimizer.build(network.trainable_variables)
        average = WeightAverage(network, config.optimizer.ema)
    measure = Measure(config.loss, guess, manifest.keypoints.flip_index, manifest.crop.heatmap_stride)
    return Trainee(config, network, plain, optimizer, average, measure, engine, begun_with)


def _begin(network: keras.Model, start: StartingWeights, config: TrainConfig, table: KeypointTable) -> tuple[str, ...]:
    return *take_weights(network, start, table), *frozen_as_drawn(network, config.freeze, start, table)
