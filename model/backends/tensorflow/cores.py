"""Batches in two halves, at which a CPU's cores work at a time. Loads no TensorFlow, whose threads are set before.

Two cores that share an operation wait for each other at the end of each, hundreds of times a step. With half of a batch
each they wait once.
"""

from __future__ import annotations

import os

from cocoprep.model.backends.tensorflow.xla import has_gpu, prepare_xla
from cocoprep.model.run.config import TrainConfig
from cocoprep.workers import default_workers


def prepare_tensorflow(config: TrainConfig) -> None:
    """Set what a run asks of TensorFlow at its start; call it before TensorFlow is loaded.

    What the environment says already stays.
    """
    prepare_xla(config.xla)
    if config.devices == "cores" and default_workers() == 2 and not has_gpu():
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # of one operation: each half has a core
