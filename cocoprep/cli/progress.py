"""Live progress of a build: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cocoprep.monitor import Plan
from cocoprep.monitor import Progress as Done

LOG_INTERVAL_S = 10.0


class BuildProgress:
    """Shows what a build does; a context manager. `update` is given to `run_local_build`."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f}%  {task.fields[text]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=None, text="")
        self._started = self._planned = self._logged = time.monotonic()
        self._plan: Plan | None = None
        self._done = Done()

    def __enter__(self) -> BuildProgress:
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

    @property
    def done(self) -> Done:
        """Return the last counts."""
        return self._done

    def update(self, plan: Plan | None, done: Done) -> None:
        """Show the newest counts."""
        if plan is None:
            return
        if self._plan is None:
            self._begin(plan)
        self._done = done
        rate = (done.crops - done.reused_crops) / max(time.monotonic() - self._planned, 1e-3)
        text = f"{done.images}/{plan.images} images  {done.crops} crops  {rate:.0f} crops/s"
        if done.reused_crops:
            text += f"  ({done.reused_crops} were there)"
        self._bar.update(self._task, completed=done.crops, text=text)
        if not self._console.is_terminal and time.monotonic() - self._logged >= LOG_INTERVAL_S:
            self._logged = time.monotonic()
            left = (plan.people - done.crops) / rate if rate > 0 else float("inf")
            print(f"building: {text}, about {left:.0f} s left", file=sys.stderr, flush=True)

    def _begin(self, plan: Plan) -> None:
        self._plan, self._planned = plan, time.monotonic()
        self._bar.update(self._task, description="building", total=plan.people)
        if not self._console.is_terminal:
            print(
                f"building: {plan.images} images, {plan.people} people, {plan.shards} shards",
                file=sys.stderr,
                flush=True,
            )
        warn_of_few_shards(plan.shards, self._workers)


def warn_of_few_shards(shards: int, workers: int) -> None:
    """Say so where there are too few shards to keep all workers busy to the end."""
    if shards < 4 * workers:
        click.echo(
            f"warning: {shards} shards for {workers} workers deal the work unevenly; --shards {4 * workers} or more "
            "would keep all of them busy to the end.",
            err=True,
        )
