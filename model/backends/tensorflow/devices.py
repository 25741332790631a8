"""Which devices of TensorFlow a run uses."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cocoprep.errors import ConfigError
from cocoprep.model.run.config import Devices


def list_devices() -> list[Any]:
    """Return the GPUs, or, without one, the CPU's logical devices; the first call looks for them."""
    found: list[Any] = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return found


def choose_strategy(devices: Devices, batch_size: int) -> Any:
    """Return TensorFlow's strategy: the default device, or every GPU, each with its part of the batch.

    Without a GPU, `all` takes the CPU's logical devices, of which there is one unless a program has made more.

    Raises:
        ConfigError: the batch cannot be dealt out evenly.
    """
    if devices in ("one", "cores"):
        return tf.distribute.get_strategy()
    found = list_devices()
    if batch_size % len(found):
        raise ConfigError(f"--batch-size: expected a multiple of the {len(found)} devices, found {batch_size}.")
    return tf.distribute.MirroredStrategy([device.name for device in found])


def describe_devices(strategy: Any, parts: int) -> str:
    """Name the devices of a strategy: "the CPU", "the CPU, batches in 2 parts", "2 GPUs (NVIDIA L4)"."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        count = strategy.num_replicas_in_sync
        in_parts = f", batches in {parts} parts" if parts > 1 else ""
        return f"the CPU{in_parts}" if count == 1 else f"{count} CPU devices"
    name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "unknown")
    count = strategy.num_replicas_in_sync
    return f"{count} GPU{'s' if count > 1 else ''} ({name})"
