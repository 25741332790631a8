"""The build pipeline, the same on every runner."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.under_way import BuildMark
from cocoprep.pipelines.transforms import FinishBuild, SelectPeople, WriteShards
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore


class BuildShards(beam.PTransform):
    """Annotations and photographs -> a folder of verified TFRecord shards.

    Apply it to a pipeline: `pipeline | BuildShards(config)`. The job graph holds paths and config only; the annotation
    file is read, and ledger and manifest are written, within the job.
    """

    def __init__(
        self,
        config: BuildConfig,
        *,
        files: FileStore = AnyFiles(),
        local_folder: str | None = None,
        done_ahead: Path | None = None,
        mark: BuildMark | None = None,
    ) -> None:
        """Set the build up.

        Args:
            config: what to build.
            files: where paths lie; by default, on this machine or in a bucket, as each says.
            local_folder: where workers of one machine tell of their progress.
            done_ahead: what `run_first_step_ahead` has left, where it was called.
            mark: tells others that this build is under way, where somebody keeps it fresh.
        """
        super().__init__()
        self._context = (config, files, local_folder)
        self._done_ahead, self._mark = done_ahead, mark

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Return a collection of one element, the fingerprint of the finished folder."""
        return (
            pipeline
            | "Start" >> beam.Impulse()
            | "SelectPeople"
            >> SelectPeople(*self._context, done_ahead=self._done_ahead, mark=self._mark)  # (label, photographs)
            | "DealShards" >> beam.Reshuffle()  # the same, evenly over the workers
            | "WriteShards" >> WriteShards(*self._context)  # finished shard
            | "FinishBuild" >> FinishBuild(*self._context)  # fingerprint
        )
