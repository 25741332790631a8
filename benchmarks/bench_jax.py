"""A training step on Keras's JAX backend: its time, its memory, and its share of what the device can do.

`python -m benchmarks.bench_jax [FOLDER]`: on people of a built folder, or of a drawn sample. Where FOLDER is named it
runs without TensorFlow and Beam: a machine with a GPU needs JAX, Keras, NumPy, Pillow, OpenCV, protobuf, msgspec and
google-crc32c alone.

A step is forward, backward and Adam's update of 2 stacks of 256 channels with the run's default loss. Its share of the
peak is the convolutions' multiply-adds a second over those of the device's best product of large matrices of the same
dtype, measured in the same process. Memory is what XLA plans for the step, and, where the device tells, the most that
was in use. The first time is that of steps whose batches are on the device already, the second of steps that
`model.batches` feeds, augmentation included: their ratio tells what the input costs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GIB = 2**30
OPTIONS = {
    "stacks": (2, "of the network"),
    "channels": (256, "of the network"),
    "rounds": (5, "whose median counts"),
    "steps": (10, "in a round"),
}


def measure(folder: str, precision: str, batch: int, options: list[str]) -> dict[str, Any]:
    """Measure one setting in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.jax_step", folder, "--precision", precision, "--batch", str(batch)]
    run = subprocess.run(
        [*command, *options], cwd=ROOT, env={**os.environ, "KERAS_BACKEND": "jax"}, stdout=subprocess.PIPE, text=True,
        check=False,
    )  # fmt: skip
    if run.returncode:
        sys.exit(f"{precision}, batches of {batch}: the process ended with {run.returncode}; what it said is above")
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


def describe(found: dict[str, Any], batch: int) -> str:
    """Return what was found, to read."""
    losses, rate = found["losses"], found["multiply_adds"] / statistics.median(found["seconds"])
    if not math.isfinite(losses[-1]) or losses[-1] >= losses[0]:
        sys.exit(f"the network does not learn: its loss went from {losses[0]} to {losses[-1]}")
    slower = statistics.median(found["fed_seconds"]) / statistics.median(found["seconds"])
    in_use = f", most in use {found['peak_bytes'] / GIB:.2f} GiB" if found["peak_bytes"] else ""
    return (
        f"  a step takes {timing(found['seconds'], batch)}; compiled in {found['compiling']:.0f} s\n"
        f"  fed by the reader {timing(found['fed_seconds'], batch)}: {slower:.3f} of that\n"
        f"  {2 * rate / 1e12:.2f} TFLOP/s, {rate / found['matrix_products']:.3f} of a matrix product's "
        f"{2 * found['matrix_products'] / 1e12:.2f}\n"
        f"  memory: {found['planned_bytes'] / GIB:.2f} GiB planned{in_use}\n"
        f"  loss: {losses[0]:.4f} in the first round, {losses[-1]:.4f} in the last"
    )


def timing(seconds: list[float], batch: int) -> str:
    """Return the median of some steps' times, the least and the most, and the people a second, to read."""
    median = statistics.median(seconds)
    least, most = min(seconds) * 1000, max(seconds) * 1000
    return f"{median * 1000:.1f} ms ({least:.1f} to {most:.1f}), {batch / median:.1f} people/s"


def main() -> None:
    """Print a line for each precision and batch size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="a built folder; without one a sample is drawn and built")
    parser.add_argument("--precisions", nargs="+", choices=["float32", "mixed_bfloat16"], default=["float32"])
    parser.add_argument("--batches", nargs="+", type=int, default=[8])
    parser.add_argument("--augment", default="medium", help="a strength, as of cocoprep train (default: medium)")
    for option, (default, what) in OPTIONS.items():
        parser.add_argument(f"--{option}", type=int, default=default, help=what)
    chosen = parser.parse_args()
    options = [word for option in (*OPTIONS, "augment") for word in (f"--{option}", str(getattr(chosen, option)))]
    with tempfile.TemporaryDirectory(prefix="bench-jax-") as temporary:
        if chosen.folder is None:
            from benchmarks.drawn_people import build_sample  # needs Beam

            chosen.folder = build_sample(Path(temporary), 64)
        for precision in chosen.precisions:
            for batch in chosen.batches:
                found = measure(chosen.folder, precision, batch, options)
                print(f"{found['device']}, {found['versions']}, {precision}, batches of {batch}:", flush=True)
                print(describe(found, batch), flush=True)


if __name__ == "__main__":
    main()
