"""Functions of Keras's operations as JAX compiles them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray


def jax_compiled(function: Callable[[Any], Any], variables: Sequence[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return a function of one array from NumPy to NumPy; `variables` are all that it reads.

    They are arguments of what is compiled: as constants they would be folded into it, which takes long.
    """

    @jax.jit
    def pure(values: Sequence[Any], array: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(array)

    def call(array: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(pure([variable.value for variable in variables], array))

    return call
