"""Run a build on a runner that Beam names: the same pipeline, Beam's own options, failures in our words."""

from __future__ import annotations

import logging
import re
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import create_runner

from cocoprep import errors
from cocoprep.builder.config import BuildConfig
from cocoprep.builder.under_way import BuildMark, kept_fresh, new_mark
from cocoprep.errors import BuildError, CocoprepError, ConfigError
from cocoprep.pipelines.build import BuildShards
from cocoprep.pipelines.counters import read_counters
from cocoprep.pipelines.options import given_options, parse_beam_options
from cocoprep.pipelines.remote.dataflow import dataflow_arguments
from cocoprep.pipelines.remote.flink import flink_arguments
from cocoprep.shards.names import MANIFEST, SIDECAR_SUFFIX
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.held_folder import held_folder
from cocoprep.storage.store import FileStore

PROGRESS_S = 10.0
LOG_LINES = 1000
TAIL_LINES = 15
JOB_LOGGER = "apache_beam.runners.dataflow.dataflow_runner"
SERVER_LOGGERS = [
    logging.getLogger(name) for name in ("FlinkJarJobServer", "PrismJobServer", "apache_beam.utils.subprocess_server")
]
GOES_ON = "Finished shards are kept: the same command goes on where it stopped."
_OURS = re.compile(r"cocoprep\.errors\.([A-Za-z]+Error): (.+?)(?: \[while running|\\n|\n|$)")
_DONE_SHARD = re.compile(rf"-of-(\d{{5}}){re.escape(SIDECAR_SUFFIX)}$")


@dataclass(frozen=True)
class RemoteBuild:
    """What came of a job: how long it took, what it counted, and its template's place if it was only prepared."""

    seconds: float
    counters: dict[str, int]
    template: str | None = None


@dataclass(frozen=True)
class JobProgress:
    """How far a job is, as its output folder shows. `shards` is None as long as nobody knows."""

    seconds: float
    done: int
    shards: int | None


def run_remote_build(
    config: BuildConfig,
    runner: str,
    beam_options: Sequence[str] = (),
    *,
    files: FileStore = AnyFiles(),
    on_progress: Callable[[JobProgress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda line: None,
    progress_s: float = PROGRESS_S,
) -> RemoteBuild:
    """Run the build to its end on `runner`.

    Args:
        config: what to build.
        runner: its name in Beam.
        beam_options: further options in Beam's own spelling.
        files: where paths lie, for the workers too; by default, on this machine or in a bucket, as each says.
        on_progress: called every `progress_s` seconds, from another thread.
        say: called with a line that a user wants to see, such as where the job can be watched.
        progress_s: how often to look.

    Raises:
        ConfigError: Beam has no such runner, or does not take the options.
        CocoprepError: what a step raised, with its class and its text.
        BuildError: the job failed in a way that no step expected, or its output is not to be seen from here.
    """
    started = time.monotonic()
    with held_folder() as folder, _kept_log(say) as log:
        arguments = _arguments(config, runner, beam_options, Path(folder), files)
        mark = new_mark()
        pipeline = _pipeline(config, runner, arguments, files, mark)
        given = given_options(arguments)
        with _progress(config, files, on_progress, progress_s, started), kept_fresh(config.out, mark, files):
            result = _run(pipeline, runner, say, log, only_prepare=bool(given.get("template_location")))
    if template := given.get("template_location"):
        return RemoteBuild(time.monotonic() - started, {}, template)
    if not files.exists(files.join(config.out, MANIFEST)):
        raise BuildError(
            f"--out: the job on {runner} has ended, but {config.out} has no {MANIFEST} that can be seen from here. Its "
            "workers see another disk: give paths that all machines share, or paths that begin with gs://."
        )
    return RemoteBuild(time.monotonic() - started, read_counters(result))


def check_remote_build(config: BuildConfig, runner: str, beam_options: Sequence[str] = ()) -> None:
    """Refuse what `run_remote_build` would refuse of runner and options. Nothing is started."""
    files = AnyFiles()
    with held_folder() as folder:
        _pipeline(config, runner, _arguments(config, runner, beam_options, Path(folder), files), files, new_mark())


def _arguments(
    config: BuildConfig, runner: str, beam_options: Sequence[str], folder: Path, files: FileStore
) -> list[str]:
    given = given_options(beam_options, refused=("runner",))
    more: list[str] = []
    if runner == "DataflowRunner":
        more = dataflow_arguments(config, given, folder, files)
    elif runner == "FlinkRunner":
        more = flink_arguments(given)
    return [f"--runner={runner}", *beam_options, *more]


def _pipeline(
    config: BuildConfig, runner: str, arguments: Sequence[str], files: FileStore, mark: BuildMark
) -> beam.Pipeline:
    try:
        create_runner(runner)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigError(
            f"--runner: expected 'local' or a runner of Beam's such as FlinkRunner or DataflowRunner, found {runner!r} "
            f"({str(error).splitlines()[0]})."
        ) from error
    options: PipelineOptions = parse_beam_options(arguments)
    try:
        pipeline = beam.Pipeline(options=options)
    except ValueError as error:  # Beam's own check of the runner's options
        raise ConfigError(f"after --: {runner} does not take these options: {error}") from error
    _ = pipeline | BuildShards(config, files=files, mark=mark)
    return pipeline


def _run(
    pipeline: beam.Pipeline, runner: str, say: Callable[[str], None], log: Sequence[str], *, only_prepare: bool
) -> Any:
    """Submit and wait."""
    result, on_interrupt = None, signal.getsignal(signal.SIGINT)
    try:
        result = pipeline.run()
        if threading.current_thread() is threading.main_thread() and on_interrupt is not None:
            # Beam's own handler would end the engine's server first, and nobody could end the job any more.
            signal.signal(signal.SIGINT, on_interrupt)
        if not only_prepare:
            if url := _dataflow_url(result, pipeline):
                say(f"{runner}: {url}")
            result.wait_until_finish()
    except (KeyboardInterrupt, SystemExit):
        _interrupted(result, pipeline, say)
        raise
    except Exception as error:
        raise _in_our_words(error, runner, log) from error
    return result


def _dataflow_url(result: Any, pipeline: beam.Pipeline) -> str | None:
    if not getattr(result, "has_job", False):
        return None
    given = pipeline.options.get_all_options()
    return (
        f"https://console.cloud.google.com/dataflow/jobs/{given['region']}/{result.job_id()}?project={given['project']}"
    )


def _interrupted(result: Any, pipeline: beam.Pipeline, say: Callable[[str], None]) -> None:
    if getattr(result, "has_job", False):
        given = pipeline.options.get_all_options()
        say(
            f"the job goes on. To end it: gcloud dataflow jobs cancel {result.job_id()} --project {given['project']} "
            f"--region {given['region']}"
        )
        return
    if result is not None:
        with suppress(Exception):  # its server may be gone already
            result.cancel()
    say(f"stopped. {GOES_ON}")


def _in_our_words(error: Exception, runner: str, log: Sequence[str]) -> CocoprepError:
    """Return what a step raised, or else what the engine says of itself."""
    text = str(error)
    if isinstance(error, CocoprepError):
        return type(error)(text.partition(" [while running")[0])
    found = _OURS.findall(text) or _OURS.findall("\n".join(log))
    if found:
        name, message = found[-1]
        kind = getattr(errors, name, CocoprepError)
        return kind(message) if issubclass(kind, CocoprepError) else CocoprepError(message)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    tail = [*list(log)[-TAIL_LINES:], *lines[-TAIL_LINES:]] if len(lines) > 1 or log else []
    return BuildError(
        f"{runner}: the job failed. {GOES_ON} The engine says: {lines[0]}" + "".join(f"\n  {line}" for line in tail)
    )


class _Log(logging.Handler):
    """Keeps what Beam logs, for the case that it is all there is to say of a failure; passes on what a job tells.

    Workers log a failure with its traceback, and then hand it on: once is enough.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say
        self.lines = deque[str](maxlen=LOG_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Take one message."""
        lines = record.getMessage().splitlines()
        if record.name.startswith(JOB_LOGGER) and len(lines) == 1:
            self._say(lines[0])
        elif record.levelno >= logging.WARNING:
            self.lines.extend(lines)


@contextmanager
def _kept_log(say: Callable[[str], None]) -> Iterator[deque[str]]:
    root, job, handler = logging.getLogger(), logging.getLogger(JOB_LOGGER), _Log(say)
    before, level, of_threads = root.handlers, job.level, threading.excepthook
    root.handlers = [handler]
    for logger in (job, *SERVER_LOGGERS):
        logger.setLevel(logging.INFO)
    # Beam's threads that listen to an engine fail when it ends.
    threading.excepthook = lambda failure: handler.lines.append(f"{failure.exc_type.__name__}: {failure.exc_value}")
    try:
        yield handler.lines
    finally:
        root.handlers = before
        job.setLevel(level)
        threading.excepthook = of_threads
        for logger in SERVER_LOGGERS:  # their servers are ended as this process is, and nothing of that matters
            logger.setLevel(logging.CRITICAL)


@contextmanager
def _progress(
    config: BuildConfig, files: FileStore, on_progress: Callable[[JobProgress], None], every_s: float, started: float
) -> Iterator[None]:
    """Look at the output folder from time to time: every engine's shards appear there as they are finished."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(every_s):
            names: list[str] = []
            with suppress(OSError, CocoprepError):  # it may not be there yet, or not to be seen from here
                names = files.list_names(config.out)
            found = [match[1] for match in map(_DONE_SHARD.search, names) if match]
            on_progress(JobProgress(time.monotonic() - started, len(found), int(found[0]) if found else None))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join(timeout=every_s)
