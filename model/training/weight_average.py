"""A moving average of a network's weights, which predicts better than the weights themselves.

Source: Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"; the rise of the decay in the
first steps is that of TensorFlow's `tf.train.ExponentialMovingAverage`. Keras's own optimizers average too, but leave
out the statistics of batch normalisation, which then fit other weights than those they are used with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf


class WeightAverage:
    """Averages all that moves in a network: weights, and the statistics of batch normalisation."""

    def __init__(self, network: keras.Model, decay: float) -> None:
        """Start from the network as it is; `decay` is the share kept at each step, 0 for no average at all."""
        self._decay = decay
        # What is frozen would not be its own average to the bit: the sum of its shares is rounded.
        frozen = {id(v) for layer in network.layers if not layer.trainable for v in layer.variables}
        moving = [v for v in network.variables if v.dtype == "float32" and id(v) not in frozen]
        self._own = moving if decay else []
        self.variables = [keras.Variable(v.numpy(), trainable=False, name="average") for v in self._own]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def update(self, step: Any) -> None:
        """Take the weights after a step, counted from 1, into the average. Call it outside of any replica."""
        # Early on, when the weights move fast, the average follows them closely.
        count = tf.cast(step, tf.float32)
        keep = tf.minimum(self._decay, (1 + count) / (10 + count))
        for average, own in zip(self.variables, self._own, strict=True):
            average.assign(keep * average.value + (1 - keep) * own.value)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average in the weights' place for a while; without one, leave them."""
        before = [variable.numpy() for variable in self._own]
        for variable, average in zip(self._own, self.variables, strict=True):
            variable.assign(average.value)
        try:
            yield
        finally:
            for variable, value in zip(self._own, before, strict=True):
                variable.assign(value)
