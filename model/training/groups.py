"""Groups of a network's layers that are not trained, or at rates of their own: `stem`, `stack1`, `stack2`, ..."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import keras

from cocoprep.checks import require_choice
from cocoprep.errors import ConfigError
from cocoprep.model.network.hourglass import group_of
from cocoprep.model.run.config import TrainConfig
from cocoprep.model.training.starting_weights import StartingWeights, joints_taken
from cocoprep.pose.keypoints import KeypointTable


def groups_of(variables: Iterable[Any]) -> list[str]:
    """Return the groups that variables belong to, in their order."""
    return list(dict.fromkeys(group_of(variable.path) for variable in variables))


def check_groups(network: keras.Model, config: TrainConfig) -> None:
    """Refuse groups that the network does not have, and those that cannot be trained as they are told to.

    Raises:
        ConfigError: there is no such group; all are frozen; one is frozen and has a rate; or nothing says what the
            frozen ones have learned.
    """
    there, frozen = groups_of(network.variables), config.freeze
    for option, named in (("--freeze", frozen), ("--rate", config.optimizer.rates)):
        for name in named:
            several = f" Several groups: {option} once for each." if "," in name else ""
            require_choice(option, name, there, several)
    if set(there) <= set(frozen):
        raise ConfigError(
            f"--freeze: all of {', '.join(there)} are frozen, and nothing is left to train. Leave one out."
        )
    if both := [name for name in frozen if name in config.optimizer.rates]:
        raise ConfigError(
            f"--rate {both[0]}: --freeze {both[0]} leaves nothing of it to train. Leave one of the two out."
        )
    if frozen and config.init is None:
        raise ConfigError(
            f"--freeze {frozen[0]}: without --init its weights are random numbers, and would stay so. Name a network "
            "that has learned by --init, or leave --freeze out."
        )


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
