"""Batches in parts, at which a CPU's cores work at a time. Loads no TensorFlow, which takes its threads at its start.

Cores that share an operation wait for each other at the end of each, hundreds of times a step. With a part of the batch
each they wait once.
"""

from __future__ import annotations

import os

from cocoprep.model.run.config import TrainConfig
from cocoprep.workers import default_workers

LEAST_PART = 8  # people; of fewer, statistics of batch normalisation say too little


def parts_of_batch(config: TrainConfig) -> int:
    """Return in how many equal parts a CPU learns from a batch: 1, or for all `devices` as many as it has cores."""
    if config.devices != "all":
        return 1
    most = min(default_workers(), config.batch_size // LEAST_PART)
    return max((parts for parts in range(2, most + 1) if config.batch_size % parts == 0), default=1)


def prepare_cores(config: TrainConfig) -> None:
    """Let TensorFlow work at all parts at a time; call it before TensorFlow is loaded.

    What the environment says already stays.
    """
    parts = parts_of_batch(config)
    if parts > 1:
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(parts))
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(default_workers() // parts))
