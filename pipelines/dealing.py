"""How workers get the shards that they are to write."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cocoprep.builder.packing import PackedShard
from cocoprep.storage.disk_errors import no_temporary

DealtShard = tuple[str, PackedShard]  # label, photographs with their people


class Dealing(Protocol):
    """What stands between the step that makes the shards' content known and the one that writes them."""

    def offer(self, label: str, packed: PackedShard) -> DealtShard:
        """Make a shard known, and return what the engine is to pass on."""
        ...

    def take(self, dealt: DealtShard) -> Iterator[DealtShard]:
        """Yield the shards that a worker is to write when the engine hands it one."""
        ...


@dataclass(frozen=True)
class DealtByEngine:
    """A worker writes the shards that the engine gives it: on a cluster."""

    def offer(self, label: str, packed: PackedShard) -> DealtShard:
        """See `Dealing`."""
        return label, packed

    def take(self, dealt: DealtShard) -> Iterator[DealtShard]:
        """See `Dealing`."""
        yield dealt


@dataclass(frozen=True)
class ClaimedByWorkers:
    """Whoever is free takes the next shard: for workers of one machine, that share a folder.

    Beam's own runner deals all shards out before the first is begun; a worker on a slow core, or one whose photographs
    are large, would keep the others waiting in the end.

    Attributes:
        folder: of this machine, empty at first.
    """

    folder: str

    def offer(self, label: str, packed: PackedShard) -> DealtShard:
        """Lay a shard ready. Raises OutputError where there is no room for it."""
        try:
            Path(self.folder).mkdir(exist_ok=True)
            (Path(self.folder) / label).write_bytes(pickle.dumps(packed))
        except OSError as error:
            raise no_temporary(error) from error
        return label, PackedShard(packed.plan, [])

    def take(self, dealt: DealtShard) -> Iterator[DealtShard]:
        """Yield one shard after the other until none is left; then there is nothing for what is dealt later."""
        for path in sorted(Path(self.folder).glob("*-of-*[0-9]")):
            claimed = path.with_suffix(".claimed")
            try:
                path.rename(claimed)
            except FileNotFoundError:  # another worker was faster
                continue
            packed = pickle.loads(claimed.read_bytes())  # noqa: S301 - from our own step
            claimed.unlink()
            yield path.name, packed
