"""The weights of one network in another."""

from __future__ import annotations

import keras


def copy_weights(of: keras.Model, to: keras.Model) -> None:
    """Give a network the weights and statistics of another of the same layers."""
    for theirs, ours in zip(of.variables, to.variables, strict=True):
        ours.assign(theirs.value)
