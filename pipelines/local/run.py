"""Run a build on this machine: every core, nothing downloaded, nothing lost, no hang, no process left behind.

The pipeline runs in a process group of its own (`driver`) and this process only watches: it stays
light, and ends the whole group when a worker is lost, where Beam would wait for ever, or when it is interrupted.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.output import sweep_temporaries
from cocoprep.errors import BuildError, OutputError
from cocoprep.pipelines.local.job import LOST_WORKER, LocalJob
from cocoprep.pipelines.monitor import MonitorReader, Plan, Progress, reserve_space
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.paths import BUCKET_SCHEME
from cocoprep.storage.store import FileStore
from cocoprep.workers import default_workers

POLL_S = 0.1
LOG_LINES = 1000
LOG_TAIL_LINES = 15
_LOST_WORKER = re.compile(r"Worker subprocess exited with return code (-?\d+)")  # Beam's words

# glibc gives freed memory back to the system at every crop, and faults it in again at the next.
MALLOC_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "268435456", "MALLOC_TRIM_THRESHOLD_": "268435456"}


def run_local_build(
    config: BuildConfig,
    *,
    workers: int | None = None,
    beam_options: Sequence[str] = (),
    files: FileStore = AnyFiles(),
    on_progress: Callable[[Plan | None, Progress], None] = lambda plan, progress: None,
) -> dict[str, int]:
    """Build with worker processes on this machine, and return what they counted: see `cocoprep.pipelines.counters`.

    Args:
        config: what to build.
        workers: how many worker processes; by default one a core.
        beam_options: further options in Beam's own spelling.
        files: where paths lie; by default, on this machine or in a bucket, as each says.
        on_progress: called about ten times a second.

    Raises:
        CocoprepError: what a worker reported, with its class.
        BuildError: a worker or the driver was lost, or failed in a way nobody expected.
    """
    with tempfile.TemporaryDirectory(prefix="cocoprep-") as folder:
        _reserve(folder)
        monitor = MonitorReader(Path(folder))
        job = LocalJob(config, workers or default_workers(), folder, tuple(beam_options), files)
        driver = _start_driver(job)
        # Kept here and in no file: Beam's workers print a failure before they report it, and where a full disk kept
        # them from printing, nobody would ever hear of it.
        log = deque[bytes](maxlen=LOG_LINES)
        reader = threading.Thread(target=_keep_log, args=(driver, log), daemon=True)
        reader.start()
        try:
            _watch(driver, monitor, on_progress)
        finally:
            _end_group(driver)
            reader.join(timeout=5)
            if not config.out.startswith(BUCKET_SCHEME):  # where nothing has a temporary name
                sweep_temporaries(config.out, files)
        if monitor.finished():
            return monitor.counters()
        raise monitor.error() or _unexpected(driver, log)


def _reserve(folder: str) -> None:
    try:
        reserve_space(folder)
    except OSError as error:
        raise OutputError(
            f"cannot write {folder}: {error.strerror or error}. Free some space there, or set TMPDIR to a folder on "
            "another disk."
        ) from error


def _start_driver(job: LocalJob) -> subprocess.Popen[bytes]:
    driver = subprocess.Popen(
        [sys.executable, "-P", "-m", "cocoprep.pipelines.local.driver"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True, env={**os.environ, **MALLOC_ENVIRONMENT},
    )  # fmt: skip
    if driver.stdin is not None:
        with suppress(BrokenPipeError):
            driver.stdin.write(job.to_line())
            driver.stdin.flush()
    return driver


def _keep_log(driver: subprocess.Popen[bytes], log: deque[bytes]) -> None:
    if driver.stdout is not None:
        with driver.stdout as lines:
            log.extend(lines)


def _watch(
    driver: subprocess.Popen[bytes], monitor: MonitorReader, on_progress: Callable[[Plan | None, Progress], None]
) -> None:
    """Report progress until the work is done, a worker has failed or the driver has ended.

    Once the manifest is written, or the build has failed, there is nothing to wait for in Beam's way to end.
    """
    while driver.poll() is None and monitor.error() is None and not monitor.finished():
        on_progress(monitor.plan(), monitor.progress())
        with suppress(subprocess.TimeoutExpired):
            driver.wait(POLL_S)
    on_progress(monitor.plan(), monitor.progress())


def _end_group(driver: subprocess.Popen[bytes]) -> None:
    """End the driver and all its workers. Every write is to a temporary name, so no file is broken by it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    if driver.stdin is not None:
        with suppress(BrokenPipeError):
            driver.stdin.close()


def _unexpected(driver: subprocess.Popen[bytes], log: Sequence[bytes]) -> BuildError:
    lines = [line.decode(errors="replace").rstrip() for line in log]
    statuses = [match[1] for match in map(_LOST_WORKER.search, lines) if match]
    if driver.returncode == LOST_WORKER:
        what = f"a worker process ended in the middle of its work (exit status {', '.join(statuses)})"
    else:
        what = f"the process that drives the build ended early (exit status {driver.returncode})"
    tail = "".join(f"\n  {line}" for line in lines[-LOG_TAIL_LINES:])
    return BuildError(
        f"{what}. Status -9 most likely means that the kernel ended it for want of memory: try fewer --workers. "
        f"Finished shards are kept: the same command goes on where it stopped. The end of the log:{tail}"
    )
