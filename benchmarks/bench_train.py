"""The time of a training step, ours on TensorFlow against a plain PyTorch hourglass of the same topology.

`python -m benchmarks.bench_train [--runs N] [--torch-python PATH] [--threads N]`. PyTorch is no dependency of ours: put it
into an environment of its own (`python -m venv torch; torch/bin/pip install torch numpy`) and name its interpreter. Each
side is a process of its own, both of the same threads; they take steps (forward, backward, Adam's update) in turn. The
figure to quote is a ratio within one round, the median of `--runs` rounds. Before it times anything, the other side checks
that it has as many parameters, and that with our weights its heatmaps are ours.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# XLA compiles what is elementwise into few passes over memory, and leaves convolutions to oneDNN.
POINTWISE = "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit --tf_xla_ops_to_cluster=PW"
OURS = ("graph", "pointwise", "xla")
THEIRS = ("torch", "torch-channels-last")
WARM_UP = 2  # steps: the first traces and compiles
PARAMETERS = {(1, 256, 4, 17): 3_426_705, (2, 256, 4, 17): 6_571_170}


class Side:
    """One process that takes steps when told to."""

    def __init__(self, name: str, command: list[str], threads: int, **environment: str) -> None:
        self.name = name
        limits = {f"{kind}_NUM_THREADS": str(threads) for kind in ("OMP", "MKL", "TF_INTRAOP", "TF_NUM_INTRAOP")}
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **limits, **environment},
        )  # fmt: skip
        self.about = self._read()

    def step(self) -> float:
        """Take a step and return its seconds."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._read()["seconds"])

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: the process ended before its time; what it said is above")
        answer: dict[str, Any] = json.loads(line)
        return answer
