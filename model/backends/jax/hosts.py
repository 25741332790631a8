"""Processes that JAX has joined, on one machine or several."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Mapping

import jax
import numpy as np
from jax.experimental import multihost_utils

from cocoprep.checks import shown
from cocoprep.errors import ConfigError
from cocoprep.model.backends.hosts import Hosts, OneHost

WAIT = 300  # seconds that all have for coming
HEARTBEAT = 30  # seconds after which one that is gone is missed
SHUTDOWN = 60  # seconds that one that is done waits for the others at most
MOST_TOLD = 10  # hosts
PIECE = 2**28  # bytes that are shared at a time
# Of Abseil's statuses, which JAX raises as a ValueError too, those that do not say that it is the program, or its size.
_LOST = re.compile(r"(ABORTED|CANCELLED|DEADLINE_EXCEEDED|FAILED_PRECONDITION|INTERNAL|UNAVAILABLE|UNKNOWN): ")
ADDRESS, COUNT, PLACE = "JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"


class JoinedHosts:
    """All processes that JAX has joined. See `cocoprep.model.backends.hosts.Hosts`."""

    @property
    def count(self) -> int:
        """How many there are."""
        return int(jax.process_count())

    @property
    def place(self) -> int:
        """Which of them this one is."""
        return jax.process_index()

    def is_loss(self, error: Exception) -> bool:
        """Tell whether an error is what one meets where another is gone, or where one's own devices fail."""
        return isinstance(error, (jax.errors.JaxRuntimeError, ValueError)) and bool(_LOST.match(str(error)))

    def gather(self, flag: bool) -> list[bool]:
        """Return what each of them says."""
        found: list[bool] = multihost_utils.process_allgather(np.array([flag])).reshape(-1).tolist()
        return found

    def share(self, data: bytes) -> bytes:
        """Return what the first one has."""
        pieces, rest = multihost_utils.broadcast_one_to_all(np.array(divmod(len(data), PIECE), np.int32)).tolist()
        shared = bytearray()
        for size in (*[PIECE] * pieces, rest):
            mine = data[len(shared) :][:size] if self.place == 0 else bytes(size)
            shared += np.asarray(multihost_utils.broadcast_one_to_all(np.frombuffer(mine, np.uint8))).tobytes()
        return bytes(shared)


def known_hosts() -> Hosts:
    """Return the processes that this one has been joined with."""
    return JoinedHosts() if jax.process_count() > 1 else OneHost()


def join_hosts(on_wait: Callable[[], None]) -> Hosts:
    """Join the processes of a run, before JAX looks for devices; return them, once all have come.

    On TPU VMs and by Slurm JAX knows the others; elsewhere three variables of the environment name them.

    `on_wait` is called before that. Where they have not all come within `WAIT` seconds, or a host is lost later, JAX
    says so and ends this process.

    Raises:
        ConfigError: nothing names them, or what does is of no use; or they have not as many devices each.
    """
    count, place = (_number(name) for name in (COUNT, PLACE))
    if count is not None and place is not None and place >= count:
        raise ConfigError(f"--devices hosts: {PLACE}: expected a number below {COUNT}, {count}, found {place}.")
    address = os.environ.get(ADDRESS, "found:1")
    port = re.fullmatch(r".+:(\d{1,5})", address)
    if port is None or not 0 < int(port[1]) < 1 << 16:
        raise ConfigError(f"--devices hosts: {ADDRESS}: expected HOST:PORT, found {shown(address)}.")
    # It would take SIGTERM for itself, which stops a run as it should be stopped.
    jax.config.update("jax_enable_preemption_service", False)  # type: ignore[no-untyped-call]
    on_wait()
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # it waits for minutes, and hears nothing of Python's
    try:
        jax.distributed.initialize(
            num_processes=count,
            process_id=place,
            initialization_timeout=WAIT,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=SHUTDOWN,
        )
        devices = jax.devices()  # for those of the others it waits too
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"--devices hosts: nothing says which hosts there are ({error}). On TPU VMs and by Slurm JAX finds them; "
            f"elsewhere set {ADDRESS}=HOST:PORT, the first one's, {COUNT} and {PLACE}, from 0, on each."
        ) from error
    except Exception as error:  # of JAX, or of whatever it asks for hosts
        raise ConfigError(
            f"--devices hosts: the hosts cannot be joined ({error!s:.300}). Say where they are: set "
            f"{ADDRESS}=HOST:PORT, the first one's, {COUNT} and {PLACE}, from 0, on each."
        ) from error
    finally:
        signal.signal(signal.SIGINT, before)
    check_alike(Counter(device.process_index for device in devices))
    return known_hosts()


def check_alike(devices: Mapping[int, int]) -> None:
    """Refuse hosts that have not as many devices each, given by host: what they say is gathered by devices.

    Raises:
        ConfigError: some have more than others.
    """
    if len(set(devices.values())) > 1:
        told = ", ".join(f"host {place} {count}" for place, count in sorted(devices.items())[:MOST_TOLD])
        raise ConfigError(
            f"--devices hosts: expected as many devices on each host, found {told}. Have each use as many: on GPUs, by "
            "CUDA_VISIBLE_DEVICES."
        )


def _number(name: str) -> int | None:
    text = os.environ.get(name)
    if text is None:
        return None
    if not (text.isdecimal() and len(text) < 10):
        raise ConfigError(f"--devices hosts: {name}: expected a whole number, found {shown(text)}.")
    return int(text)
