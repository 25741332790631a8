"""The time of `cocoprep train`'s own step on this machine: JAX against TensorFlow.

`python -m benchmarks.bench_backends [--runs N] [--channels N] [--batch-size N] [--precision P]`. Each backend is a
process of its own, which takes the trainer's whole step, measures and averages included, on the same people; they take
steps in turn, and the figure to quote is the ratio within one round. The machine should do nothing else.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_train import WARM_UP, Side, median_ratio, take_turns
from benchmarks.drawn_people import build_sample

PEOPLE = 128
BACKENDS = ("tensorflow", "jax")


def main() -> None:
    """Compare and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--channels", default="256")
    parser.add_argument("--batch-size", default="8")
    parser.add_argument("--precision", default="float32")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-backends-") as temporary:
        folder = build_sample(Path(temporary), PEOPLE)
        sides = []
        for name in BACKENDS:
            command = [
                sys.executable, "-m", "benchmarks.backend_step", folder, name, chosen.channels, chosen.batch_size,
                chosen.precision,
            ]  # fmt: skip
            side = Side(name, command, {"TF_CPP_MIN_LOG_LEVEL": "3"})
            first, *_ = [side.step() for _ in range(WARM_UP)]
            print(f"{name} {side.about['version']}: first step {first['seconds']:.0f} s", flush=True)
            sides.append(side)
        steps = take_turns(sides, chosen.runs)
    times, busy = (median_ratio(steps["jax"], steps["tensorflow"], kind) for kind in ("seconds", "busy"))
    print(f"  jax takes {times} of the time of tensorflow, {busy} of its processor time")


if __name__ == "__main__":
    main()
