"""The process that drives a local build: `python -m cocoprep.pipelines.local.driver`, started by `run`.

It leads a process group of its own, with Beam's workers in it, so that one signal ends them all. Its first line of
standard input is the job; the end of that input means that the watching process is gone, and ends the group.
"""

from __future__ import annotations

import logging
import os
import pickle
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

from cocoprep.errors import ConfigError
from cocoprep.pipelines.fresh_process import lost_aside, start_aside
from cocoprep.pipelines.local.job import LOST_WORKER, WORKER_THREAD, LocalJob
from cocoprep.pipelines.monitor import Monitor, MonitorReader
from cocoprep.pose.tables import COCO_17

GRACE_S = 1.0


def _end_with_parent(folder: str) -> None:
    # Unbuffered: a thread that holds the lock of sys.stdin would abort the interpreter at its exit.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    shutil.rmtree(folder, ignore_errors=True)  # nobody else will
    os.killpg(0, signal.SIGKILL)


def _end_on_lost_worker(monitor: MonitorReader) -> None:
    """End this process when a worker does before the work is done: Beam would wait for it, in some cases for ever.

    Beam waits for each worker on a thread of its own, which raises where the worker's exit status is not 0.
    """
    report = threading.excepthook

    def end(failure: threading.ExceptHookArgs) -> None:
        report(failure)
        if failure.thread is None or failure.thread.name != WORKER_THREAD:
            time.sleep(GRACE_S)  # a thread that listens to a worker may fail before the worker's end is told
        if not monitor.finished():
            sys.stderr.flush()
            os._exit(LOST_WORKER)

    threading.excepthook = end


def run(job: LocalJob) -> None:
    """Run the build pipeline with worker processes on this machine."""
    if job.beam_options:
        _parse(job)  # before anything is touched
    # The first step needs no Beam, and Beam takes a second to come up: they do it side by side.
    started_ahead = Path(job.folder) / "started"
    first_step = start_aside(started_ahead, "cocoprep.builder.start:start_build", job.config, COCO_17, job.files)

    import apache_beam as beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    from cocoprep.pipelines.build import BuildShards

    # Processes, not threads: Beam's multi_threading mode loses elements without a word.
    environment = _worker_processes(job)
    threading.Thread(target=_report_if_lost, args=(first_step, Monitor(job.folder)), daemon=True).start()
    runner = FnApiRunner(default_environment=environment)
    with beam.Pipeline(runner=runner, options=_parse(job)) as pipeline:
        _ = pipeline | BuildShards(job.config, files=job.files, local_folder=job.folder, started_ahead=started_ahead)


def _worker_processes(job: LocalJob) -> Any:
    """Return the environment in which Beam finds its workers."""
    if job.fork:
        from cocoprep.pipelines.local.forked_workers import fork_workers

        return fork_workers(job.workers)
    from apache_beam.transforms.environments import SubprocessSDKEnvironment

    command = f"exec {shlex.quote(sys.executable)} -P -m apache_beam.runners.worker.sdk_worker_main"
    return SubprocessSDKEnvironment.from_command_string(command)


def _parse(job: LocalJob) -> Any:
    from cocoprep.pipelines.options import LOCAL_REFUSED, parse_beam_options

    parse_beam_options(job.beam_options, refused=LOCAL_REFUSED)
    return parse_beam_options([f"--direct_num_workers={job.workers}", *job.beam_options])


def _report_if_lost(first_step: subprocess.Popen[bytes], monitor: Monitor) -> None:
    if first_step.wait() != 0:
        monitor.error(lost_aside(first_step.returncode))


def main() -> None:
    """Read the job, watch for the parent's end, run."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    job: LocalJob = pickle.loads(b64decode(sys.stdin.buffer.readline()))  # noqa: S301 - from our own parent
    threading.Thread(target=_end_with_parent, args=(job.folder,), daemon=True).start()
    _end_on_lost_worker(MonitorReader(Path(job.folder)))
    try:
        run(job)
    except ConfigError as error:
        Monitor(job.folder).error(error)
        raise


if __name__ == "__main__":
    # Under its own name, so that what is pickled here can be found there.
    from cocoprep.pipelines.local.driver import main as named_main

    named_main()
