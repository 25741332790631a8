"""One training step, and one step of validation, on one device or several.

Each device takes its part of the batch; losses are divided by the whole batch's weight and gradients are summed, so the
step is that of the whole batch on one device, but for batch normalisation, whose statistics are each device's own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf

from cocoprep.model.network.hourglass import group_of
from cocoprep.model.network.preprocess import normalise_images
from cocoprep.model.training.trainee import Trainee

TensorBatch = dict[str, Any]
StepFunction = Callable[[TensorBatch], dict[str, Any]]


def train_step(trainee: Trainee) -> StepFunction:
    """Return the function that learns from a batch.

    It returns `Measure.sums` of the batch, as the network was before the step, with `gradient` (G,), the norm of each
    group's gradient before clipping, `steps`, 1, and `overflows`: 1 where a gradient under a loss scale is not finite.
    The optimizer leaves such a step out and lowers the scale; its `gradient` is zero here.
    """
    network, optimizer, measure = trainee.network, trainee.optimizer, trainee.measure
    variables = network.trainable_variables
    members = [[n for n, v in enumerate(variables) if group_of(v.path) == group] for group in trainee.groups]
    replicas = trainee.strategy.num_replicas_in_sync
    scales = hasattr(optimizer, "dynamic_scale")

    def learn(batch: TensorBatch) -> dict[str, Any]:
        # Keras's frozen variables are still TensorFlow's trainable ones, which a tape would watch by itself.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            predictions = network(normalise_images(batch["image"]), training=True)
            losses, weight = measure.losses(predictions, batch)
            total = tf.maximum(_over_devices(weight, replicas), 1.0)
            scaled = optimizer.scale_loss(tf.reduce_sum(losses) / total)
        gradients = [_over_devices(g, replicas) for g in tape.gradient(scaled, variables)]
        unscaled = [gradient / _loss_scale(optimizer) for gradient in gradients]
        norms = tf.stack([tf.linalg.global_norm([unscaled[n] for n in group]) for group in members])
        finite = tf.logical_or(tf.reduce_all(tf.math.is_finite(norms)), not scales)
        norms = tf.where(finite, norms, 0.0)
        if trainee.config.optimizer.clip_norm:
            norm = tf.linalg.global_norm(unscaled)
            factor = tf.minimum(1.0, trainee.config.optimizer.clip_norm / tf.maximum(norm, 1e-12))
            gradients = [gradient * factor for gradient in gradients]
        # The optimizer sums over devices once more. Its hundreds of small parts are not worth compiling on a CPU.
        with _not_pointwise(trainee):
            optimizer.apply([gradient / replicas for gradient in gradients], variables)
        sums = measure.sums(predictions, batch)
        # Every device has the same: a sum over devices gives it back.
        overflows = tf.where(finite, 0.0, 1.0)
        return {
            **sums, "gradient": norms / replicas, "steps": tf.constant(1.0 / replicas),
            "overflows": overflows / replicas,
        }  # fmt: skip

    return _distributed(learn, trainee)


def validation_step(trainee: Trainee) -> Callable[[TensorBatch], tuple[dict[str, Any], Any]]:
    """Return the function that measures a batch: `Measure.sums`, and all stacks' heatmaps (S, B, h, w, K) float32."""

    def measure(batch: TensorBatch) -> tuple[dict[str, Any], Any]:
        predictions = trainee.network(normalise_images(batch["image"]), training=False)
        return trainee.measure.sums(predictions, batch), tf.stack(predictions)

    return tf.function(measure, jit_compile=trainee.config.xla == "whole", autograph=False)  # type: ignore[no-any-return]


def source_step(trainee: Trainee, sources: int) -> Callable[[Any, TensorBatch], list[dict[str, Any]]]:
    """Return the function that measures a batch's heatmaps, as `validation_step` returns them, for each source."""

    def measure(heatmaps: Any, batch: TensorBatch) -> list[dict[str, Any]]:
        # What does not depend on who counts, such as the peaks, TensorFlow computes once.
        return trainee.measure.by_source(tf.unstack(heatmaps), batch, sources)

    return tf.function(measure, autograph=False)  # type: ignore[no-any-return]


def _distributed(function: StepFunction, trainee: Trainee) -> StepFunction:
    strategy = trainee.strategy
    if strategy.num_replicas_in_sync == 1:
        return tf.function(function, jit_compile=trainee.config.xla == "whole", autograph=False)  # type: ignore[no-any-return]

    def everywhere(batch: TensorBatch) -> dict[str, Any]:
        parts = strategy.run(function, args=(batch,))
        return {name: strategy.reduce(tf.distribute.ReduceOp.SUM, part, axis=None) for name, part in parts.items()}

    return tf.function(everywhere, autograph=False)  # type: ignore[no-any-return]


def _not_pointwise(trainee: Trainee) -> AbstractContextManager[Any]:
    return tf.xla.experimental.jit_scope(compile_ops=False) if trainee.config.xla == "pointwise" else nullcontext()


def _over_devices(value: Any, replicas: int) -> Any:
    if replicas == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


def _loss_scale(optimizer: Any) -> Any:
    scale = getattr(optimizer, "dynamic_scale", None)
    return 1.0 if scale is None else tf.convert_to_tensor(scale)
