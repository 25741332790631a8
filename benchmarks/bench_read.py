"""Reading shards: into batches against bare `decode_jpeg` in tf.data and a torch loader, by NumPy against bare Pillow.

`python -m benchmarks.bench_read [FOLDER] [--runs N] [--torch-python PATH]`: of a built folder, or of a drawn sample.
Every figure to quote is a ratio within one run, the median of `--runs` pairs taken in turn. For the torch loader name
the interpreter of an environment that has torch, numpy and opencv-python-headless. The machine should do nothing
else; where it does, the ratio of processor times still tells.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, cycle, islice, repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks.drawn_people import build_sample
from cocoprep.model.augment.config import STRENGTHS
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.dataset import train_dataset
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.record import parse_example
from cocoprep.shards.tfrecord import read_record
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.workers import default_workers

BATCH = 64
PEOPLE = 2_000
WARM_UP_BATCHES = 20


def bare_dataset(folder: str) -> Any:
    """Return batches of the decoded stored crops and of nothing else."""
    manifest = read_manifest(folder, AnyFiles())
    size = (*manifest.crop.stored_size, 3)

    def decode(record: tf.Tensor) -> tf.Tensor:
        features = tf.io.parse_single_example(record, {"image": tf.io.FixedLenFeature([], tf.string)})
        return tf.ensure_shape(tf.io.decode_jpeg(features["image"], channels=3), size)

    records = tf.data.TFRecordDataset([str(Path(folder) / shard.name) for shard in manifest.shards]).repeat()
    return records.map(decode, tf.data.AUTOTUNE).batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


class Rate(NamedTuple):
    """People a second, and microseconds of processor time a person, of all threads together."""

    people: float
    busy_us: float


def measure(dataset: Any, seconds: float) -> Rate:
    """Measure a dataset once it runs."""
    # An iterator of its own: one that waits fills its buffers meanwhile, and takes time from the other side.
    batches = iter(dataset)
    for _ in range(WARM_UP_BATCHES):
        next(batches)
    started, busy, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - started < seconds:
        next(batches)
        count += BATCH
    return Rate(count / (time.perf_counter() - started), (time.process_time() - busy) / count * 1e6)


def measure_torch(python: str, folder: str, *, augment: bool, seconds: float) -> Rate:
    """Measure the torch loader on the photographs that a folder was built from."""
    source = read_manifest(folder, AnyFiles()).source
    command = [python, "-m", "benchmarks.torch_loader", source["annotations"], source["images"]]
    command += ["--seconds", str(seconds), *(["--augment"] if augment else [])]
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return Rate(answer["people_per_second"], math.nan)


def measure_reader(people: Iterable[Any], seconds: float) -> Rate:
    """Measure what gives one person after the other, from its beginning as often as it takes."""
    started, busy, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - started < seconds:
        for _ in islice(people, BATCH):
            count += 1
    return Rate(count / (time.perf_counter() - started), (time.process_time() - busy) / count * 1e6)


def compare_reader(folder: str, seconds: float, runs: int) -> None:
    """Compare the NumPy reader, one process, with Pillow's decoding of the same JPEGs and nothing else."""
    dataset = open_dataset(folder)
    size = dataset.crop.stored_size

    def jpegs() -> Iterator[bytes]:
        for shard in dataset.manifest.shards:
            with open(Path(folder) / shard.name, "rb") as stream:
                while record := read_record(stream):
                    yield parse_example(record, len(dataset.manifest.keypoints.names))["image"]

    kept = list(islice(jpegs(), PEOPLE))
    bare = (np.array(Image.open(io.BytesIO(jpeg)).convert("RGB")).reshape(*size, 3) for jpeg in cycle(kept))
    ours = partial(measure_reader, chain.from_iterable(repeat(dataset)), seconds)
    compare("NumPy reader, bare Pillow", ours, partial(measure_reader, bare, seconds), runs)


def compare(name: str, ours: Callable[[], Rate], theirs: Callable[[], Rate], runs: int) -> None:
    """Print the rates of both, and their ratios: ours over theirs, so more is better."""
    pairs = [(ours(), theirs()) for _ in range(runs)]
    mine, other = (statistics.median(rate.people for rate in side) for side in zip(*pairs, strict=True))
    ratios = [one.people / two.people for one, two in pairs]
    busy = statistics.median(two.busy_us / one.busy_us for one, two in pairs)
    cores = default_workers()
    print(
        f"{name}: {mine:.0f} people/s ({mine / cores:.0f} a core) against {other:.0f}, ratio "
        f"{statistics.median(ratios):.3f} ({min(ratios):.2f} to {max(ratios):.2f})"
        + ("" if math.isnan(busy) else f", by processor time {busy:.3f}"),
        flush=True,
    )


def main() -> None:
    """Print a line for each strength."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", help="a built folder; without one a sample is drawn and built")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--strengths", nargs="+", choices=tuple(STRENGTHS), default=["none", "medium"])
    parser.add_argument("--torch-python", metavar="PATH")
    chosen = parser.parse_args()
    if not chosen.torch_python:
        print("without --torch-python there is no torch loader to compare with", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-read-") as temporary:
        folder = chosen.folder or build_sample(Path(temporary), PEOPLE)
        compare_reader(folder, chosen.seconds, chosen.runs)
        bare = bare_dataset(folder)
        for strength in chosen.strengths:
            config = ReadConfig(batch_size=BATCH, augment=STRENGTHS[strength], cache=True)
            ours = train_dataset(folder, config)
            measure(ours, chosen.seconds)  # fills the cache
            rate = partial(measure, ours, chosen.seconds)
            compare(f"{strength}, bare decode_jpeg", rate, partial(measure, bare, chosen.seconds), chosen.runs)
            if chosen.torch_python:
                theirs = partial(
                    measure_torch, chosen.torch_python, folder, augment=config.augment.changes, seconds=chosen.seconds
                )
                compare(f"{strength}, torch loader", rate, theirs, max(1, chosen.runs // 3))


if __name__ == "__main__":
    main()
