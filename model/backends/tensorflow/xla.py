"""What XLA compiles of a step. Loads no TensorFlow: its flags count only where they are set before it is loaded."""

from __future__ import annotations

import os
from pathlib import Path

from cocoprep.model.run.config import Xla

# XLA joins what is elementwise into one pass over memory; oneDNN, which is faster at them, keeps the convolutions.
POINTWISE_FLAGS = "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit --tf_xla_ops_to_cluster=PW"


def prepare_xla(mode: Xla) -> None:
    """Set TensorFlow's flags for `pointwise`; call it before TensorFlow is loaded.

    Where there is a GPU, or the flags are set already, they stay as they are.
    """
    if mode == "pointwise" and not has_gpu():
        os.environ.setdefault("TF_XLA_FLAGS", POINTWISE_FLAGS)


def has_gpu() -> bool:
    """Tell whether this machine has a GPU of NVIDIA's, without loading TensorFlow."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()  # the latter under Windows' Linux
