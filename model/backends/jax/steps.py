"""One step of training, and one of validation, as pure functions that JAX compiles for a mesh of devices.

The batch is dealt out over the mesh's one axis, everything else lies whole on each device; the step is that of the
whole batch on one device, the statistics of batch normalisation among it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import keras
from keras import ops

from cocoprep.model.backends.engine import ArrayBatch, Learner, SourceStep, Sums, TrainStep, ValidationStep
from cocoprep.model.backends.jax.placing import Placing
from cocoprep.model.network.hourglass import group_of
from cocoprep.model.network.preprocess import normalise_images

# What of a batch a step computes with. Its ids stay where they are: of their 64 bits JAX would keep 32.
MEASURED = (
    "image", "heatmaps", "keypoints", "visibility", "weights", "looked_for", "box_side", "source", "valid",
)  # fmt: skip


class State(NamedTuple):
    """All that a step of training moves, as values of Keras's variables."""

    trained: list[Any]
    others: list[Any]  # of the network: statistics, and what is frozen
    slots: list[Any]  # of the optimizer
    averages: list[Any]


@dataclass(frozen=True)
class Training:
    """A step of training as a pure function, `learn`, and the variables whose values it takes."""

    learner: Learner

    @property
    def variables(self) -> State:
        """Return Keras's variables in the places of their values."""
        network = self.learner.network
        return State(
            network.trainable_variables, network.non_trainable_variables, self.learner.optimizer.variables,
            self.learner.average.variables,
        )  # fmt: skip

    def learn(self, state: State, batch: ArrayBatch, number: Any) -> tuple[State, Sums]:
        """Return the state after a step, and what `cocoprep.model.backends.engine.Engine.train_step` returns."""
        learner = self.learner
        optimizer, measure = learner.optimizer, learner.measure
        scale = self._loss_scale(state.slots)

        def loss_of(trained: list[Any]) -> tuple[Any, tuple[list[Any], Any]]:
            images = normalise_images(batch["image"])
            predictions, others = learner.network.stateless_call(trained, state.others, images, training=True)
            losses, weight = measure.losses(predictions, batch)
            return ops.sum(losses) / ops.maximum(weight, 1.0) * scale, (others, predictions)

        (_, (others, predictions)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.trained)
        norms, finite, gradients = self._measured(gradients, scale)
        trained, slots = optimizer.stateless_apply(state.slots, gradients, state.trained)
        sums = {
            **measure.sums(predictions, batch), "gradient": norms, "steps": ops.ones(()),
            "overflows": 1.0 - ops.cast(finite, "float32"),
        }  # fmt: skip
        averages = self._averaged(State(trained, others, slots, state.averages), number)
        return State(list(trained), list(others), list(slots), averages), sums

    def _measured(self, gradients: list[Any], scale: Any) -> tuple[Any, Any, list[Any]]:
        """Return each group's norm, whether all are finite, and the gradients, clipped if the config says so."""
        learner = self.learner
        variables = learner.network.trainable_variables
        unscaled = [gradient / scale for gradient in gradients]
        places = {group: [n for n, v in enumerate(variables) if group_of(v.path) == group] for group in learner.groups}
        norms = ops.stack([_norm([unscaled[n] for n in mine]) for mine in places.values()])
        finite = ops.all(ops.isfinite(norms)) if self._scales else ops.convert_to_tensor(True)
        if longest := learner.config.optimizer.clip_norm:
            factor = ops.minimum(1.0, longest / ops.maximum(_norm(unscaled), 1e-12))
            gradients = [gradient * factor for gradient in gradients]
        return ops.where(finite, norms, 0.0), finite, gradients

    @property
    def _scales(self) -> bool:
        return hasattr(self.learner.optimizer, "dynamic_scale")

    def _loss_scale(self, slots: list[Any]) -> Any:
        if not self._scales:
            return 1.0
        optimizer = self.learner.optimizer
        with keras.StatelessScope(state_mapping=list(zip(optimizer.variables, slots, strict=True))):
            return ops.convert_to_tensor(optimizer.dynamic_scale)

    def _averaged(self, state: State, number: Any) -> list[Any]:
        average, network = self.learner.average, self.variables
        values = dict(zip(map(id, network.trained + network.others), state.trained + state.others, strict=True))
        return average.moved(number, state.averages, [values[id(variable)] for variable in average.own])


def _norm(arrays: list[Any]) -> Any:
    return ops.sqrt(sum(ops.sum(ops.square(array)) for array in arrays))


def compile_training(training: Training, placing: Placing) -> Any:
    """Return `training.learn` as JAX compiles it for a mesh; the memory of a state is used again for the next."""
    whole, dealt = placing.whole, placing.dealt
    return jax.jit(training.learn, in_shardings=(whole, dealt, whole), out_shardings=(whole, whole), donate_argnums=0)


def train_step(learner: Learner, placing: Placing) -> TrainStep:
    """Return the function that learns from a placed batch: see `cocoprep.model.backends.engine.Engine`."""
    training = Training(learner)
    learn, variables = compile_training(training, placing), training.variables

    def step(batch: ArrayBatch, number: int) -> Sums:
        state = State(*(placing.everywhere([variable.value for variable in part]) for part in variables))
        state, sums = learn(state, {name: batch[name] for name in MEASURED}, number)
        for part, values in zip(variables, state, strict=True):
            for variable, value in zip(part, values, strict=True):
                variable.assign(value)
        return dict(sums)

    return step


def validation_function(learner: Learner) -> Callable[..., tuple[Sums, Any]]:
    """Return the pure function of the network's values and a batch that `validation_step` compiles."""
    network = learner.network

    def measure(trained: list[Any], others: list[Any], batch: ArrayBatch) -> tuple[Sums, Any]:
        predictions, _ = network.stateless_call(trained, others, normalise_images(batch["image"]), training=False)
        return learner.measure.sums(predictions, batch), ops.stack(predictions)

    return measure


def compile_validation(learner: Learner, placing: Placing) -> Any:
    """Return `validation_function` as JAX compiles it for a mesh: every device has all that comes of it."""
    whole = placing.whole
    return jax.jit(validation_function(learner), in_shardings=(whole, whole, placing.dealt), out_shardings=whole)


def validation_step(learner: Learner, placing: Placing) -> ValidationStep:
    """Return the function that measures a batch of NumPy: see `cocoprep.model.backends.engine.Engine`."""
    compiled, network = compile_validation(learner, placing), learner.network

    def step(batch: ArrayBatch) -> tuple[Sums, Any]:
        trained, others = (
            placing.everywhere([variable.value for variable in part])
            for part in (network.trainable_variables, network.non_trainable_variables)
        )
        sums, maps = compiled(trained, others, placing.deal({name: batch[name] for name in MEASURED}))
        return dict(sums), maps

    return step


def source_step(learner: Learner, placing: Placing, sources: int) -> SourceStep:
    """Return the function that measures heatmaps for each source: see `cocoprep.model.backends.engine.Engine`."""

    def measure(heatmaps: Any, batch: ArrayBatch) -> list[Sums]:
        return learner.measure.by_source(ops.unstack(heatmaps), batch, sources)

    compiled = jax.jit(measure, in_shardings=(placing.whole, placing.dealt), out_shardings=placing.whole)

    def step(heatmaps: Any, batch: ArrayBatch) -> list[Sums]:
        found: list[Sums] = compiled(heatmaps, placing.deal({name: batch[name] for name in MEASURED}))
        return found

    return step
