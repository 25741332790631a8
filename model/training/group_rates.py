"""Keras's optimizers with a learning rate of its own for each group of layers.

The update of a weight is scaled, not its gradient: Adam and RMSprop divide by the gradient's own size, and would undo a
scale of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops, optimizers

from cocoprep.model.network.hourglass import group_of


class _ByGroup:
    """What such an optimizer has beside Keras's: factors of the learning rate, and a weight decay that follows them.

    Keras's own weight decay takes the one learning rate for all. Source of the decay: Loshchilov and Hutter 2019,
    "Decoupled Weight Decay Regularization", as Keras applies it in every optimizer, before the update.
    """

    def __init__(self, *, rates: Mapping[str, float], weight_decay: float | None = None, **options: Any) -> None:
        """Take factors by group, 1 for those not named, and the options of Keras's optimizer."""
        super().__init__(**options)
        self._rates, self._decay = dict(rates), weight_decay or 0.0

    def build(self, variables: Sequence[Any]) -> None:
        """Make the optimizer's variables for those of a network."""
        self._factors = tuple(self._rates.get(group_of(variable.path), 1.0) for variable in variables)
        super().build(variables)  # type: ignore[misc]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one weight, at the rate of its group."""
        place = self._get_variable_index(variable)  # type: ignore[attr-defined]
        rate = ops.multiply(learning_rate, self._factors[place])
        if self._decay:
            self.assign_sub(variable, ops.multiply(ops.multiply(variable, self._decay), rate))  # type: ignore[attr-defined]
        super().update_step(gradient, variable, rate)  # type: ignore[misc]


class AdamByGroup(_ByGroup, optimizers.Adam):  # type: ignore[misc]
    """Adam; with a weight decay, it is AdamW."""


class RMSpropByGroup(_ByGroup, optimizers.RMSprop):  # type: ignore[misc]
    """RMSprop."""


class SGDByGroup(_ByGroup, optimizers.SGD):  # type: ignore[misc]
    """Stochastic gradient descent, with or without momentum."""
