"""A worker process of a local build: Beam's own, but it ends when anything in it fails.

Beam starts it by way of a shell, which writes into the monitor's folder that it has begun, and with which status the
worker has ended. So that is known whatever ends a worker, the kernel included.
"""

from __future__ import annotations

import shlex
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from cocoprep.pipelines.local.end_on_failure import run_to_the_end
from cocoprep.pipelines.local.light_beam import load_beam

_BEGUN = "worker-"
_BY_SIGNAL = 128  # a shell tells of signal n by the status 128 + n


def worker_command(folder: str) -> str:
    """Return the shell command that runs a worker; `folder` is the monitor's."""
    python, told = shlex.quote(sys.executable), f"{shlex.quote(folder)}/{_BEGUN}$$"
    return f"true > {told}; {python} -P -m cocoprep.pipelines.local.worker; s=$?; echo $s > {told}; exit $s"


@dataclass(frozen=True, slots=True)
class StartedWorker:
    """A worker as the watching process knows it: by the shell that runs it, and the file that shell writes."""

    shell: int
    told: Path

    def status(self) -> int | None:
        """Return the exit status, None while there is none; as in `subprocess`, signal n gives -n."""
        text = self.told.read_text()
        if not text.endswith("\n"):
            return None
        status = int(text)
        return _BY_SIGNAL - status if _BY_SIGNAL < status < _BY_SIGNAL + signal.NSIG else status

    def shell_lives(self) -> bool:
        """Tell whether the shell still runs."""
        try:
            return bool(psutil.Process(self.shell).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False


def started_workers(folder: Path) -> list[StartedWorker]:
    """Return all workers that were ever started."""
    return [StartedWorker(int(path.name.removeprefix(_BEGUN)), path) for path in folder.glob(f"{_BEGUN}*")]


def main() -> None:
    """Work until no worker is needed any more. Beam says in the environment what to do."""
    load_beam()
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main([])


if __name__ == "__main__":
    run_to_the_end(main)
