"""Which devices a run uses."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cocoprep.errors import ConfigError
from model.config import Devices


def choose_strategy(devices: Devices, batch_size: int) -> Any:
    """Return TensorFlow's strategy: the default device, or every GPU, each with its part of the batch.

    Without a GPU, `all` takes the CPU's logical devices, of which there is one unless a program has made more.

    Raises:
        ConfigError: the batch cannot be dealt out evenly.
    """
    if devices == "one":
        return tf.distribute.get_strategy()
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if batch_size % len(found):
        raise ConfigError(f"--batch-size: expected a multiple of the {len(found)} devices, found {batch_size}.")
    return tf.distribute.MirroredStrategy([device.name for device in found])
