"""Run a build on a runner that Beam names: the same pipeline, Beam's own options."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.runners.runner import create_runner

from cocoprep.config import BuildConfig
from cocoprep.errors import CocoprepError, ConfigError
from pipelines.build import BuildShards
from pipelines.options import parse_beam_options


def run_remote_build(config: BuildConfig, runner: str, beam_options: Sequence[str] = ()) -> float:
    """Run the build to its end on `runner` and return the seconds it took.

    Raises:
        ConfigError: Beam has no such runner, or does not take the options.
        CocoprepError: what a step raised, where the runner hands it on.
    """
    # Its workers log a failure with its traceback, and then hand it on: once is enough.
    logging.getLogger("apache_beam.runners.worker").setLevel(logging.CRITICAL)
    options = parse_beam_options([f"--runner={runner}", *beam_options])
    try:
        create_runner(runner)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigError(
            f"--runner: expected 'local' or a runner of Beam's such as FlinkRunner or DataflowRunner, found {runner!r} "
            f"({str(error).splitlines()[0]})."
        ) from error
    started = time.monotonic()
    try:
        with beam.Pipeline(options=options) as pipeline:
            _ = pipeline | BuildShards(config)
    except CocoprepError as error:
        raise type(error)(str(error).split(" [while running")[0]) from error
    return time.monotonic() - started
