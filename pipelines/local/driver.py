"""The process that drives a local build: `python -m cocoprep.pipelines.local.driver`, started by `run`.

It leads a process group of its own, with Beam's workers in it, so that one signal ends them all. Its first line of
standard input is the job; the end of that input means that the watching process is gone, and ends the group.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cocoprep.errors import CocoprepError
from cocoprep.pipelines.first_step import run_first_step_ahead
from cocoprep.pipelines.local.end_on_failure import run_to_the_end
from cocoprep.pipelines.local.job import LocalJob
from cocoprep.pipelines.local.light_beam import load_beam
from cocoprep.pipelines.local.worker import worker_command
from cocoprep.pipelines.monitor import Monitor


def _end_with_parent(folder: str) -> None:
    # Unbuffered: a thread that holds the lock of sys.stdin would abort the interpreter at its exit.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    shutil.rmtree(folder, ignore_errors=True)  # nobody else will
    os.killpg(0, signal.SIGKILL)


def run(job: LocalJob) -> None:
    """Run the build pipeline with worker processes on this machine."""
    if job.beam_options:
        load_beam()
        _options(job)  # before anything is touched
    done_ahead = Path(job.folder) / "first-step"
    with ThreadPoolExecutor(max_workers=1) as thread:
        first_step = thread.submit(_first_step, job, done_ahead)

        load_beam()
        import apache_beam as beam
        from apache_beam.runners.portability.fn_api_runner import FnApiRunner
        from apache_beam.transforms.environments import SubprocessSDKEnvironment

        from cocoprep.pipelines.build import BuildShards

        first_step.result()
    # Processes, not threads: Beam's multi_threading mode loses elements without a word.
    workers = SubprocessSDKEnvironment.from_command_string(worker_command(job.folder))
    with beam.Pipeline(runner=FnApiRunner(default_environment=workers), options=_options(job)) as pipeline:
        _ = pipeline | BuildShards(job.config, files=job.files, local_folder=job.folder, done_ahead=done_ahead)


def _first_step(job: LocalJob, answer: Path) -> None:
    with Monitor(job.folder).work_in_hand():
        run_first_step_ahead(answer, job.config, job.files, job.mark)


def _options(job: LocalJob) -> Any:
    from cocoprep.pipelines.options import LOCAL_REFUSED, parse_beam_options

    parse_beam_options(job.beam_options, refused=LOCAL_REFUSED)
    return parse_beam_options([f"--direct_num_workers={job.workers}", *job.beam_options])


def main() -> None:
    """Read the job, watch for the parent's end, run."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    job: LocalJob = pickle.loads(b64decode(sys.stdin.buffer.readline()))  # noqa: S301 - from our own parent
    threading.Thread(target=_end_with_parent, args=(job.folder,), daemon=True).start()
    tempfile.tempdir = job.folder  # Beam makes a folder for itself, which it removes only where it ends by itself
    try:
        run(job)
    except CocoprepError as error:
        Monitor(job.folder).error(error)
        raise


if __name__ == "__main__":
    # Under its own name, so that what is pickled here can be found there.
    from cocoprep.pipelines.local.driver import main as named_main

    run_to_the_end(named_main)
