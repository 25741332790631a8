"""What can be seen from outside of the driver and its workers: whether one was lost, and whether all stand still."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from cocoprep.pipelines.local.worker import started_workers

_STILL_S = 0.03  # of processor time between two looks: those that only wait wake up now and then
_NOT_WAITING = {psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP, psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}


def lost_workers(folder: Path) -> list[str]:
    """Say how each worker ended that did not end by itself; `folder` is the monitor's."""
    lost = []
    for worker in started_workers(folder):
        lives = worker.shell_lives()  # asked first: what it had to tell is in the file once it is gone
        status = worker.status()
        if status or (status is None and not lives):
            lost.append("unknown" if status is None else str(status))
    return lost


class Stillness:
    """Counts for how many looks in a row a process and all below it have done nothing but wait.

    Looks are counted, not seconds: while this process itself is stopped, nobody looks.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._used_s = 0.0
        self.looks = 0

    def look(self) -> None:
        """Look once."""
        used_s, waiting = _used(self._root)
        still = waiting and abs(used_s - self._used_s) < _STILL_S
        self._used_s, self.looks = used_s, self.looks + 1 if still else 0

    def reset(self) -> None:
        """Begin to count anew."""
        self.looks = 0


def _used(root: int) -> tuple[float, bool]:
    """Return the processor seconds that a process and all below it have used, and whether all of them wait."""
    used_s, waiting = 0.0, True
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess), each.oneshot():
                times = each.cpu_times()
                used_s += times.user + times.system
                waiting = waiting and each.status() not in _NOT_WAITING
    return used_s, waiting
