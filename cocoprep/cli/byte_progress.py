"""How far a command has come with its bytes: a bar on a terminal, plain lines in a log, both on stderr."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from cocoprep.receive import in_words

LOG_INTERVAL_S = 10.0


class ByteProgress:
    """Shows bytes done, of how many; a context manager. Its methods may be called from any thread."""

    def __init__(self, doing: str) -> None:
        """Take what is done with them, such as "copying"."""
        self._doing = doing
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(doing, total=None)
        self._lock = threading.Lock()
        self._total = self._done = 0
        self._started = self._logged = time.monotonic()

    def __enter__(self) -> ByteProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    @property
    def seconds(self) -> float:
        """Return the time since the start."""
        return time.monotonic() - self._started

    def plan(self, size: int) -> None:
        """Say how many bytes there are."""
        with self._lock:
            self._total = size
            self._bar.update(self._task, total=size)

    def advance(self, count: int) -> None:
        """Count bytes that are done; a negative number takes some back."""
        with self._lock:
            self._done += count
            self._bar.update(self._task, completed=self._done)
            now = time.monotonic()
            if not self._console.is_terminal and now - self._logged >= LOG_INTERVAL_S:
                self._logged = now
                done = f"{in_words(self._done)} of {in_words(self._total)}"
                print(f"{self._doing}: {done}", file=sys.stderr, flush=True)
