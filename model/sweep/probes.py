"""Whether all that a sweep may try can be trained: extremes with extremes, before the first trial."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from cocoprep.errors import ConfigError
from cocoprep.model.network.bounds import check_size
from cocoprep.model.run.config import TrainConfig
from cocoprep.model.sweep.space import Choices, Range, Scalar, Space

if TYPE_CHECKING:
    from cocoprep.model.input.mixture import Mixture

MOST_CORNERS = 2000  # combinations of extremes that are checked
MOST_VALUES = 300  # of a range of whole numbers, all of which are checked
Params = Mapping[str, Scalar]


def check_space(of_trial: Callable[[Params], TrainConfig], space: Space, people: Mixture, path: str) -> None:
    """Have the config's own checks see every extreme of the space, and the network's and the batches'.

    Args:
        of_trial: gives the config of a trial.
        space: that is searched.
        people: to learn from.
        path: of the sweep's file.

    Raises:
        ConfigError: naming what may be tried and cannot be trained.
    """
    crop, batches = people.manifest.crop, set[int]()
    for params in _probes(space):
        said = ", ".join(f"{name} {_told(value)}" for name, value in params.items())
        where = f"{path}: [search]: of the values that may be tried, {said:.300}"
        try:
            one = of_trial(params)
            one.check_together()
            check_size(crop.input_size, crop.heatmap_stride, one.network.depth)
            if one.batch_size not in batches:  # nothing else of what is searched has a say in it
                people.order(one.read)
                batches.add(one.batch_size)
        except ConfigError as error:
            raise ConfigError(f"{where}, cannot be trained: {str(error).removeprefix('trial: ')}") from error


def _told(value: Scalar) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _probes(space: Space) -> Iterator[dict[str, Scalar]]:
    """Yield what stands for all that may be tried: extremes with extremes, and each value of short ranges."""
    names, ends = list(space), [one.ends() for one in space.values()]
    if math.prod(map(len, ends)) <= MOST_CORNERS:
        yield from (dict(zip(names, values, strict=True)) for values in itertools.product(*ends))
    first = {name: one[0] for name, one in zip(names, ends, strict=True)}
    last = {name: one[-1] for name, one in zip(names, ends, strict=True)}
    for name, one in space.items():
        for value in _values(one):
            yield {**first, name: value}
            yield {**last, name: value}


def _values(one: Range | Choices) -> tuple[Scalar, ...]:
    if isinstance(one, Range) and one.whole:
        step = int(one.step or 1)
        values = range(int(one.low), int(one.high) + 1, step)
        if len(values) <= MOST_VALUES:
            return tuple(values)
    return one.ends()
