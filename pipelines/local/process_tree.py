"""What can be seen from outside of the driver and its workers: whether one was lost, and whether all stand still."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from cocoprep.pipelines.local.worker import started_workers

_STILL_S = 0.03  # of processor time between two looks: a process that only waits wakes up now and then
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
        self._used_s: dict[int, float] = {}
        self.looks = 0

    def look(self) -> None:
        """Look once."""
        used_s, waiting = _used(self._root)
        same = used_s.keys() == self._used_s.keys()
        still = waiting and same and all(used_s[pid] - self._used_s[pid] < _STILL_S for pid in used_s)
        self._used_s, self.looks = used_s, self.looks + 1 if still else 0

    def reset(self) -> None:
        """Begin to count anew."""
        self.looks = 0


def _used(root: int) -> tuple[dict[int, float], bool]:
    """Return the processor seconds of a process and of all below it, by process id, and whether all of them wait."""
    used_s, waiting = {}, True
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess), each.oneshot():
                times = each.cpu_times()
                used_s[each.pid] = times.user + times.system
                # Elsewhere than on Linux, a process that waits counts as running: its processor time has to do.
                waiting = waiting and not (psutil.LINUX and each.status() in _NOT_WAITING)
    return used_s, waiting
