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

    def rows(self, batch_size: int) -> slice:
        """Return which rows of a batch this host's devices have: they follow one another."""
        indices: Any = self.dealt.addressable_devices_indices_map((batch_size,))
        parts = [index[0] for index in indices.values()]
        starts, stops = ([part.indices(batch_size)[n] for part in parts] for n in (0, 1))
        return slice(min(starts), max(stops))

    def everywhere(self, values: Sequence[Any]) -> list[Any]:
        """Return arrays, the same on each host, that lie whole on each device; those that do already, as they are."""
        return [_placed(value, self.whole) for value in values]

    def deal(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the arrays of a batch that each host has whole, of which each device has its part."""
        return {name: _placed(array, self.dealt) for name, array in batch.items()}

    def deal_rows(self, batch: dict[str, Any], batch_size: int) -> dict[str, Any]:
        """Return the arrays of a batch of which each host has its `rows` alone."""
        from_rows: Any = jax.make_array_from_process_local_data
        return {name: from_rows(self.dealt, array, (batch_size, *array.shape[1:])) for name, array in batch.items()}


def _placed(value: Any, sharding: NamedSharding) -> Any:
    """Return an array as it should lie. Other hosts' devices take their parts from what these have."""
    if isinstance(value, jax.Array) and value.sharding == sharding:
        return value
    if sharding.is_fully_addressable:
        return jax.device_put(value, sharding)
    whole: Any = np.asarray(value)
    return jax.make_array_from_callback(whole.shape, sharding, whole.__getitem__)


def list_devices() -> list[Any]:
    """Return this machine's devices; the first call looks for them."""
    return list(jax.local_devices())


def choose_mesh(devices: Devices, batch_size: int) -> Mesh:
    """Return the mesh of the default device, or of all: see `TrainConfig.devices`.

    Raises:
        ConfigError: the batch cannot be dealt out evenly, or nothing has joined hosts that compute together.
    """
    if devices == "hosts":
        if not jax.distributed.is_initialized():
            raise ConfigError(
                "--devices hosts: say it on the command line of `cocoprep train`, on every host. --devices one goes on "
                "alone."
            )
        found = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    else:
        if jax.process_count() > 1 and not jax.distributed.is_initialized():
            raise ConfigError(
                f"--devices {devices}: these chips are of a slice of {jax.process_count()} hosts, which compute "
                "together or not at all: --devices hosts, on every host."
            )
        found = list_devices()[: None if devices == "all" else 1]
    if batch_size % len(found):
        raise ConfigError(f"--batch-size: expected a multiple of the {len(found)} devices, found {batch_size}.")
    return Mesh(np.array(found), (AXIS,))


def describe_mesh(mesh: Mesh) -> str:
    """Name the devices of a mesh: "the CPU", "1 GPU (NVIDIA L4)", "4 TPUs (TPU v5 lite) of 2 hosts"."""
    devices = mesh.devices.flatten().tolist()
    kind, count = devices[0].platform.upper(), len(devices)
    hosts = len({device.process_index for device in devices})
    of_hosts = f" of {hosts} hosts" if hosts > 1 else ""
    if kind == "CPU":
        return "the CPU" if count == 1 else f"{count} CPU devices{of_hosts}"
    return f"{count} {kind}{'s' if count > 1 else ''} ({devices[0].device_kind}){of_hosts}"


def one_ahead(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield batches, the next of which is on its way to the devices while one is learned from."""
    last: list[Any] = []
    for batch, following in pairwise(batches):
        last = [following]
        yield batch
    yield from last
