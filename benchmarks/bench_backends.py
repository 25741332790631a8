"""The time of `cocoprep train`'s own step on this machine: JAX against TensorFlow, or with groups of layers frozen.

`python -m benchmarks.bench_backends [--runs N] [--channels N] [--batch-size N] [--input-size N] [--precision P]`. Each
backend is a process of its own, which takes the trainer's whole step, measures and averages included, on the same
people; they take steps in turn, and the figure to quote is the ratio within one round. The machine should do nothing
else. `--frozen stem stack1` has TensorFlow alone take them: all of the network, without `stem`, and without both.
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


def start(folder: str, backend: str, frozen: tuple[str, ...], chosen: argparse.Namespace) -> Side:
    """Start a side, and let it compile."""
    name = backend if not frozen else f"{backend}, {' and '.join(frozen)} frozen"
    command = [
        sys.executable, "-m", "benchmarks.backend_step", folder, backend, chosen.channels, chosen.batch_size,
        chosen.precision, *frozen,
    ]  # fmt: skip
    side = Side(name, command, {"TF_CPP_MIN_LOG_LEVEL": "3"})
    first, *_ = [side.step() for _ in range(WARM_UP)]
    print(f"{name}, version {side.about['version']}: first step {first['seconds']:.0f} s", flush=True)
    return side


def main() -> None:
    """Compare and print the ratios to the first side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--channels", default="256")
    parser.add_argument("--batch-size", default="8")
    parser.add_argument("--input-size", type=int, default=256)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--frozen", nargs="+", default=(), metavar="GROUP")
    chosen = parser.parse_args()
    kinds = [(backend, ()) for backend in BACKENDS]
    if chosen.frozen:
        kinds = [("tensorflow", tuple(chosen.frozen[:count])) for count in range(len(chosen.frozen) + 1)]
    with tempfile.TemporaryDirectory(prefix="bench-backends-") as temporary:
        folder = build_sample(Path(temporary), PEOPLE, chosen.input_size)
        steps = take_turns([start(folder, *kind, chosen) for kind in kinds], chosen.runs)
    (reference, baseline), *others = steps.items()
    for name, taken in others:
        times, busy = (median_ratio(taken, baseline, kind) for kind in ("seconds", "busy"))
        print(f"  {name} takes {times} of the time of {reference}, {busy} of its processor time")


if __name__ == "__main__":
    main()
