"""How far a command has come with its bytes: a bar on a terminal, plain lines in a log, both on stderr."""

from __future__ import annotations

import threading

from rich.progress import DownloadColumn, TransferSpeedColumn

from cocoprep.cli.bar import Bar
from cocoprep.storage.sizes import format_bytes


class ByteProgress(Bar):
    """Shows bytes done, of how many. Its methods may be called from any thread."""

    def __init__(self, doing: str) -> None:
        """Take what is done with them, such as "copying"."""
        super().__init__(doing, DownloadColumn(), TransferSpeedColumn())
        self._doing = doing
        self._lock = threading.Lock()
        self._total = self._done = 0

    def plan(self, size: int) -> None:
        """Say how many bytes there are."""
        with self._lock:
            self._total = size
            self._bar.update(self._task, total=size)

    def begin(self, doing: str, size: int) -> None:
        """Go over to something else, of so many bytes, none of them done."""
        with self._lock:
            self._doing, self._total, self._done = doing, size, 0
            self._bar.reset(self._task, description=doing, total=size)

    def advance(self, count: int) -> None:
        """Count bytes that are done; a negative number takes some back."""
        with self._lock:
            self._done += count
            self._bar.update(self._task, completed=self._done)
            if self.log_is_due():
                self.say(f"{self._doing}: {format_bytes(self._done)} of {format_bytes(self._total)}")
