"""How far a command has come: a bar on a terminal, a plain line now and then in a log, both on stderr."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.say import say
from cocoprep.pipelines.monitor import Progress as Done
from cocoprep.pipelines.monitor import Workload
from cocoprep.pose.nouns import Noun, noun_of
from cocoprep.storage.sizes import format_bytes

_RATE_FROM_S = 1.0  # what is done in less says nothing of what is to come
_IMAGE, _SHARD, _WORKER = Noun("image", "images"), Noun("shard", "shards"), Noun("worker", "workers")


class Bar:
    """A context manager. What a command shows extends it.

    Attributes:
        log_interval_s: between two lines where there is no terminal.
        on_terminal: whether there is one.
    """

    log_interval_s = 10.0

    def __init__(self, doing: str, *columns: ProgressColumn) -> None:
        """Make the bar.

        Args:
            doing: what is done, such as "predicting".
            columns: between bar and time left; by default the percentage and the text of `show`.
        """
        console = PlainConsole(stderr=True)
        self.on_terminal = console.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            *(columns or (TextColumn("{task.percentage:3.0f}%  {task.fields[text]}"),)),
            TimeRemainingColumn(),
            console=console,
            disable=not self.on_terminal,
        )
        self._id = self._bar.add_task(doing, total=None, text="")
        self._task = self._bar.tasks[0]
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

    def turn_to(self, doing: str, total: int, done: int = 0) -> None:
        """Go over to something else, of which there is so much, and so much done."""
        self._bar.reset(self._id, description=doing, total=total, completed=done)

    def show(self, done: int, text: str, *, rate: float = 0.0) -> None:
        """Show how much is done, with a text; `rate` a second, where it is known, tells a log the time left."""
        self._bar.update(self._id, completed=done, text=text)
        if self.log_is_due():
            left = f", about {((self._task.total or 0) - done) / rate:.0f} s left" if rate > 0 else ""
            self.say(f"{self._task.description}: {text}{left}")

    def say(self, text: str) -> None:
        """Print a line, above the bar where there is one."""
        if self.on_terminal:
            self._bar.console.print(text)
        else:
            say(text, err=True)

    def log_is_due(self) -> bool:
        """Tell whether a log wants its next line now; the answer yes is given once an interval."""
        now = time.monotonic()
        if self.on_terminal or now - self._logged < self.log_interval_s:
            return False
        self._logged = now
        return True


class CountProgress(Bar):
    """Shows things done, of how many."""

    def __init__(self, doing: str, things: str) -> None:
        """Take what is done with what, such as "verifying" and "shards"."""
        super().__init__(doing)
        self._things, self._began = things, self._started

    def go_on(self, doing: str, things: str) -> None:
        """Go over to other things, of which it is not known how many there are."""
        self._bar.reset(self._id, description=doing, total=None, text="")
        self._things = things

    def update(self, done: int, total: int) -> None:
        """Show the newest counts."""
        now = time.monotonic()
        if not done:  # the time before the first is not theirs
            self._began = now
        rate = _rate(done, now - self._began)
        self._bar.update(self._id, total=total)
        text = f"{done}/{total} {self._things}" + (f"  {rate:.1f} {self._things}/s" if rate else "")
        self.show(done, text, rate=rate or 0.0)


class ByteProgress(Bar):
    """Shows bytes done, of how many. Its methods may be called from any thread."""

    def __init__(self, doing: str) -> None:
        """Take what is done with them, such as "copying"."""
        super().__init__(doing, DownloadColumn(), TransferSpeedColumn())
        self._lock = threading.Lock()

    def plan(self, size: int) -> None:
        """Say how many bytes there are."""
        self._bar.update(self._id, total=size)

    def advance(self, count: int) -> None:
        """Count bytes that are done; a negative number takes some back."""
        with self._lock:
            done = int(self._task.completed) + count
            self.show(done, f"{format_bytes(done)} of {format_bytes(self._task.total or 0)}")


class BuildProgress(Bar):
    """Shows what a build does. `update` is given to `run_local_build`."""

    def __init__(self, workers: int) -> None:
        super().__init__("starting")
        self._workers, self._planned = workers, self._started
        self._workload: Workload | None = None
        self._done = self._before = Done()

    @property
    def done(self) -> Done:
        """Return the last counts."""
        return self._done

    def update(self, workload: Workload | None, done: Done) -> None:
        """Show the newest counts."""
        if workload is None:
            return
        if self._workload is None:
            self._begin(workload, done)
        self._done = done
        rate = _rate(_made(done) - _made(self._before), time.monotonic() - self._planned)
        text = f"{done.images}/{workload.images} images  {done.crops} crops"
        if rate is not None:
            text += f"  {rate:.0f} crops/s"
        if done.reused_crops:
            text += f"  ({done.reused_crops} were there)"
        self.show(done.crops, text, rate=rate or 0.0)

    def _begin(self, workload: Workload, done: Done) -> None:
        self._workload, self._planned, self._before = workload, time.monotonic(), done
        self.turn_to("building", workload.people)
        if not self.on_terminal:
            people = noun_of(workload.category).count(workload.people)
            self.say(f"building: {_IMAGE.count(workload.images)}, {people}, {_SHARD.count(workload.shards)}")
        warn_of_few_shards(workload.shards, self._workers)


def warn_of_few_shards(shards: int, workers: int) -> None:
    """Say so where there are too few shards to keep all workers, of several, busy to the end."""
    if workers > 1 and shards < 4 * workers:
        deal = "deals" if shards == 1 else "deal"
        say(
            f"warning: {_SHARD.count(shards)} for {_WORKER.count(workers)} {deal} the work unevenly; --shards "
            f"{4 * workers} or more would keep all of them busy to the end.",
            err=True,
        )


def _made(done: Done) -> int:
    return done.crops - done.reused_crops


def _rate(done: int, seconds: float) -> float | None:
    """Return how much is done a second; None where the time is too short to tell."""
    return done / seconds if seconds >= _RATE_FROM_S else None
