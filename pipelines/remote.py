"""Run a build on a runner that Beam names: the same pipeline, Beam's own options."""

from __future__ import annotations

import time
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from cocoprep.config import BuildConfig
from pipelines.build import BuildShards


def run_remote_build(config: BuildConfig, runner: str, beam_options: Sequence[str] = ()) -> float:
    """Run the build to its end on `runner` and return the seconds it took."""
    started = time.monotonic()
    options = PipelineOptions([f"--runner={runner}", *beam_options])
    with beam.Pipeline(options=options) as pipeline:
        _ = pipeline | BuildShards(config)
    return time.monotonic() - started
