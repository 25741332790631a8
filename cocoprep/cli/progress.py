"""Live progress of a build: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import time

import click

from cocoprep.cli.bar import Bar
from cocoprep.pipelines.monitor import Plan
from cocoprep.pipelines.monitor import Progress as Done


class BuildProgress(Bar):
    """Shows what a build does. `update` is given to `run_local_build`."""

    def __init__(self, workers: int) -> None:
        super().__init__("starting")
        self._workers, self._planned = workers, self._started
        self._plan: Plan | None = None
        self._done = Done()

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
        if self.log_is_due():
            left = f", about {(plan.people - done.crops) / rate:.0f} s left" if rate > 0 else ""
            self.say(f"building: {text}{left}")

    def _begin(self, plan: Plan) -> None:
        self._plan, self._planned = plan, time.monotonic()
        self._bar.update(self._task, description="building", total=plan.people)
        if not self.on_terminal:
            self.say(f"building: {plan.images} images, {plan.people} people, {plan.shards} shards")
        warn_of_few_shards(plan.shards, self._workers)


def warn_of_few_shards(shards: int, workers: int) -> None:
    """Say so where there are too few shards to keep all workers busy to the end."""
    if shards < 4 * workers:
        click.echo(
            f"warning: {shards} shards for {workers} workers deal the work unevenly; --shards {4 * workers} or more "
            "would keep all of them busy to the end.",
            err=True,
        )
