"""Groups of a network's layers that are not trained, or at rates of their own: `stem`, `stack1`, `stack2`, ..."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import keras

from cocoprep.errors import ConfigError
from cocoprep.model.network.hourglass import group_of
from cocoprep.model.training.starting_weights import StartingWeights, joints_taken
from cocoprep.pose.keypoints import KeypointTable


def groups_of(variables: Iterable[Any]) -> list[str]:
    """Return the groups that variables belong to, in their order."""
    return list(dict.fromkeys(group_of(variable.path) for variable in variables))


def freeze(network: keras.Model, groups: Collection[str]) -> None:
    """Keep the layers of groups as they are: neither weights nor statistics of batch normalisation move any more.

    Batch normalisation uses its stored statistics then, in training too.
    """
    for layer in network.layers:
        if layer.weights and group_of(layer.name) in groups:
            layer.trainable = False


def frozen_as_drawn(
    network: keras.Model, groups: Iterable[str], start: StartingWeights, table: KeypointTable
) -> Iterator[str]:
    """Say what of frozen groups, in a network of joints `table`, is not the start's, and stays as it was drawn.

    Raises:
        ConfigError: that is the whole of a group.
    """
    new_joints = len(table) - len(joints_taken(start, table))
    for group in dict.fromkeys(groups):
        paths = [variable.path for variable in network.variables if group_of(variable.path) == group]
        drawn = [path for path in paths if path not in start.weights]
        if len(drawn) == len(paths):
            raise ConfigError(
                f"--freeze {group}: {start.path} has no weights of it: they are random numbers, and would stay so. "
                f"Leave --freeze {group} out."
            )
        cure = f"to train them, leave --freeze {group} out, or give --rate {group}=0.1 instead"
        if drawn:
            yield f"{len(drawn)} weights of {group} are frozen as drawn, at random: {cure}"
        if new_joints and f"{group}_head/kernel" in paths:
            yield f"{new_joints} of {len(table)} joints are frozen as drawn in {group}, at random: {cure}"
