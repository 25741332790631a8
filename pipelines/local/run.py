"""Run a build on this machine: every core, nothing downloaded, nothing lost, no hang, no process left behind.

The pipeline runs in a process group of its own (`driver`, which has Beam start each `worker`), and this process only
watches: it stays light, and ends the whole group when a worker is lost or all of them are stuck, where Beam would wait
for ever, or when it is interrupted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.output import sweep_temporaries
from cocoprep.builder.under_way import kept_fresh, new_mark
from cocoprep.errors import BuildError, CocoprepError
from cocoprep.pipelines.local.job import LocalJob
from cocoprep.pipelines.local.process_tree import Stillness, lost_workers
from cocoprep.pipelines.monitor import MonitorReader, Progress, Workload, reserve_space
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.disk_errors import no_temporary
from cocoprep.storage.held_folder import held_folder
from cocoprep.storage.paths import BUCKET_SCHEME
from cocoprep.storage.store import FileStore
from cocoprep.workers import default_workers

POLL_S = 0.1
LOOK_S = 0.5
STUCK_LOOKS = 40
LOG_LINES = 1000
LOG_TAIL_LINES = 15

# glibc gives freed memory back to the system at every crop, and faults it in again at the next.
MALLOC_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "268435456", "MALLOC_TRIM_THRESHOLD_": "268435456"}


def run_local_build(
    config: BuildConfig,
    *,
    workers: int | None = None,
    beam_options: Sequence[str] = (),
    files: FileStore = AnyFiles(),
    on_progress: Callable[[Workload | None, Progress], None] = lambda workload, progress: None,
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
        BuildError: a worker or the driver was lost, could not start, or failed in a way nobody expected.
    """
    with held_folder() as folder:
        _reserve(folder)
        monitor = MonitorReader(Path(folder))
        mark = new_mark()
        job = LocalJob(config, workers or default_workers(), folder, tuple(beam_options), files, mark)
        try:
            with kept_fresh(config.out, mark, files), _driver(job) as (driver, log):
                wrong = _watch(driver, monitor, Path(folder), on_progress)
        finally:
            _sweep(config, monitor, files)
        if monitor.finished():
            return monitor.counters()
        raise monitor.error() or _unexpected(wrong or _how_it_ended(driver), log)


def _sweep(config: BuildConfig, monitor: MonitorReader, files: FileStore) -> None:
    """Remove what killed workers were writing; not where this build was refused: what lies there is another's then."""
    # In a bucket nothing has a temporary name.
    if monitor.workload() is not None and not config.out.startswith(BUCKET_SCHEME):
        with suppress(CocoprepError):  # what ended the build is to be told
            sweep_temporaries(config.out, files)


def _reserve(folder: str) -> None:
    try:
        reserve_space(folder)
    except OSError as error:
        raise no_temporary(error) from error


@contextmanager
def _driver(job: LocalJob) -> Iterator[tuple[subprocess.Popen[bytes], deque[bytes]]]:
    """Start the driver, give it and what it and its workers log, and end them all."""
    # Kept here and in no file: Beam's workers print a failure before they report it, and where a full disk kept
    # them from printing, nobody would ever hear of it.
    log = deque[bytes](maxlen=LOG_LINES)
    try:
        driver = _start_driver()
    except OSError as error:
        raise _unexpected(f"the process that drives the build cannot be started: {error}", log) from error
    reader = threading.Thread(target=_keep_log, args=(driver, log), daemon=True)
    try:
        try:
            reader.start()
        except RuntimeError as error:
            raise _unexpected(f"the build cannot be watched: {error}", log) from error
        _hand_over(job, driver)
        yield driver, log
    finally:
        _end_group(driver)
        if reader.ident is not None:
            reader.join(timeout=5)


def _start_driver() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "cocoprep.pipelines.local.driver"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True, env={**os.environ, **MALLOC_ENVIRONMENT},
    )  # fmt: skip


def _hand_over(job: LocalJob, driver: subprocess.Popen[bytes]) -> None:
    if driver.stdin is not None:
        with suppress(BrokenPipeError):
            driver.stdin.write(job.to_line())
            driver.stdin.flush()


def _keep_log(driver: subprocess.Popen[bytes], log: deque[bytes]) -> None:
    if driver.stdout is not None:
        with driver.stdout as lines:
            log.extend(lines)


def _watch(
    driver: subprocess.Popen[bytes],
    monitor: MonitorReader,
    folder: Path,
    on_progress: Callable[[Workload | None, Progress], None],
) -> str | None:
    """Report progress until the work is done, a worker has failed or was lost, all are stuck or the driver has ended.

    Once the manifest is written, or the build has failed, there is nothing to wait for in Beam's way to end.

    Returns:
        What is wrong, in words, where it is not for the driver to tell.
    """
    stillness, next_look = Stillness(driver.pid), time.monotonic() + LOOK_S
    wrong = None
    while driver.poll() is None and monitor.error() is None and not monitor.finished() and wrong is None:
        on_progress(monitor.workload(), monitor.progress())
        with suppress(subprocess.TimeoutExpired):
            driver.wait(POLL_S)
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + LOOK_S
            wrong = _lost(folder) or _stuck(stillness, monitor)
    on_progress(monitor.workload(), monitor.progress())
    # A driver that ends because a worker was lost may be faster than the look that finds that out.
    return wrong or (None if monitor.finished() else _lost(folder))


def _lost(folder: Path) -> str | None:
    lost = lost_workers(folder)
    return f"a worker process ended in the middle of its work (exit status {', '.join(lost)})" if lost else None


def _stuck(stillness: Stillness, monitor: MonitorReader) -> str | None:
    """Tell of a build in which nothing moves, unless work of ours is in hand: that may take as long as it takes."""
    if monitor.work_in_hand():
        stillness.reset()
        return None
    stillness.look()
    if stillness.looks < STUCK_LOOKS:
        return None
    return f"the build is stuck: for {STUCK_LOOKS * LOOK_S:.0f} s all its processes have waited for each other"


def _end_group(driver: subprocess.Popen[bytes]) -> None:
    """End the driver and all its workers. Every write is to a temporary name, so no file is broken by it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    if driver.stdin is not None:
        with suppress(BrokenPipeError):
            driver.stdin.close()


def _how_it_ended(driver: subprocess.Popen[bytes]) -> str:
    return f"the process that drives the build ended early (exit status {driver.returncode})"


def _unexpected(what: str, log: Sequence[bytes]) -> BuildError:
    tail = "".join(f"\n  {line.decode(errors='replace').rstrip()}" for line in list(log)[-LOG_TAIL_LINES:])
    return BuildError(
        f"{what}. Status -9, or a log that speaks of memory or threads, most likely means that memory ran short: try "
        "fewer --workers, or raise the limit where one is set (ulimit -v). Finished shards are kept: the same "
        "command goes on where it stopped." + (f" The end of the log:{tail}" if tail else "")
    )
