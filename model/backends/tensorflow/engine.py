"""TensorFlow as what computes a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cocoprep.errors import ConfigError
from cocoprep.model.backends.engine import ArrayBatch, Learner, SourceStep, TrainStep, ValidationStep
from cocoprep.model.backends.hosts import Hosts, OneHost
from cocoprep.model.backends.processor import has_bfloat16
from cocoprep.model.backends.tensorflow.devices import choose_strategy, describe_devices
from cocoprep.model.backends.tensorflow.fused_normalisation import fuse_normalisation
from cocoprep.model.backends.tensorflow.steps import source_step, train_step, validation_step
from cocoprep.model.input.dataset import train_dataset
from cocoprep.model.input.failures import readable_errors
from cocoprep.model.input.mixture import Mixture
from cocoprep.model.run.config import TrainConfig


@dataclass(frozen=True)
class TensorFlowEngine:
    """TensorFlow, on the devices of a strategy, or in parts. See `cocoprep.model.backends.engine.Engine`."""

    strategy: Any
    parts: int = 1  # of a batch, at which the cores of a CPU work at a time
    name: str = "tensorflow"

    @classmethod
    def of(cls, config: TrainConfig) -> TensorFlowEngine:
        """Take the devices that a config names.

        Raises:
            ConfigError: the batch cannot be dealt out evenly, or the whole step is to be compiled for several devices.
        """
        strategy = choose_strategy(config.devices, config.batch_size)
        if config.xla == "whole" and strategy.num_replicas_in_sync > 1:
            raise ConfigError("--xla whole: compiles the step of one device; leave it out, or --devices all.")
        return cls(strategy, 2 if config.devices == "cores" and not tf.config.list_physical_devices("GPU") else 1)

    @property
    def hosts(self) -> Hosts:
        """Return this process."""
        return OneHost()

    def describe(self) -> str:
        """Name the devices."""
        return describe_devices(self.strategy, self.parts)

    def seed(self, number: int) -> None:
        """Seed all that Keras and TensorFlow draw by."""
        keras.utils.set_random_seed(number)

    def scope(self) -> AbstractContextManager[Any]:
        """Return the strategy's own scope."""
        scope: AbstractContextManager[Any] = self.strategy.scope()
        return scope

    def in_training(self, network: keras.Model) -> keras.Model:
        """Return a copy whose batch normalisations are fused."""
        return fuse_normalisation(network, self.parts)

    def slow_in_bfloat16(self) -> bool:
        """Tell it of processors."""
        return not tf.config.list_physical_devices("GPU") and not has_bfloat16()

    def train_step(self, learner: Learner) -> TrainStep:
        """Return the step, compiled as the config's `xla` says."""
        return train_step(learner, self.strategy, self.parts)

    def validation_step(self, learner: Learner) -> ValidationStep:
        """Return the step of one device."""
        return validation_step(learner, self.parts)

    def source_step(self, learner: Learner, sources: int) -> SourceStep:
        """Return the step of one device."""
        return source_step(learner, sources)

    def train_batches(self, people: Mixture, config: TrainConfig, start_step: int) -> Iterator[ArrayBatch]:
        """Yield batches of tf.data, each device's part on it."""
        with readable_errors():
            batches = train_dataset(people, config.read, start_step=start_step)
            yield from self.strategy.experimental_distribute_dataset(batches)

    def column(self, batch: ArrayBatch, name: str) -> NDArray[np.generic]:
        """Return what all devices have."""
        parts = self.strategy.experimental_local_results(batch[name])
        return np.concatenate([np.asarray(part) for part in parts])
