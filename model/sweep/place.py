"""Where the trials of a sweep lie, and who is at which: locks, which the kernel lets go of however a process ends.

sweep.json      a name of its own, so that trials that lie elsewhere are not taken for its, and its study's
sweep.lock      held for the moment in which a trial is chosen
trial-0007/     a run, as `cocoprep train` makes it
    trial.lock  held by the process that is at it
    output.log  what its process has printed
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cocoprep.errors import ConfigError, OutputError, RecordError
from cocoprep.storage.disk_errors import write_failure
from cocoprep.storage.json_file import write_json
from cocoprep.storage.local import LocalFiles
from cocoprep.storage.paths import real_path
from cocoprep.storage.user_file import check_output_folder

OWN_NAME, LOCK, TRIAL_LOCK, OUTPUT = "sweep.json", "sweep.lock", "trial.lock", "output.log"
POLL_S, PATIENCE_S = 0.1, 10.0


class Lock:
    """Held until `release`, or until the process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def try_lock(path: str) -> Lock | None:
    """Hold a file; return None where another process does. Raises OutputError where there can be no file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise OutputError(write_failure(path, error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        return None
    except OSError:
        pass  # some mounted drives know no locks: there a sweep is one process, as docs/tuning.md says
    return Lock(descriptor)


class Place:
    """The folder of a sweep's trials."""

    def __init__(self, path: str) -> None:
        """Make the folder.

        Raises:
            ConfigError: it would lie in a bucket.
            OutputError: it cannot be made.
        """
        if "://" in path:
            raise ConfigError(
                f"--run-dir: expected a folder of this machine, found {path}: runs cannot be in a bucket."
            )
        self.path, self._files = path, LocalFiles()
        check_output_folder(path, self._files, option="--run-dir")
        self._files.make_folder(path)
        self.name = ""

    def bind(self, study: str) -> None:
        """Have the folder belong to a study, by a name that no other has.

        Raises:
            ConfigError: it belongs to another.
            RecordError: what says so cannot be read.
        """
        path = self.at(OWN_NAME)
        if not self._files.exists(path):
            write_json(path, {"name": uuid.uuid4().hex, "study": study}, self._files)
        try:
            found = json.loads(self._files.read_bytes(path))
            name, owner = found["name"], found["study"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise RecordError(f"{path}: is not what a sweep writes. Choose another --run-dir.") from error
        if not isinstance(name, str) or owner != study:
            raise ConfigError(
                f"--run-dir: {self.path} has the trials of another study. Name that study's database by --study, or "
                "choose another --run-dir; if the database is gone, move the folder away."
            )
        self.name = name

    def at(self, name: str) -> str:
        """Return the path of a name in the folder."""
        return os.path.join(self.path, name)

    def trial(self, number: int) -> str:
        """Return the path of a trial's folder."""
        return self.at(f"trial-{number:04d}")

    def as_record(self) -> dict[str, str]:
        """Return what a trial remembers of where it lies."""
        return {"name": self.name, "host": socket.gethostname(), "path": real_path(self.path)}

    def owns(self, record: Mapping[str, Any]) -> bool:
        """Tell whether a trial lies here; a folder that was removed and made anew on this machine is the same."""
        ours = self.as_record()
        same_path = record.get("host") == ours["host"] and record.get("path") == ours["path"]
        return record.get("name") == self.name or same_path

    def hold_trial(self, number: int) -> Lock | None:
        """Keep others from a trial; None where another process is at it."""
        self._files.make_folder(self.trial(number))
        return try_lock(os.path.join(self.trial(number), TRIAL_LOCK))

    @contextmanager
    def alone(self, on_wait: Callable[[str], None] = lambda text: None) -> Iterator[None]:
        """Be the only process that chooses a trial; `on_wait` is told where that takes long."""
        began, told = time.monotonic(), False
        while (lock := try_lock(self.at(LOCK))) is None:
            time.sleep(POLL_S)
            if not told and time.monotonic() - began > PATIENCE_S:
                on_wait(f"waiting for another process of this sweep, which holds {self.at(LOCK)}")
                told = True
        try:
            yield
        finally:
            lock.release()
