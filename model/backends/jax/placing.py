"""Arrays on a mesh of devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from cocoprep.errors import ConfigError
from cocoprep.model.run.config import Devices

AXIS = "batch"  # the one axis of a mesh


@dataclass(frozen=True)
class Placing:
    """Puts arrays on the devices of a mesh."""

    mesh: Mesh

    @property
    def whole(self) -> NamedSharding:
        """Return how an array lies whole on each device."""
        return NamedSharding(self.mesh, PartitionSpec())  # type: ignore[no-untyped-call]

    @property
    def dealt(self) -> NamedSharding:
        """Return how an array lies dealt out by its first axis."""
        return NamedSharding(self.mesh, PartitionSpec(AXIS))  # type: ignore[no-untyped-call]

    def everywhere(self, values: Sequence[Any]) -> list[Any]:
        """Return arrays that lie whole on each device; those that do already, as they are."""
        whole = self.whole
        return [value if _lies(value, whole) else jax.device_put(value, whole) for value in values]

    def deal(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the arrays of a batch, of which each device has its part."""
        return {name: jax.device_put(array, self.dealt) for name, array in batch.items()}


def _lies(value: Any, sharding: NamedSharding) -> bool:
    return isinstance(value, jax.Array) and value.sharding == sharding


def list_devices() -> list[Any]:
    """Return this machine's devices; the first call looks for them."""
    return list(jax.local_devices())


def choose_mesh(devices: Devices, batch_size: int) -> Mesh:
    """Return the mesh of the default device, or of all: see `TrainConfig.devices`.

    Raises:
        ConfigError: the batch cannot be dealt out evenly.
    """
    found = list_devices()
    if devices == "one":
        found = found[:1]
    if batch_size % len(found):
        raise ConfigError(f"--batch-size: expected a multiple of the {len(found)} devices, found {batch_size}.")
    return Mesh(np.array(found), (AXIS,))


def describe_mesh(mesh: Mesh) -> str:
    """Name the devices of a mesh: "the CPU", "1 GPU (NVIDIA L4)", "4 TPUs (TPU v5 lite)"."""
    devices = mesh.devices.flatten().tolist()
    kind, count = devices[0].platform.upper(), len(devices)
    if kind == "CPU":
        return "the CPU" if count == 1 else f"{count} CPU devices"
    return f"{count} {kind}{'s' if count > 1 else ''} ({devices[0].device_kind})"


def one_ahead(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield batches, the next of which is on its way to the devices while one is learned from."""
    last: list[Any] = []
    for batch, following in pairwise(batches):
        last = [following]
        yield batch
    yield from last
