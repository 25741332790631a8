"""The people of several built folders as one: each by its place, those of the first folder first.

N people, S sources, K joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cocoprep.errors import ConfigError
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.memory import available_bytes
from cocoprep.model.input.order import Order
from cocoprep.model.input.records import MEMORY_SHARE, PersonRecord, RecordSource
from cocoprep.model.input.sources import folder_names, source_names
from cocoprep.model.input.weighted_order import WeightedOrder
from cocoprep.model.input.weights import Weights, resolve_weights
from cocoprep.shards.geometry import check_one_network
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore


class Mixture:
    """People of one folder or several, and how often those of each source are seen. `open_mixture` opens them.

    Attributes:
        parts: the folders, in order.
        folder: their paths, for messages.
        manifest: the first one's; in what a batch depends on, they agree.
        weights: how often a person is seen, by folder and source.
        folders: what each folder is called.
        sources: (S,) what each source is called.
        folder_of: (S,) which folder each source is of.
    """

    def __init__(self, parts: Sequence[RecordSource], config: ReadConfig) -> None:
        """Take folders that were opened to be read together.

        Raises:
            ConfigError: a weight is given by a name that means nothing, or several things.
        """
        self.parts = tuple(parts)
        paths, own = [part.folder for part in parts], [part.sources for part in parts]
        self.folder, self.manifest = ", ".join(paths), parts[0].manifest
        self.weights: Weights = resolve_weights(paths, [p.manifest.split for p in parts], own, config.weights)
        self.folders = folder_names(paths)
        self.sources = source_names(self.folders, own)
        self.folder_of = tuple(number for number, one in enumerate(own) for _ in one.names)
        self._starts = np.cumsum([0, *map(len, parts)])

    def __len__(self) -> int:
        """Return how many people there are."""
        return int(self._starts[-1])

    @cached_property
    def source_places(self) -> NDArray[np.int64]:
        """Return (N,) the source of every person."""
        return np.concatenate([part.source_places for part in self.parts])

    @property
    def skipped(self) -> dict[str, str]:
        """Return what is wrong with the records left out, by annotation; of folders after the first, by folder too."""
        return {
            f"{annotation_id} of folder {number}" if number > 1 else str(annotation_id): wrong
            for number, part in enumerate(self.parts, 1)
            for annotation_id, wrong in part.skipped.items()
        }

    def order(self, config: ReadConfig) -> Order | WeightedOrder:
        """Return the order of turns through the epochs.

        Raises:
            ConfigError: too few people for a batch.
        """
        by_source = np.array([weight for one in self.weights for weight in one])
        order: Order | WeightedOrder
        if (by_source == 1).all():
            used = len(self) // config.batch_size * config.batch_size
            order, found = Order(len(self), used, config.shuffle_records, config.seed), len(self)
        else:
            weights = by_source[self.source_places]
            order, found = (
                WeightedOrder(weights, config.batch_size, config.shuffle_records, config.seed),
                int(weights.sum()),
            )
        if not order.used:
            raise ConfigError(
                f"{self.folder}: expected at least one batch of {config.batch_size} people, found {found}. Take a "
                "smaller batch_size, or a larger subset."
            )
        return order

    def read(self, turns: NDArray[np.int64]) -> list[PersonRecord]:
        """Return people in the order asked for: turn `t` is the one at place `t % N`, for the `t // N`th time.

        Raises RecordError as `RecordSource.read` does.
        """
        occurrences, places = np.divmod(turns, len(self))
        folders = np.searchsorted(self._starts, places, side="right") - 1
        people: dict[int, PersonRecord] = {}
        for number in np.unique(folders).tolist():
            mine = np.flatnonzero(folders == number)
            people.update(zip(mine.tolist(), self.parts[number].read(places[mine] - self._starts[number]), strict=True))
        for turn in np.flatnonzero(occurrences).tolist():
            people[turn] = people[turn].again(int(occurrences[turn]))
        return [people[turn] for turn in range(len(turns))]


def open_mixture(folders: str | Sequence[str], config: ReadConfig, files: FileStore = AnyFiles()) -> Mixture:
    """Open folders to be read together; `files` is where they lie, by default, as each path says.

    Raises:
        RecordError: a folder is not complete, or its manifest, a sidecar or a shard's size is wrong.
        ConfigError: the folders do not fit each other; a subset is empty; or a weight's name means nothing.
    """
    paths = [folders] if isinstance(folders, str) else list(folders)
    parts, first_source = list[RecordSource](), 0
    for number, path in enumerate(paths):
        parts.append(RecordSource(path, config, files, number=number, first_source=first_source))
        first_source += len(parts[-1].sources.names)
    check_one_network(paths, [part.manifest for part in parts])
    if config.cache == "auto" and sum(part.record_bytes for part in parts) > MEMORY_SHARE * available_bytes():
        for part in parts:
            part.keep_nothing()
    return Mixture(parts, config)


def as_mixture(people: RecordSource | Mixture, config: ReadConfig) -> Mixture:
    """Return the people of a folder as those of several."""
    return people if isinstance(people, Mixture) else Mixture([people], config)
