"""What a backend does for a run: devices, batches on them, and the steps of training and validation.

G groups of layers, S stacks, B people, K joints, heatmaps of (h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cocoprep.model.backends.hosts import Hosts
from cocoprep.model.input.mixture import Mixture
from cocoprep.model.run.config import TrainConfig

if TYPE_CHECKING:
    import keras

Sums = dict[str, Any]
ArrayBatch = dict[str, Any]  # as `cocoprep.model.input.batch` lists it, on devices or not
TrainStep = Callable[[ArrayBatch, int], Sums]
ValidationStep = Callable[[ArrayBatch], tuple[Sums, Any]]
SourceStep = Callable[[Any, ArrayBatch], list[Sums]]


class Measuring(Protocol):
    """Measures batches: `cocoprep.model.training.metrics.Measure`."""

    def losses(self, predictions: Any, batch: ArrayBatch) -> tuple[Any, Any]:
        """Return (S,) the summed loss of each stack and () the summed weight behind each."""

    def sums(self, predictions: Any, batch: ArrayBatch) -> Sums:
        """Return everything that adds up."""

    def by_source(self, predictions: Any, batch: ArrayBatch, sources: int) -> list[Sums]:
        """Return `sums` of the people of each source alone."""


class Averaging(Protocol):
    """Averages weights: `cocoprep.model.training.weight_average.WeightAverage`."""

    variables: list[Any]
    own: list[Any]

    def moved(self, step: Any, averages: Any, owns: Any) -> list[Any]:
        """Return the averages after a step."""


class Learner(Protocol):
    """What is trained: `cocoprep.model.training.trainee.Trainee`."""

    @property
    def config(self) -> TrainConfig:
        """The run's."""

    @property
    def network(self) -> keras.Model:
        """The network in training."""

    @property
    def optimizer(self) -> Any:
        """Keras's, built for the network's trainable variables."""

    @property
    def average(self) -> Averaging:
        """Of the network's weights."""

    @property
    def measure(self) -> Measuring:
        """What it is measured by."""

    @property
    def groups(self) -> list[str]:
        """The groups of layers that are trained."""


class Engine(Protocol):
    """A backend, on some devices."""

    @property
    def name(self) -> str:
        """Keras's name of the backend."""

    @property
    def hosts(self) -> Hosts:
        """The processes that train together."""

    def describe(self) -> str:
        """Name the devices: "the CPU", "2 GPUs (NVIDIA L4)", "4 TPUs (TPU v5 lite)"."""

    def seed(self, number: int) -> None:
        """Have the weights of a network that is made next drawn by a seed."""

    def scope(self) -> AbstractContextManager[Any]:
        """Return the context in which a network and its optimizer are made."""

    def in_training(self, network: keras.Model) -> keras.Model:
        """Return the network in the form that trains fastest here, of the same variables in the same order."""

    def slow_in_bfloat16(self) -> bool:
        """Tell whether these devices are known to take longer in bfloat16 than in float32."""

    def train_step(self, learner: Learner) -> TrainStep:
        """Return the function that learns from a batch: of the batch and the number of the step, from 1.

        It moves network, optimizer and average, and returns `Measuring.sums` of the batch, as the network was before,
        with `gradient` (G,), the norm of each group's gradient before clipping, `steps`, 1, and `overflows`: 1 where a
        gradient under a loss scale is not finite. Such a step leaves the weights as they are and lowers the scale; its
        `gradient` is zero here.
        """

    def validation_step(self, learner: Learner) -> ValidationStep:
        """Return the function that measures a batch: `Measuring.sums`, and all heatmaps (S, B, h, w, K) float32."""

    def source_step(self, learner: Learner, sources: int) -> SourceStep:
        """Return the function that measures heatmaps, as `validation_step` returns them, for each source."""

    def train_batches(self, people: Mixture, config: TrainConfig, start_step: int) -> Iterator[ArrayBatch]:
        """Yield the batches of `cocoprep.model.input.batches.train_batches`, placed on the devices, without end.

        What is not placed is of those rows of a batch that this host makes.
        """

    def column(self, batch: ArrayBatch, name: str) -> NDArray[np.generic]:
        """Return what a batch of `train_batches` says of its people by a name, as far as it is on this machine."""
