"""The time of `cocoprep train`'s own step on this machine: JAX against TensorFlow, or TensorFlow in other ways.

`python -m benchmarks.bench_backends [--runs N] [--channels N] [--batch-size N] [--input-size N] [--precision P]`. Each
backend is a process of its own, which takes the trainer's whole step, measures and averages included, on the same
people; they take steps in turn, and the figure to quote is the ratio within one round. The machine should do nothing
else. `--frozen stem stack1` has TensorFlow alone take them: all of the network, without `stem`, and without both;
`--parts`, of batches of 16 or more, with `--devices one` and `cores`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.bench_train import WARM_UP, Side, median_ratio, take_turns
from benchmarks.drawn_people import build_sample

PEOPLE = 128


class Kind(NamedTuple):
    """How steps are taken."""

    backend: str
    devices: str = "one"
    frozen: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return it in words."""
        frozen = f", {' and '.join(self.frozen)} frozen" if self.frozen else ""
        return self.backend + (" in parts" if self.devices == "cores" else "") + frozen


def kinds_of(chosen: argparse.Namespace) -> list[Kind]:
    """Return what is held against the first."""
    if chosen.frozen:
        return [Kind("tensorflow", frozen=tuple(chosen.frozen[:count])) for count in range(len(chosen.frozen) + 1)]
    if chosen.parts:
        return [Kind("tensorflow"), Kind("tensorflow", "cores")]
    return [Kind("tensorflow"), Kind("jax")]


def start(folder: str, kind: Kind, chosen: argparse.Namespace) -> Side:
    """Start a side, and let it compile."""
    command = [
        sys.executable, "-m", "benchmarks.backend_step", folder, kind.backend, kind.devices, chosen.channels,
        chosen.batch_size, chosen.precision, *kind.frozen,
    ]  # fmt: skip
    side = Side(kind.name, command, {"TF_CPP_MIN_LOG_LEVEL": "3"})
    first, *_ = [side.step() for _ in range(WARM_UP)]
    print(f"{kind.name}, version {side.about['version']}: first step {first['seconds']:.0f} s", flush=True)
    return side


def main() -> None:
    """Compare and print the ratios to the first side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--channels", default="256")
    parser.add_argument("--batch-size", default="8")
    parser.add_argument("--input-size", type=int, default=256)
    parser.add_argument("--precision", default="float32")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--frozen", nargs="+", default=(), choices=("stem", "stack1"))
    other.add_argument("--parts", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-backends-") as temporary:
        folder = build_sample(Path(temporary), PEOPLE, chosen.input_size)
        steps = take_turns([start(folder, kind, chosen) for kind in kinds_of(chosen)], chosen.runs)
    (reference, baseline), *others = steps.items()
    for name, taken in others:
        times, busy = (median_ratio(taken, baseline, kind) for kind in ("seconds", "busy"))
        print(f"  {name} takes {times} of the time of {reference}, {busy} of its processor time")


if __name__ == "__main__":
    main()
