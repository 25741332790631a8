"""One step of training, and one of validation, on one device or several.

Each device takes its part of the batch; losses are divided by the whole batch's weight and gradients are summed, so the
step is that of the whole batch on one device, but for batch normalisation, whose statistics are each device's own. A
CPU takes a batch in parts in the same way, all within one function, of which TensorFlow computes at a time what it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf

from cocoprep.model.backends.engine import ArrayBatch, Learner, SourceStep, Sums, TrainStep, ValidationStep
from cocoprep.model.network.hourglass import group_of
from cocoprep.model.network.preprocess import normalise_images
from cocoprep.model.run.config import Xla


def train_step(learner: Learner, strategy: Any, parts: int = 1) -> TrainStep:
    """Return the function that learns from a batch: see `cocoprep.model.backends.engine.Engine`."""
    learn, average = compile_learning(learner, strategy, parts), learner.average

    # Outside of any device's part of the step: each would move what they share.
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def move_average(step: Any) -> None:
        moved = average.moved(step, [v.value for v in average.variables], [v.value for v in average.own])
        for variable, value in zip(average.variables, moved, strict=True):
            variable.assign(value)

    def step(batch: ArrayBatch, number: int) -> Sums:
        sums = learn(batch)
        if average.variables:
            move_average(tf.constant(number))
        return sums

    return step


def compile_learning(learner: Learner, strategy: Any, parts: int = 1) -> Callable[[ArrayBatch], Sums]:
    """Return the function that `train_step` takes on a batch before it moves the average."""
    return _distributed(_learning(learner, strategy.num_replicas_in_sync, parts), strategy, xla=learner.config.xla)


def _learning(learner: Learner, replicas: int, parts: int) -> Callable[[ArrayBatch], Sums]:
    """Return what each of some devices does with its part of a batch, in parts of its own."""
    network, optimizer, measure = learner.network, learner.optimizer, learner.measure
    variables = network.trainable_variables
    members = [[n for n, v in enumerate(variables) if group_of(v.path) == group] for group in learner.groups]
    scales = hasattr(optimizer, "dynamic_scale")

    def learn(batch: ArrayBatch) -> Sums:
        # Keras's frozen variables are still TensorFlow's trainable ones, which a tape would watch by itself.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            dealt = _in_parts(batch, parts)
            predictions = [network(normalise_images(part["image"]), training=True) for part in dealt]
            losses, weights = zip(*map(measure.losses, predictions, dealt), strict=True)
            total = tf.maximum(_over_devices(tf.add_n(weights), replicas), 1.0)
            scaled = optimizer.scale_loss(tf.reduce_sum(tf.add_n(losses)) / total)
        gradients = [_over_devices(g, replicas) for g in tape.gradient(scaled, variables)]
        unscaled = [gradient / _loss_scale(optimizer) for gradient in gradients]
        norms = tf.stack([tf.linalg.global_norm([unscaled[n] for n in group]) for group in members])
        finite = tf.logical_or(tf.reduce_all(tf.math.is_finite(norms)), not scales)
        norms = tf.where(finite, norms, 0.0)
        if learner.config.optimizer.clip_norm:
            norm = tf.linalg.global_norm(unscaled)
            factor = tf.minimum(1.0, learner.config.optimizer.clip_norm / tf.maximum(norm, 1e-12))
            gradients = [gradient * factor for gradient in gradients]
        # The optimizer sums over devices once more. Its hundreds of small parts are not worth compiling on a CPU.
        with _not_pointwise(learner.config.xla):
            optimizer.apply([gradient / replicas for gradient in gradients], variables)
        sums = _added(map(measure.sums, predictions, dealt))
        # Every device has the same: a sum over devices gives it back.
        overflows = tf.where(finite, 0.0, 1.0)
        return {
            **sums, "gradient": norms / replicas, "steps": tf.constant(1.0 / replicas),
            "overflows": overflows / replicas,
        }  # fmt: skip

    return learn


def validation_step(learner: Learner, parts: int = 1) -> ValidationStep:
    """Return the function that measures a batch: see `cocoprep.model.backends.engine.Engine`."""

    def measure(batch: ArrayBatch) -> tuple[Sums, Any]:
        dealt = _in_parts(batch, parts)
        predictions = [learner.network(normalise_images(part["image"]), training=False) for part in dealt]
        whole = tf.concat([tf.stack(each) for each in predictions], axis=1)  # (S, B, h, w, K)
        return learner.measure.sums(tf.unstack(whole), batch), whole

    return tf.function(measure, jit_compile=learner.config.xla == "whole", autograph=False)  # type: ignore[no-any-return]


def source_step(learner: Learner, sources: int) -> SourceStep:
    """Return the function that measures heatmaps for each source: see `cocoprep.model.backends.engine.Engine`."""

    def measure(heatmaps: Any, batch: ArrayBatch) -> list[Sums]:
        # What does not depend on who counts, such as the peaks, TensorFlow computes once.
        return learner.measure.by_source(tf.unstack(heatmaps), batch, sources)

    return tf.function(measure, autograph=False)  # type: ignore[no-any-return]


def _distributed(function: Callable[[ArrayBatch], Sums], strategy: Any, *, xla: Xla) -> Callable[[ArrayBatch], Sums]:
    if strategy.num_replicas_in_sync == 1:
        return tf.function(function, jit_compile=xla == "whole", autograph=False)  # type: ignore[no-any-return]

    def everywhere(batch: ArrayBatch) -> Sums:
        parts = strategy.run(function, args=(batch,))
        return {name: strategy.reduce(tf.distribute.ReduceOp.SUM, part, axis=None) for name, part in parts.items()}

    return tf.function(everywhere, autograph=False)  # type: ignore[no-any-return]


def _in_parts(batch: ArrayBatch, parts: int) -> list[ArrayBatch]:
    """Deal a batch out equally, the first people to the first part."""
    if parts == 1:
        return [batch]
    dealt = {name: tf.split(value, parts) for name, value in batch.items()}
    return [{name: values[part] for name, values in dealt.items()} for part in range(parts)]


def _added(sums: Iterable[Sums]) -> Sums:
    first, *others = sums
    return {name: tf.add_n([value, *(other[name] for other in others)]) for name, value in first.items()}


def _not_pointwise(xla: Xla) -> AbstractContextManager[Any]:
    return tf.xla.experimental.jit_scope(compile_ops=False) if xla == "pointwise" else nullcontext()


def _over_devices(value: Any, replicas: int) -> Any:
    if replicas == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


def _loss_scale(optimizer: Any) -> Any:
    scale = getattr(optimizer, "dynamic_scale", None)
    return 1.0 if scale is None else tf.convert_to_tensor(scale)
