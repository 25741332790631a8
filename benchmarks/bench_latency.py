"""The time to predict one person: ours against a plain PyTorch hourglass of the same topology.

`python -m benchmarks.bench_latency [--runs N] [--torch-python PATH]`; `benchmarks.bench_train` says how to get PyTorch,
how the sides take turns, and why the machine should do nothing else.

A prediction is a crop of 256 x 256 pixels, normalised, through 2 stacks of 256 channels, float32, and its heatmaps
decoded to joints: by the same NumPy on both sides. Before it predicts, the other side has shown that it has the same
heatmaps with our weights.

Theirs comes in both layouts, as it is run by most (`torch.inference_mode`), and frozen, which folds batch normalisation
(`torch.jit.optimize_for_inference`).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_train import PARAMETERS, Side, median_ratio, take_turns

OURS = "ours"
THEIRS = {
    "torch": [],
    "torch-channels-last": ["--channels-last"],
    "torch-frozen": ["--frozen"],
}
WARM_UP = 3  # predictions; the first ones trace and compile


def start(mode: str, reference: Path, torch_python: str, threads: int) -> Side:
    """Start one side, ours first: it writes the reference that the others are held against."""
    if mode == OURS:
        command = [sys.executable, "-m", "benchmarks.keras_latency", str(reference)]
        limits = {f"TF_NUM_{kind}_THREADS": str(threads) for kind in ("INTRAOP", "INTEROP")}
        environment = {**limits, "TF_CPP_MIN_LOG_LEVEL": "3"}
    else:
        command = [torch_python, "-m", "benchmarks.torch_latency", str(reference), *THEIRS[mode]]
        environment = {"OMP_NUM_THREADS": str(threads)}
    side = Side(mode, command, environment)
    if side.about["parameters"] != PARAMETERS:
        sys.exit(f"{mode}: expected {PARAMETERS} parameters, found {side.about['parameters']}")
    for _ in range(WARM_UP):
        side.step()
    agrees = "" if mode == OURS else f", heatmaps within {side.about['worst']:.0e} of ours"
    print(f"{mode}, version {side.about['version']}{agrees}", flush=True)
    return side


def main() -> None:
    """Compare and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--modes", nargs="+", choices=[*THEIRS], default=[*THEIRS])
    chosen = parser.parse_args()
    if not shutil.which(chosen.torch_python):
        parser.error(f"--torch-python: {chosen.torch_python} cannot be run; see benchmarks/bench_train.py")
    with tempfile.TemporaryDirectory(prefix="bench-latency-") as folder:
        reference = Path(folder) / "reference.npz"
        sides = [start(mode, reference, chosen.torch_python, chosen.threads) for mode in (OURS, *chosen.modes)]
        steps = take_turns(sides, chosen.runs)
        for side in sides:
            side.close()
    print(f"of {chosen.runs} rounds on {chosen.threads} threads:")
    for name, taken in steps.items():
        sorted_ms = sorted(1000 * step["seconds"] for step in taken)
        median, slow = statistics.median(sorted_ms), sorted_ms[int(0.95 * len(sorted_ms))]
        print(f"  {name}: median {median:.0f} ms, 95th percentile {slow:.0f} ms")
    for other in chosen.modes:
        times, busy = (median_ratio(steps[OURS], steps[other], kind) for kind in ("seconds", "busy"))
        print(f"  {OURS} takes {times} of the time of {other}, {busy} of its processor time")


if __name__ == "__main__":
    main()
