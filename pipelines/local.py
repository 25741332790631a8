"""Run a build on this machine: every core, nothing downloaded, nothing lost, no hang, no process left behind.

The pipeline runs in a process group of its own (`pipelines.local_driver`) and this process only watches: it stays
light, sees a lost worker where Beam would wait for ever, and ends the whole group when it is interrupted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from cocoprep.config import BuildConfig
from cocoprep.errors import BuildError
from cocoprep.files import LocalFiles, remove_temporaries
from cocoprep.monitor import MonitorReader, Plan, Progress
from cocoprep.workers import default_workers
from pipelines.local_driver import LocalJob

POLL_S = 0.1
GRACE_S = 10.0  # Beam itself notices most lost workers within 8 s
LOG_TAIL_LINES = 15

# glibc gives freed memory back to the system at every crop, and faults it in again at the next.
MALLOC_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "268435456", "MALLOC_TRIM_THRESHOLD_": "268435456"}


def run_local_build(
    config: BuildConfig,
    *,
    workers: int | None = None,
    beam_options: Sequence[str] = (),
    on_progress: Callable[[Plan | None, Progress], None] = lambda plan, progress: None,
) -> None:
    """Build with worker processes on this machine.

    Args:
        config: what to build.
        workers: how many worker processes; by default one a core.
        beam_options: further options in Beam's own spelling.
        on_progress: called about ten times a second.

    Raises:
        CocoprepError: what a worker reported, with its class.
        BuildError: a worker or the driver was lost, or failed in a way nobody expected.
    """
    with tempfile.TemporaryDirectory(prefix="cocoprep-") as folder:
        monitor, log = MonitorReader(Path(folder)), Path(folder) / "log"
        job = LocalJob(config, workers or default_workers(), folder, tuple(beam_options))
        with log.open("wb") as log_stream:
            driver = _start_driver(job, log_stream.fileno())
        try:
            _watch(driver, monitor, on_progress)
        finally:
            _end_group(driver)
            remove_temporaries(LocalFiles(), config.out)
        if driver.returncode == 0 and monitor.finished():
            return
        raise monitor.error() or _unexpected(driver.returncode, monitor, log)


def _start_driver(job: LocalJob, log: int) -> subprocess.Popen[bytes]:
    driver = subprocess.Popen(
        [sys.executable, "-m", "pipelines.local_driver"],
        stdin=subprocess.PIPE, stdout=log, stderr=log,
        start_new_session=True, env={**os.environ, **MALLOC_ENVIRONMENT},
    )  # fmt: skip
    if driver.stdin is not None:
        with suppress(BrokenPipeError):
            driver.stdin.write(job.to_line())
            driver.stdin.flush()
    return driver


def _watch(
    driver: subprocess.Popen[bytes], monitor: MonitorReader, on_progress: Callable[[Plan | None, Progress], None]
) -> None:
    """Return when the driver has ended, or a worker is lost and the driver has had time to notice."""
    lost_at: float | None = None
    while driver.poll() is None:
        on_progress(monitor.plan(), monitor.progress())
        if lost_at is None and not monitor.finished() and _lost_workers(monitor):
            lost_at = time.monotonic()
        if lost_at is not None and not monitor.finished() and time.monotonic() - lost_at > GRACE_S:
            return
        with suppress(subprocess.TimeoutExpired):
            driver.wait(POLL_S)
    on_progress(monitor.plan(), monitor.progress())


def _lost_workers(monitor: MonitorReader) -> list[int]:
    return [pid for pid in monitor.worker_pids() if not _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_group(driver: subprocess.Popen[bytes]) -> None:
    """End the driver and all its workers. Every write is to a temporary name, so no file is broken by it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    if driver.stdin is not None:
        with suppress(BrokenPipeError):
            driver.stdin.close()


def _unexpected(returncode: int | None, monitor: MonitorReader, log: Path) -> BuildError:
    lost = _lost_workers(monitor) if not monitor.finished() else []
    tail = "\n".join("  " + line for line in log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
    return BuildError(
        f"the build ended early: exit status {returncode} of its driver, {len(lost)} worker processes lost. A process "
        "that ends without a word was most likely killed, for example by the kernel for memory: try fewer --workers. "
        f"Finished shards are kept; the same command goes on where it stopped. The end of the log:\n{tail}"
    )
