"""What TensorFlow is told by the environment. Loads no TensorFlow: it looks there once, as it is loaded."""

from __future__ import annotations

import os
from pathlib import Path

from cocoprep.model.run.config import TrainConfig
from cocoprep.workers import default_workers

# XLA joins what is elementwise into one pass over memory; oneDNN, which is faster at them, keeps the convolutions.
POINTWISE_FLAGS = "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit --tf_xla_ops_to_cluster=PW"


def prepare_tensorflow(config: TrainConfig) -> None:
    """Set what a run's `xla` and `devices` ask for on a CPU; call it before TensorFlow is loaded.

    Where there is a GPU, or the environment says something already, that stays as it is.
    """
    if _has_gpu():
        return
    if config.xla == "pointwise":
        os.environ.setdefault("TF_XLA_FLAGS", POINTWISE_FLAGS)
    # Two cores that share a small operation wait for each other at its end, hundreds of times a step. With a thread an
    # operation each has half of the batch to itself.
    if config.devices == "cores" and default_workers() == 2:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


def _has_gpu() -> bool:
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()  # the latter under Windows' Linux
