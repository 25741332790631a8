"""A moving average of a network's weights, which predicts better than the weights themselves.

Source: Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"; the rise of the decay in the
first steps is that of TensorFlow's `tf.train.ExponentialMovingAverage`. Keras's own optimizers average too, but leave
out the statistics of batch normalisation, which then fit other weights than those they are used with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops


class WeightAverage:
    """Averages all that moves in a network: weights, and the statistics of batch normalisation.

    Attributes:
        variables: the averages; none where there is no average.
        own: the network's, in the same order.
    """

    def __init__(self, network: keras.Model, decay: float) -> None:
        """Start from the network as it is; `decay` is the share kept at each step, 0 for no average at all."""
        self._decay = decay
        # What is frozen would not be its own average to the bit: the sum of its shares is rounded.
        frozen = {id(v) for layer in network.layers if not layer.trainable for v in layer.variables}
        moving = [v for v in network.variables if v.dtype == "float32" and id(v) not in frozen]
        self.own = moving if decay else []
        self.variables = [keras.Variable(v.numpy(), trainable=False, name="average") for v in self.own]

    def moved(self, step: Any, averages: Sequence[Any], owns: Sequence[Any]) -> list[Any]:
        """Return the averages after a step, counted from 1, of those before and of the weights, in the order of `own`.

        Operations of a graph: a backend's step puts them where they belong.
        """
        # Early on, when the weights move fast, the average follows them closely.
        count = ops.cast(step, "float32")
        keep = ops.minimum(self._decay, (1 + count) / (10 + count))
        return [keep * average + (1 - keep) * own for average, own in zip(averages, owns, strict=True)]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average in the weights' place for a while; without one, leave them."""
        before = [variable.numpy() for variable in self.own]
        for variable, average in zip(self.own, self.variables, strict=True):
            variable.assign(average.value)
        try:
            yield
        finally:
            for variable, value in zip(self.own, before, strict=True):
                variable.assign(value)
