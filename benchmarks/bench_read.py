"""Reading shards into batches against bare `decode_jpeg` in tf.data on the same shards.

`python -m benchmarks.bench_read [FOLDER] [--runs N]`: of a built folder, or of a drawn sample. Every figure to quote is
a ratio within one run, the median of `--runs` pairs taken in turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.drawn_people import write_input
from cocoprep.files import LocalFiles
from cocoprep.manifest import read_manifest
from model.augment_config import STRENGTHS
from model.dataset import train_dataset
from model.read_config import ReadConfig

BATCH = 64
PEOPLE = 2_000
WARM_UP_BATCHES = 20


def bare_dataset(folder: str) -> Any:
    """Return batches of the decoded stored crops and of nothing else, the records in memory."""
    manifest = read_manifest(folder, LocalFiles())
    size = (*manifest.crop.stored_size, 3)

    def decode(record: tf.Tensor) -> tf.Tensor:
        features = tf.io.parse_single_example(record, {"image": tf.io.FixedLenFeature([], tf.string)})
        return tf.ensure_shape(tf.io.decode_jpeg(features["image"], channels=3), size)

    shards = tf.data.TFRecordDataset([str(Path(folder) / shard.name) for shard in manifest.shards])
    records = tf.data.Dataset.from_tensor_slices(list(shards.as_numpy_iterator())).repeat()
    return records.map(decode, tf.data.AUTOTUNE).batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def people_per_second(dataset: Any, seconds: float) -> float:
    """Return how many people a dataset yields a second, once it runs."""
    # An iterator of its own: one that waits fills its buffers meanwhile, and takes time from the other side.
    batches = iter(dataset)
    for _ in range(WARM_UP_BATCHES):
        next(batches)
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        next(batches)
        count += BATCH
    return count / (time.perf_counter() - started)


def compare(folder: str, strength: str, runs: int, seconds: float) -> None:
    """Print people per second of both, and their ratio."""
    ours = train_dataset(folder, ReadConfig(batch_size=BATCH, augment=STRENGTHS[strength], cache=True))
    bare = bare_dataset(folder)
    pairs = []
    for run in range(runs + 1):  # the first fills the cache
        pair = people_per_second(ours, seconds), people_per_second(bare, seconds)
        if run:
            pairs.append(pair)
    ratios = [mine / theirs for mine, theirs in pairs]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    cores = len(os.sched_getaffinity(0))
    print(
        f"{strength:6}  {mine:6.0f} people/s ({mine / cores:.0f} a core), bare decode_jpeg {theirs:.0f}, "
        f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})",
        flush=True,
    )


def build_sample(folder: Path) -> str:
    """Build shards of drawn people; return their folder."""
    from cocoprep.config import BuildConfig
    from pipelines.local import run_local_build

    annotations, images = write_input(folder, PEOPLE)
    out = str(folder / "out")
    run_local_build(BuildConfig(split="bench", annotations=str(annotations), images=str(images), out=out))
    return out


def main() -> None:
    """Print a line for each strength."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", help="a built folder; without one a sample is drawn and built")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--strengths", nargs="+", choices=tuple(STRENGTHS), default=["none", "medium"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-read-") as temporary:
        folder = arguments.folder or build_sample(Path(temporary))
        for strength in arguments.strengths:
            compare(folder, strength, arguments.runs, arguments.seconds)


if __name__ == "__main__":
    main()
