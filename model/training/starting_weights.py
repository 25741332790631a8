"""Weights that a run begins with: those of another run's network, taken by the names of layers and of joints.

A network is as wide for any size of its input, so what was learned at one size may begin at another.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cocoprep.errors import ConfigError, RecordError
from cocoprep.model.network.hourglass import group_of
from cocoprep.model.predict.network_file import read_network
from cocoprep.model.run.folder import network_to_begin_with
from cocoprep.pose.joint_map import map_joints
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.store import FileStore

_OF_JOINTS = re.compile(r"stack\d+_(head|merge_heatmaps)/(kernel|bias)")
_SHOWN = 3


@dataclass(frozen=True)
class StartingWeights:
    """A network to begin with.

    Attributes:
        path: of the run or file, as the user named it.
        weights: by the names of layers and variables.
        table: the joints of its heatmaps; None where nobody says which they are.
        settings: the options that it was trained with, in words; empty where nobody says.
    """

    path: str
    weights: Mapping[str, NDArray[Any]]
    table: KeypointTable | None
    settings: str

    @property
    def joints(self) -> set[int]:
        """Return of how many joints its heads are."""
        return {value.size for path, value in self.weights.items() if path.endswith("_head/bias")}


def read_starting_weights(path: str, files: FileStore) -> StartingWeights:
    """Read the best network of a run, or a `.keras` file. The joints of a run's own file are known.

    Raises:
        RecordError: there is no run, or no network in it, or it cannot be read.
    """
    run, file = network_to_begin_with(path, files)
    table, settings = None, ""
    if run is not None:
        if not run.has_run():
            raise RecordError(f"--init: expected a run, or a .keras file, found none in {path}.")
        table = run.read_geometry()[1]
        config = run.read_config().network
        settings = f"--channels {config.channels} --depth {config.depth} --convolution {config.convolution}"
    network = read_network(file, files, ours_alone=True)
    start = StartingWeights(path, {one.path: one.numpy() for one in network.variables}, table, settings)
    if table is not None and start.joints != {len(table)}:
        raise RecordError(f"{path}: its network is not of the {len(table)} joints of its run.json. Copy the run again.")
    return start


def take_weights(network: keras.Model, start: StartingWeights, table: KeypointTable) -> tuple[str, ...]:
    """Give a network of joints `table` those weights that a start has for it; return in sentences what was taken.

    Layers go by their names. Of those that know joints, a joint's weights go by its name in whatever spelling; where
    the start's joints are not known, by its place, if there are as many. What is not there stays as it was drawn.

    Raises:
        ConfigError: the start's network is of another width, has nothing in common, or is not finite.
    """
    names = {one.path for one in network.variables}
    if not names & set(start.weights):
        raise ConfigError(f"--init: expected a network of `cocoprep train`, found another in {start.path}.")
    if odd := [name for name in sorted(names) if name in start.weights and not np.isfinite(start.weights[name]).all()]:
        raise ConfigError(f"--init: {odd[0]} of {start.path} is not finite: its run went astray. Begin with another.")
    _check_widths(network, start)
    joints = joints_taken(start, table)
    fresh = Counter[str]()
    for variable in network.variables:
        theirs, axis = start.weights.get(variable.path), _joint_axis(variable.path)
        if theirs is None:
            fresh[group_of(variable.path)] += 1
        elif axis is None:
            variable.assign(theirs)
        else:
            value = np.moveaxis(variable.numpy().copy(), axis, 0)
            taken = np.moveaxis(theirs, axis, 0)
            for ours, place in joints:
                value[ours] = taken[place]
            variable.assign(np.moveaxis(value, 0, axis))
    return tuple(_told(start, table, joints, fresh, unused=set(start.weights) - names))


def _joint_axis(path: str) -> int | None:
    """Return which axis of a weight is of joints; None where none is."""
    found = _OF_JOINTS.search(path)
    if found is None or found.groups() == ("merge_heatmaps", "bias"):
        return None
    return -2 if found[1] == "merge_heatmaps" else -1  # kernels are (1, 1, from, to)


def _check_widths(network: keras.Model, start: StartingWeights) -> None:
    """Raise ConfigError where layers of one name have other weights, or weights of other shapes."""
    ours, theirs = (_by_layer(names) for names in ((v.path for v in network.variables), start.weights))
    other = [
        f"{layer} has {', '.join(theirs[layer])}, here {', '.join(ours[layer])}"
        for layer in ours
        if layer in theirs and set(ours[layer]) != set(theirs[layer])
    ]
    for variable in network.variables:
        if (given := start.weights.get(variable.path)) is not None:
            expected, axis = list(variable.shape), _joint_axis(variable.path)
            if axis is not None and len(start.joints) == 1:
                (expected[axis],) = start.joints
            if expected != list(given.shape):
                other.append(f"{variable.path} {given.shape}, here {tuple(variable.shape)}")
    if other:
        more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        cure = f"It was trained with {start.settings}: give these, or" if start.settings else "Give its settings, or"
        raise ConfigError(
            f"--init: the network of {start.path} has other widths, or convolutions of another kind: "
            f"{'; '.join(other[:_SHOWN])}{more}. {cure} leave --init away."
        )


def _by_layer(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the weights of each layer, by their own names."""
    found = defaultdict[str, list[str]](list)
    for path in paths:
        layer, _, name = path.rpartition("/")
        found[layer].append(name)
    return found


def joints_taken(start: StartingWeights, table: KeypointTable) -> list[tuple[int, int]]:
    """Return pairs of a joint here and the one there whose weights it takes."""
    if start.table is not None:
        places = map_joints(start.table, table).places
        return [(ours, theirs) for ours, theirs in enumerate(places) if theirs is not None]
    return [(k, k) for k in range(len(table))] if start.joints == {len(table)} else []


def _told(
    start: StartingWeights,
    table: KeypointTable,
    joints: Sequence[tuple[int, int]],
    fresh: Mapping[str, int],
    unused: set[str],
) -> Iterator[str]:
    """Say what was taken, and what was not."""
    yield f"it begins with the weights of {start.path:.300}"
    if start.table is not None:
        if not (same := map_joints(start.table, table)).is_identity:
            yield f"of the network that it begins with, {same.sentence}; new joints begin as drawn"
    elif joints:
        yield f"{start.path:.300} does not say which its {len(joints)} joints are: each is taken for that in its place"
    else:
        yield f"{start.path:.300} has other joints, and does not say which: all joints begin as drawn"
    if fresh:
        groups = ", ".join(f"{count} weights of {group}" for group, count in fresh.items())
        yield f"{groups} are not there: they begin as drawn"
    if unused:
        yield f"{len(unused)} weights that are there have no place here: left out"
