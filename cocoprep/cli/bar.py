"""What the progress of every command is made of: a bar on a terminal, plain lines in a log, both on stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn


class Bar:
    """A context manager. A command's own progress extends it.

    Attributes:
        log_interval_s: between two lines where there is no terminal.
    """

    log_interval_s = 10.0

    def __init__(self, doing: str, *columns: ProgressColumn) -> None:
        """Make the bar.

        Args:
            doing: what is done, such as "predicting".
            columns: between bar and time left; by default the percentage and the field `text`.
        """
        console = Console(stderr=True)
        self.on_terminal = console.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            *(columns or (TextColumn("{task.percentage:3.0f}%  {task.fields[text]}"),)),
            TimeRemainingColumn(),
            console=console,
            disable=not self.on_terminal,
        )
        self._task = self._bar.add_task(doing, total=None, text="")
        self._started = self._logged = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bar as it is and give the terminal back."""
        self._bar.stop()

    @property
    def seconds(self) -> float:
        """Return the time since the start."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """Print a line, above the bar where there is one."""
        if self.on_terminal:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def log_is_due(self) -> bool:
        """Tell whether a log wants its next line now; the answer yes is given once an interval."""
        now = time.monotonic()
        if self.on_terminal or now - self._logged < self.log_interval_s:
            return False
        self._logged = now
        return True
