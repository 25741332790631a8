"""How far a command has come with its people: a bar on a terminal, plain lines in a log, both on stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

LOG_INTERVAL_S = 10.0


class PeopleProgress:
    """Shows people done, of how many; a context manager."""

    def __init__(self, doing: str) -> None:
        """Take what is done with them, such as "predicting"."""
        self._doing = doing
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f}%  {task.fields[text]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(doing, total=None, text="")
        self._began = self._logged = time.monotonic()

    def __enter__(self) -> PeopleProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, done: int, total: int) -> None:
        """Show the newest counts."""
        now = time.monotonic()
        if not done:  # the time before the first is not theirs
            self._began = now
        rate = done / max(now - self._began, 1e-3)
        text = f"{done}/{total} people" + (f"  {rate:.1f} people/s" if done else "")
        self._bar.update(self._task, completed=done, total=total, text=text)
        if not self._console.is_terminal and now - self._logged >= LOG_INTERVAL_S:
            self._logged = now
            left = f", about {(total - done) / rate:.0f} s left" if rate > 0 else ""
            self.say(f"{self._doing}: {text}{left}")

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._console.is_terminal:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)
