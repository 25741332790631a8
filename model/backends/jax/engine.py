"""JAX as what computes a run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from cocoprep.model.backends.engine import ArrayBatch, Learner, SourceStep, TrainStep, ValidationStep
from cocoprep.model.backends.hosts import Hosts
from cocoprep.model.backends.jax.hosts import known_hosts
from cocoprep.model.backends.jax.placing import Placing, choose_mesh, describe_mesh, one_ahead
from cocoprep.model.backends.jax.steps import MEASURED, source_step, train_step, validation_step
from cocoprep.model.backends.processor import has_bfloat16
from cocoprep.model.input.batches import train_batches
from cocoprep.model.input.mixture import Mixture
from cocoprep.model.network.copy_weights import copy_weights
from cocoprep.model.run.config import TrainConfig


@dataclass(frozen=True)
class JaxEngine:
    """JAX, on the devices of a mesh. See `cocoprep.model.backends.engine.Engine`."""

    placing: Placing
    name: str = "jax"

    @classmethod
    def of(cls, config: TrainConfig) -> JaxEngine:
        """Take the devices that a config names. Its `xla` says nothing here: JAX compiles whole steps.

        Raises:
            ConfigError: the batch cannot be dealt out evenly.
        """
        return cls(Placing(choose_mesh(config.devices, config.batch_size)))

    @property
    def hosts(self) -> Hosts:
        """Return the processes that have been joined."""
        return known_hosts()

    def describe(self) -> str:
        """Name the devices."""
        return f"{describe_mesh(self.placing.mesh)}, by JAX"

    def seed(self, number: int) -> None:
        """Seed what Keras's initializers draw their seeds by. Keras's own function would load TensorFlow too."""
        random.seed(number)

    def scope(self) -> AbstractContextManager[Any]:
        """Return a context that does nothing: a step places what it needs."""
        return nullcontext()

    def in_training(self, network: keras.Model) -> keras.Model:
        """Return a copy, of which parts may be frozen: XLA joins what its layers do."""
        clone = keras.models.clone_model(network)
        copy_weights(network, clone)
        return clone

    def slow_in_bfloat16(self) -> bool:
        """Tell it of processors."""
        return jax.default_backend() == "cpu" and not has_bfloat16()

    def train_step(self, learner: Learner) -> TrainStep:
        """Return the step of the whole mesh."""
        return train_step(learner, self.placing)

    def validation_step(self, learner: Learner) -> ValidationStep:
        """Return the step of the whole mesh."""
        return validation_step(learner, self.placing)

    def source_step(self, learner: Learner, sources: int) -> SourceStep:
        """Return the step of the whole mesh."""
        return source_step(learner, self.placing, sources)

    def train_batches(self, people: Mixture, config: TrainConfig, start_step: int) -> Iterator[ArrayBatch]:
        """Yield batches, placed but for the ids of this host's rows, the next one on its way meanwhile."""
        size = config.batch_size
        batches = train_batches(people, config.read, start_step=start_step, rows=self.placing.rows(size))
        return one_ahead(
            {**batch, **self.placing.deal_rows({name: batch[name] for name in MEASURED}, size)} for batch in batches
        )

    def column(self, batch: ArrayBatch, name: str) -> NDArray[np.generic]:
        """Return what this host's devices have."""
        column = batch[name]
        if not isinstance(column, jax.Array):
            return np.asarray(column)
        parts = sorted(column.addressable_shards, key=lambda shard: shard.index[0].start or 0)
        return np.concatenate([np.asarray(shard.data) for shard in parts])
