"""A training step on Keras's JAX backend: its time, its memory, and its share of what the device can do.

`python -m benchmarks.bench_jax [FOLDER]`: on people of a built folder, or of a drawn sample. Where FOLDER is named it
runs without TensorFlow and Beam: a machine with a GPU needs JAX, Keras, NumPy, Pillow, OpenCV, protobuf, msgspec,
simplejpeg and google-crc32c alone.

A step is forward, backward and Adam's update of 2 stacks of 256 channels with the run's default loss. Its share of the
peak is the convolutions' multiply-adds a second over those of the device's best product of large matrices of the same
dtype, and of JAX's own default of precision, measured in the same process. Memory is what XLA plans for the step, and,
where the device tells, the most that was in use. The first time is that of steps whose batches are on the device
already, the second of steps that `batches` feeds, augmentation included: their ratio tells what the input costs.
On a CPU a step takes seconds: `--rounds 2 --steps 1` is enough there.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cocoprep.model.augment.config import STRENGTHS

ROOT = Path(__file__).parents[1]
GIB = 2**30
OPTIONS = {
    "stacks": (2, "of the network"),
    "channels": (256, "of the network"),
    "rounds": (5, "whose median counts"),
    "steps": (10, "in a round"),
}


def measure(folder: str, precision: str, batch: int, options: list[str]) -> dict[str, Any] | None:
    """Measure one setting in a process of its own; what it cannot bear, such as too large a batch, costs it alone."""
    command = [sys.executable, "-m", "benchmarks.jax_step", folder, "--precision", precision, "--batch", str(batch)]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run(
        [*command, *options], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    answer: dict[str, Any] | None = None if run.returncode else json.loads(run.stdout.splitlines()[-1])
    return answer


def describe(found: dict[str, Any], batch: int) -> str:
    """Return what was found, to read."""
    losses, median = found["losses"], statistics.median(found["seconds"])
    rate, fed = found["multiply_adds"] / median, found["fed_seconds"]
    least, most = min(found["seconds"]) * 1000, max(found["seconds"]) * 1000
    learns = "" if losses[-1] < losses[0] else ": IT DOES NOT LEARN, and the figures are worth nothing"
    in_use = f", most in use {found['peak_bytes'] / GIB:.2f} GiB" if found["peak_bytes"] else ""
    return (
        f"  a step takes {median * 1000:.1f} ms ({least:.1f} to {most:.1f}), {batch / median:.1f} people/s; "
        f"compiled in {found['compiling']:.0f} s\n"
        f"  fed by the reader {fed * 1000:.1f} ms, {batch / fed:.1f} people/s: {fed / median:.3f} of that\n"
        f"  {2 * rate / 1e12:.2f} TFLOP/s, {rate / found['matrix_products']:.3f} of a matrix product's "
        f"{2 * found['matrix_products'] / 1e12:.2f}\n"
        f"  memory: {found['planned_bytes'] / GIB:.2f} GiB planned{in_use}\n"
        f"  loss: {losses[0]:.4f} in the first round, {losses[-1]:.4f} in the last{learns}"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text}")
    return int(text)


def main() -> None:
    """Print a line for each precision and batch size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="a built folder; without one a sample is drawn and built")
    parser.add_argument("--precisions", nargs="+", choices=["float32", "mixed_bfloat16"], default=["float32"])
    parser.add_argument("--batches", nargs="+", type=_count, default=[8])
    parser.add_argument("--augment", choices=tuple(STRENGTHS), default="medium")
    for option, (default, what) in OPTIONS.items():
        parser.add_argument(f"--{option}", type=_count, default=default, help=f"{what} (default: {default})")
    chosen = parser.parse_args()
    options = [word for option in (*OPTIONS, "augment") for word in (f"--{option}", str(getattr(chosen, option)))]
    with tempfile.TemporaryDirectory(prefix="bench-jax-") as temporary:
        if chosen.folder is None:
            from benchmarks.drawn_people import build_sample  # needs Beam

            chosen.folder = build_sample(Path(temporary), 64)
        for precision in chosen.precisions:
            for batch in chosen.batches:
                what = f"{chosen.rounds} rounds of {chosen.steps} steps, {precision}, batches of {batch}"
                print(f"measuring {what} ...", file=sys.stderr, flush=True)
                found = measure(chosen.folder, precision, batch, options)
                if found is None:
                    print(f"{precision}, batches of {batch}: not measured; why is said above", flush=True)
                    continue
                print(f"{found['device']}, {found['versions']}, {precision}, batches of {batch}:", flush=True)
                print(describe(found, batch), flush=True)


if __name__ == "__main__":
    main()
