"""Beam transforms: each wraps a function of the core and counts what it does."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.finish import finish_build
from cocoprep.builder.packing import PackedShard, images_of, unpack_shard
from cocoprep.builder.shard_writer import ShardWriter, WrittenShard
from cocoprep.builder.sources import open_photographs
from cocoprep.builder.under_way import BuildMark
from cocoprep.errors import BuildError, CocoprepError
from cocoprep.pipelines.counters import DROPPED, NAMESPACE
from cocoprep.pipelines.first_step import read_first_step, run_first_step
from cocoprep.pipelines.monitor import Monitor, Progress, Workload
from cocoprep.shards.names import shard_name
from cocoprep.storage.store import FileStore

DealtShard = tuple[str, PackedShard]  # label, photographs with their people


@cache
def _process_monitor(folder: str | None) -> Monitor:
    """Return this process's one monitor: all steps that run here count into the same file."""
    monitor = Monitor(folder)
    monitor.start()
    return monitor


class _BuildFn(beam.DoFn):
    """What every step knows: the config, the file store, and whom to tell."""

    def __init__(self, config: BuildConfig, files: FileStore, local_folder: str | None) -> None:
        self.config, self.files = config, files
        self.local_folder = local_folder

    def setup(self) -> None:
        self.monitor = _process_monitor(self.local_folder)

    @contextmanager
    def our_work(self) -> Iterator[None]:
        """Tell the watcher that work is in hand, which may take long, and hand it an expected failure.

        An engine would turn the failure into text.
        """
        with self.monitor.work_in_hand():
            try:
                yield
            except CocoprepError as error:
                self.monitor.error(error)
                raise
            except MemoryError as error:
                short = BuildError(
                    "a worker has no memory: try fewer --workers, or raise the limit where one is set (ulimit -v). "
                    "Finished shards are kept: the same command goes on where it stopped."
                )
                self.monitor.error(short)
                raise short from error

    def count(self, name: str, amount: int) -> None:
        Metrics.counter(NAMESPACE, name).inc(amount)
        self.monitor.count(name, amount)


class _SelectFn(_BuildFn):
    done_ahead: Path | None = None
    mark: BuildMark | None = None

    def process(self, _: object) -> Iterable[DealtShard]:
        with self.our_work():
            if self.done_ahead:
                started, shards = read_first_step(self.done_ahead)
            else:
                started, shards = run_first_step(self.config, self.files, self.mark)
        self.monitor.announce(Workload(started.images, started.people, started.num_shards, started.category))
        self.count("annotations_read", started.annotations)
        for reason, amount in started.dropped.items():
            self.count(DROPPED + reason, amount)
        self.monitor.flush()
        for index, packed in enumerate(shards):
            yield f"{index:05d}-of-{started.num_shards:05d}", packed


class _WriteFn(_BuildFn):
    def setup(self) -> None:
        super().setup()
        # The collector would look through all that Beam has loaded again and again.
        gc.freeze()
        # The disk takes in a shard while the next one is made: at the end, all of them would have to be waited for.
        self.syncer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cocoprep-sync")
        self.syncs: list[Future[None]] = []
        with self.our_work():
            self.images = open_photographs(self.config, self.files)

    def finish_bundle(self) -> None:
        syncs, self.syncs = self.syncs, []
        with self.our_work():
            for sync in syncs:
                sync.result()

    def teardown(self) -> None:
        self.syncer.shutdown()

    def process(self, dealt: DealtShard) -> Iterable[WrittenShard]:
        label, packed = dealt
        index, count = map(int, label.split("-of-"))
        groups = unpack_shard(packed)
        writer = ShardWriter(
            folder=self.config.out,
            plan=packed.plan,
            fingerprint=packed.fingerprint,
            crop=self.config.crop,
            seed=self.config.select.seed,
            joints=packed.joints,
            exif=self.config.exif,
            images=images_of(packed, self.images),
            files=self.files,
            on_progress=lambda images, crops: self.monitor.advance(Progress(images, crops)),
        )
        with self.our_work():
            outcome = writer.write(shard_name(self.config.split, index, count), groups)
        sidecar, reused = outcome.sidecar, outcome.kept
        if reused:
            self.monitor.advance(Progress(len(groups), sidecar.examples, sidecar.examples, reused_shards=1))
        else:
            self.syncs.append(self.syncer.submit(self.files.sync, self.files.join(self.config.out, sidecar.shard)))
        faulty = Counter({group.image.image_id: len(group.people) for group in groups})
        self.count("people_kept", sidecar.examples)
        self.count("bytes_written", 0 if reused else sidecar.bytes)
        self.count("shards_reused", int(reused))
        self.count("images_unusable", len(sidecar.faults))
        self.count(f"{DROPPED}image", sum(faulty[fault.image_id] for fault in sidecar.faults))
        self.monitor.flush()
        yield outcome.written


class _FinishFn(_BuildFn):
    def process(self, written: list[WrittenShard]) -> Iterable[str]:
        with self.our_work():
            manifest = finish_build(self.config, written, self.files)
        self.monitor.finished()
        yield manifest.fingerprint


class _Step(beam.PTransform):
    def __init__(self, config: BuildConfig, files: FileStore, local_folder: str | None) -> None:
        super().__init__()
        self.context = (config, files, local_folder)


class SelectPeople(_Step):
    """One impulse -> (shard label, its photographs with their people, packed): metadata only, under 1 KB a person."""

    def __init__(self, *context: Any, done_ahead: Path | None, mark: BuildMark | None) -> None:
        super().__init__(*context)
        self.done_ahead, self.mark = done_ahead, mark

    def expand(self, impulse: beam.PCollection) -> beam.PCollection:
        """Read the annotation file, prepare the output, and deal photographs to shards."""
        select = _SelectFn(*self.context)
        select.done_ahead, select.mark = self.done_ahead, self.mark
        return impulse | beam.ParDo(select).with_output_types(DealtShard)


class WriteShards(_Step):
    """(shard label, its photographs) -> what the last step has to know of the finished shard."""

    def expand(self, shards: beam.PCollection) -> beam.PCollection:
        """Read, crop, draw, encode and write one shard at a time."""
        return shards | beam.ParDo(_WriteFn(*self.context)).with_output_types(WrittenShard)


class FinishBuild(_Step):
    """All finished shards -> the fingerprint of the finished folder."""

    def expand(self, shards: beam.PCollection) -> beam.PCollection:
        """Account for every annotation, complete the ledger, then write baseline and manifest."""
        return (
            shards
            | "CollectShards" >> beam.CombineGlobally(beam.combiners.ToListCombineFn())
            | "WriteManifest" >> beam.ParDo(_FinishFn(*self.context)).with_output_types(str)
        )
