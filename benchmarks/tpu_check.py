"""What `cocoprep train --backend jax` would ask of TPU chips, compiled for them on a machine that has none.

`make tpu-check`, or `python -m benchmarks.tpu_check [--topologies v5e:2x2 v6e:2x2]` where libtpu is installed. For each
topology the trainer's own step of training is compiled with two batches, the largest batch that fits is reckoned by the
line through them and compiled too, and so is the step of validation. Memory, operations and bytes are the compiler's, a
chip; the least time of a step is the roofline's: the operations over the chip's peak, or the bytes over its bandwidth,
whichever is longer. Nothing is run: what a chip really takes, only a chip can say. For a GPU the step is lowered by
`jax.export`, no further.

Source of peaks and bandwidths: Google's pages "TPU v5e" and "TPU v6e" of the Cloud TPU documentation.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from cocoprep.model.augment.config import STRENGTHS
from cocoprep.model.input.batches import people_to_learn_from, training_maker
from cocoprep.model.input.config import ReadConfig

ROOT = Path(__file__).parents[1]
GIB = 2**30
PEOPLE = 2560  # that are built: more than a batch may be
FULL = 0.98  # of the memory that the largest batch may take by the line: the compiler's plan is not quite one
SHRUNK = 0.93  # of a batch that turned out too large: what is tried next
AT_A_TIME = 2  # topologies: much of a compilation runs on one core
FED_BATCHES = 12  # read to see how many people a core makes ready


class Chip(NamedTuple):
    """Of a chip: its peak in bfloat16, operations a second; its bandwidth, bytes a second; its memory, GiB."""

    flops: float
    bandwidth: float
    gib: float


# The compiler itself keeps 0.25 GiB on a v5e and 0.75 on a v6e: it refuses what is above these.
CHIPS = {"v5e": Chip(197e12, 819e9, 15.75), "v6e": Chip(918e12, 1640e9, 31.25)}


def compiled(folder: str, target: str, step: str, batch: int, options: list[str]) -> dict[str, Any]:
    """Compile a step for a batch on a target, in a process of its own, and return what came of it."""
    print(f"{target}: compiling the step of {step} for batches of {batch} ...", file=sys.stderr, flush=True)
    run = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.tpu_compile", folder, "--target", target, "--step", step, "--batch",
            str(batch), *options,
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={
            **os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "TPU_SKIP_MDS_QUERY": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3", "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
        },
    )  # fmt: skip
    if run.returncode:  # else what libtpu says is of a machine without chips, as this one is meant to be
        # Now: what else is being compiled may take long, and this ends after it.
        print(f"{run.stderr}\n{target}: the step of {step} does not compile for batches of {batch}", file=sys.stderr)
        sys.exit(1)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


class Check:
    """Compiles programs for a topology, each in a process of its own."""

    def __init__(self, folder: str, topology: str, options: list[str]) -> None:
        """Take a built folder, the name of a topology, and what is the same for all programs."""
        self.folder, self.topology, self.options = folder, topology, options
        self.chip = CHIPS[topology.partition(":")[0]]

    def compile(self, step: str, batch: int) -> dict[str, Any]:
        """Compile a step for a batch and say what came of it."""
        found = compiled(self.folder, self.topology, step, batch, self.options)
        print(self._line(step, batch, found), flush=True)
        if found.get("to_host"):
            sys.exit(f"{self.topology}: the step of {step} moves data between a chip and its host: see above")
        return found

    def _line(self, step: str, batch: int, found: dict[str, Any]) -> str:
        if not found["fits"]:
            more = f"takes {found['gib']:.2f} GiB a chip, more than its {found['limit_gib']:.2f}"
            return f"{self.topology} {step}, {batch}: {more}"
        by_flops, by_bytes = found["flops"] / self.chip.flops, found["bytes_accessed"] / self.chip.bandwidth
        least = max(by_flops, by_bytes)
        leaves = f"LEAVES THE CHIP: {', '.join(found['to_host'])}" if found["to_host"] else "nothing leaves the chip"
        return (
            f"{self.topology} {step}, {batch} on {found['chips']} chips ({found['kind']}), compiled in "
            f"{found['seconds']:.0f} s: {found['bytes'] / GIB:.2f} of {self.chip.gib:g} GiB a chip\n"
            f"  {found['flops'] / 1e12:.3f} TFLOP and {found['bytes_accessed'] / 1e9:.1f} GB a chip: at least "
            f"{least * 1000:.1f} ms by the {'bandwidth' if by_bytes > by_flops else 'peak'} "
            f"({by_flops * 1000:.1f} by the peak, {by_bytes * 1000:.1f} by the bandwidth), {batch / least:,.0f} "
            f"people/s at most; {leaves}"
        )

    def largest(self, batches: tuple[int, int]) -> tuple[int, dict[str, Any]]:
        """Return the largest batch that fits, by the line through two, confirmed; and what it compiled to."""
        small, large = (self.compile("training", batch) for batch in batches)
        if not (small["fits"] and large["fits"]):
            sys.exit(f"{self.topology}: begin with smaller --batches")
        slope = (large["bytes"] - small["bytes"]) / (batches[1] - batches[0])
        room = self.chip.gib * GIB * FULL - small["bytes"]
        batch = min(batches[0] + int(room / slope), PEOPLE)
        while True:
            batch -= batch % (8 * small["chips"])  # whole tiles of eight people on each chip
            found = self.compile("training", batch)
            if found["fits"]:
                return batch, found
            batch = int(batch * SHRUNK)


def people_a_core(folder: str) -> float:
    """Return how many people a second one core makes ready with `medium` augmentation, on this machine."""
    config = ReadConfig(batch_size=32, augment=STRENGTHS["medium"], cache=True)
    make = training_maker(people_to_learn_from(folder, config), config)
    make(0)
    started = time.process_time()
    for step in range(1, 1 + FED_BATCHES):
        make(step)
    return FED_BATCHES * config.batch_size / (time.process_time() - started)


def check(folder: str, topology: str, batches: tuple[int, int], options: list[str], rate: float) -> None:
    """Compile all for a topology, and say what it needs."""
    one = Check(folder, topology, options)
    batch, found = one.largest(batches)
    one.compile("validation", batch)
    least = max(found["flops"] / one.chip.flops, found["bytes_accessed"] / one.chip.bandwidth)
    print(
        f"{topology} the largest batch that fits: {batch}; at its least time {batch / least:,.0f} people/s, which "
        f"{batch / least / rate:.1f} cores like this one's would feed ({rate:,.0f} people/s each, medium augmentation)",
        flush=True,
    )


def lower_for_cuda(folder: str, batch: int, options: list[str]) -> None:
    """Say what the step of training is for a GPU, as far as that can be known where none is."""
    found = compiled(folder, "cuda", "training", batch, options)
    print(
        f"cuda: the step of training is lowered, {found['bytes'] / 1e6:.2f} MB of StableHLO in {found['seconds']:.0f} s"
    )


def main() -> None:
    """Check every topology."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topologies", nargs="+", default=["v5e:2x2", "v6e:2x2"])
    parser.add_argument("--batches", nargs=2, type=int, default=[64, 128])
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--stacks", type=int, default=2)
    parser.add_argument("--channels", type=int, default=256)
    chosen = parser.parse_args()
    if odd := [name for name in chosen.topologies if name.partition(":")[0] not in CHIPS]:
        parser.error(f"--topologies: expected names that begin with one of {', '.join(CHIPS)}, found {odd[0]}")
    options = [w for name in ("precision", "stacks", "channels") for w in (f"--{name}", str(getattr(chosen, name)))]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tpu-check-") as temporary:
        from benchmarks.drawn_people import build_sample  # needs Beam

        folder = build_sample(Path(temporary), PEOPLE)
        rate = people_a_core(folder)
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            waiting = [
                threads.submit(check, folder, topology, tuple(chosen.batches), options, rate)
                for topology in chosen.topologies
            ]
            for one in waiting:
                one.result()
        lower_for_cuda(folder, chosen.batches[0], options)
    print(f"all of it took {(time.monotonic() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
