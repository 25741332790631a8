"""`cocoprep build` against a bare multiprocessing loop: speed, scaling over workers, memory.

`python -m benchmarks.bench_build [--crops N] [--runs N]`. Every figure to quote is a ratio within one run, the median
of `--runs` pairs taken in turn, whole processes with their start-up included.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.drawn_people import write_input

WORKERS = 2
LOCAL = "cocoprep.pipelines.local."  # the processes of a build name the module that they run


def build_command(source: tuple[Path, Path], out: Path, workers: int) -> list[str]:
    """Return the command line of a build without its ceiling."""
    return [
        sys.executable, "-m", "cocoprep", "build", "--split", "bench", "--annotations", str(source[0]),
        "--images", str(source[1]), "--out", str(out), "--no-ceiling", "--workers", str(workers),
    ]  # fmt: skip


def bare_command(source: tuple[Path, Path], out: Path, workers: int) -> list[str]:
    """Return the command line of the bare loop."""
    return [sys.executable, "-m", "benchmarks.bare_loop", str(source[0]), str(source[1]), str(out), str(workers)]


def seconds(command: list[str], out: Path) -> float:
    """Run a command into a fresh folder and return its wall-clock time."""
    shutil.rmtree(out, ignore_errors=True)
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - started


def compare_speed(folder: Path, crops: int, runs: int) -> None:
    """Print crops per second of both, and their ratio."""
    source, out = write_input(folder, crops), folder / "out"
    pairs = []
    for run in range(runs + 1):  # the first is a warm-up
        pair = seconds(build_command(source, out, WORKERS), out), seconds(bare_command(source, out, WORKERS), out)
        if run:
            pairs.append(pair)
            print(f"  cocoprep {pair[0]:.1f} s, bare loop {pair[1]:.1f} s", flush=True)
    ratio = statistics.median(bare / ours for ours, bare in pairs)
    ours, bare = (crops / statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"speed on {crops} crops, {WORKERS} workers: cocoprep {ours:.0f}/s, bare {bare:.0f}/s, ratio {ratio:.3f}")


def compare_workers(folder: Path, crops: int, runs: int) -> None:
    """Print how much faster two workers are than one."""
    source, out = write_input(folder, crops), folder / "out"
    ratios = []
    for _ in range(runs):
        one, two = (seconds(build_command(source, out, workers), out) for workers in (1, 2))
        ratios.append(one / two)
        print(f"  1 worker {one:.1f} s, 2 workers {two:.1f} s", flush=True)
    print(f"two workers against one on {crops} crops: {statistics.median(ratios):.2f} times the speed")


def peak_memory(command: list[str], out: Path) -> dict[str, float]:
    """Run a build and return the peak resident megabytes of its driver and of its largest worker."""
    shutil.rmtree(out, ignore_errors=True)
    peaks = {"driver": 0.0, "worker": 0.0}
    with psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as build:
        while build.poll() is None:
            for process in build.children(recursive=True):
                with suppress(psutil.NoSuchProcess, FileNotFoundError):
                    module = next((word for word in process.cmdline() if word.startswith(LOCAL)), "")
                    kind = module.removeprefix(LOCAL)
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    if kind in peaks and "VmHWM" in status:
                        peaks[kind] = max(peaks[kind], int(status.split("VmHWM:")[1].split()[0]) / 1e3)
            time.sleep(0.1)
    return peaks


def compare_memory(folder: Path, few: int, many: int) -> None:
    """Print peak memory at two sizes, and what the driver takes for each further person."""
    peaks = {}
    for crops in (few, many):
        peaks[crops] = peak_memory(build_command(write_input(folder, crops), folder / "out", WORKERS), folder / "out")
        print(
            f"  {crops} crops: driver {peaks[crops]['driver']:.0f} MB, worker {peaks[crops]['worker']:.0f} MB",
            flush=True,
        )
    growth = (peaks[many]["driver"] - peaks[few]["driver"]) / (many - few) * 1e3
    print(f"memory: the driver grows by {growth:.2f} kB a person")


def main() -> None:
    """Run all three comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=("speed", "workers", "memory"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-build-") as folder:
        if arguments.only in (None, "speed"):
            compare_speed(Path(folder), arguments.crops, arguments.runs)
        if arguments.only in (None, "workers"):
            compare_workers(Path(folder), arguments.crops, arguments.runs)
        if arguments.only in (None, "memory"):
            compare_memory(Path(folder), few=6_000, many=60_000)


if __name__ == "__main__":
    main()
