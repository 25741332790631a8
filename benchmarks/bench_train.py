"""The time of a training step: ours on TensorFlow against a plain PyTorch hourglass of the same topology.

`python -m benchmarks.bench_train [--runs N] [--torch-python PATH]`. PyTorch is no dependency of ours: put it into an
environment of its own (`python -m venv torch; torch/bin/pip install torch numpy`, or the extra `bench`) and name its
interpreter.

Each side is a process of its own with the same number of threads. They take steps in turn (forward, backward, Adam's
update; 2 stacks of 256 channels, 256 x 256 pixels, batches of 8), and the figure to quote is a ratio within
one round, the median of `--runs` rounds. Before it takes a step, the other side has shown that it has as many
parameters and, with our weights copied in, the same heatmaps. The machine should do nothing else, for OpenMP's threads
wait for each other; where it does, `--threads 1` and the ratio of processor times still tell.

Ours comes in three modes, those of `--xla`: `off`, the default, what `tf.function` makes of it; `pointwise`, in which
XLA joins what is elementwise and oneDNN keeps the convolutions; `whole`, in which XLA compiles it all. Theirs in two
layouts, and compiled by `torch.compile`, which needs a C++ compiler. Both compute in float32, or, as the names of modes
say, in bfloat16 (Keras's `mixed_bfloat16` and PyTorch's autocast), in which only some processors gain.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cocoprep.model.backends.tensorflow.prepare import POINTWISE_FLAGS

ROOT = Path(__file__).parents[1]
BFLOAT16 = ["--precision", "mixed_bfloat16"]
OURS = {"pointwise": [], "off": [], "whole": ["--xla"], "pointwise-bfloat16": BFLOAT16, "off-bfloat16": BFLOAT16}
THEIRS = {
    "torch": [],
    "torch-channels-last": ["--channels-last"],
    "torch-compiled": ["--channels-last", "--compile"],
    "torch-bfloat16": ["--channels-last", "--bfloat16"],
    "torch-compiled-bfloat16": ["--channels-last", "--compile", "--bfloat16"],
}
USUAL = ("off", "pointwise", "torch", "torch-channels-last", "torch-compiled")
PARAMETERS = 6_571_170
WARM_UP = 2  # steps; the first one traces and compiles


class Side:
    """A process that takes steps when it is told to: see `benchmarks.steps`."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **environment},
        )  # fmt: skip
        self.about = self._read()

    def step(self) -> dict[str, float]:
        """Take a step and return its `seconds`, and the `busy` ones of its threads together."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """Let the process end."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name}: the process ended early; what it said is above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def start(mode: str, reference: Path, torch_python: str, threads: int) -> Side:
    """Start one side, ours first: it writes the reference that the other is held against."""
    if mode in THEIRS:
        command = [torch_python, "-m", "benchmarks.torch_step", str(reference), *THEIRS[mode]]
        environment = {"OMP_NUM_THREADS": str(threads)}
    else:
        command = [sys.executable, "-m", "benchmarks.keras_step", str(reference), *OURS[mode]]
        limits = {f"TF_NUM_{kind}_THREADS": str(threads) for kind in ("INTRAOP", "INTEROP")}
        environment = {**limits, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if mode.startswith("pointwise"):
            environment["TF_XLA_FLAGS"] = POINTWISE_FLAGS
    side = Side(mode, command, environment)
    if side.about["parameters"] != PARAMETERS:
        sys.exit(f"{mode}: expected {PARAMETERS} parameters, found {side.about['parameters']}")
    first, *_ = [side.step() for _ in range(WARM_UP)]
    agrees = f", heatmaps within {side.about['worst']:.0e} of ours" if mode in THEIRS else ""
    print(f"{mode}, version {side.about['version']}: first step {first['seconds']:.0f} s{agrees}", flush=True)
    return side


def take_turns(sides: list[Side], runs: int) -> dict[str, list[dict[str, float]]]:
    """Let each side take a step, `runs` times over, print the medians, and return what they took. Ends the sides."""
    steps: dict[str, list[dict[str, float]]] = {side.name: [] for side in sides}
    for _ in range(runs):
        for side in sides:
            steps[side.name].append(side.step())
        print("  " + ", ".join(f"{name} {taken[-1]['seconds']:.2f} s" for name, taken in steps.items()), flush=True)
    for side in sides:
        side.close()
    print(f"of {runs} rounds:")
    for name, taken in steps.items():
        print(f"  {name}: {statistics.median(step['seconds'] for step in taken):.2f} s a step")
    return steps


def median_ratio(ours: list[dict[str, float]], theirs: list[dict[str, float]], kind: str) -> str:
    """Return the median, the least and the most of the rounds' ratios, to read."""
    ratios = [mine[kind] / other[kind] for mine, other in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.3f} ({min(ratios):.2f} to {max(ratios):.2f})"


def main() -> None:
    """Compare and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--modes", nargs="+", choices=[*OURS, *THEIRS], default=USUAL)
    chosen = parser.parse_args()
    ours, theirs = ([mode for mode in group if mode in chosen.modes] for group in (OURS, THEIRS))
    if not ours:
        parser.error("--modes: at least one of ours is needed, for the weights")
    if theirs and not shutil.which(chosen.torch_python):
        parser.error(f"--torch-python: {chosen.torch_python} cannot be run; see the top of this text")
    if (
        theirs
        and subprocess.run(
            [chosen.torch_python, "-c", "import torch"], check=False, stderr=subprocess.DEVNULL
        ).returncode
    ):
        parser.error(
            f"--torch-python: {chosen.torch_python} has no torch; see the top of this text (make bench-train TORCH=)"
        )
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        reference = Path(folder) / "reference.npz"
        sides = [start(mode, reference, chosen.torch_python, chosen.threads) for mode in (*ours, *theirs)]
        steps = take_turns(sides, chosen.runs)
    for mine, other in itertools.product(ours, theirs):
        times, busy = (median_ratio(steps[mine], steps[other], kind) for kind in ("seconds", "busy"))
        print(f"  {mine} takes {times} of the time of {other}, {busy} of its processor time")


if __name__ == "__main__":
    main()
