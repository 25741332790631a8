"""Functions of Keras's operations as TensorFlow compiles them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def tensorflow_compiled(function: Callable[[Any], Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return a function of one array from NumPy to NumPy."""
    graph = tf.function(function, autograph=False)

    def call(array: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(graph(tf.constant(array)))

    return call
