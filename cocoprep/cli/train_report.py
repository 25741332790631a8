"""What a training run shows: a bar on a terminal, plain lines in a log, a row of figures for each epoch."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from cocoprep.cli.progress import Bar
from cocoprep.cli.say import say

RATE_STEPS = 100  # over which people/s is measured: it should tell of now
# (heading, figure, whose, width, decimals): the columns of an epoch's row, which fits a terminal of 80 characters
COLUMNS = (
    ("loss", "loss", "train", 7, 4),
    ("skill", "skill", "train", 7, 3),
    ("PCK@.2", "pck@0.2", "train", 7, 3),
    ("loss", "loss", "val", 8, 4),
    ("skill", "skill", "val", 7, 3),
    ("PCK@.2", "pck@0.2", "val", 7, 3),
    ("guess", "pck@0.2_guess", "val", 6, 3),
    ("PCK@.1", "pck@0.1", "val", 7, 3),
    ("guess", "pck@0.1_guess", "val", 6, 3),
    ("swap", "swapped", "val", 6, 3),
    ("AP", "AP", "val", 6, 3),
)
EPOCH_WIDTH = 5
LONGEST_SOURCE = 40  # characters of its name that are shown
# (heading, figure, width, decimals): of a source's row in the table at the end
SOURCE_COLUMNS = (
    ("loss", "loss", 8, 4),
    ("skill", "skill", 7, 3),
    ("PCK@.2", "pck@0.2", 8, 3),
    ("guess", "pck@0.2_guess", 7, 3),
    ("PCK@.1", "pck@0.1", 8, 3),
    ("guess", "pck@0.1_guess", 7, 3),
    ("swap", "swapped", 7, 3),
    ("AP", "AP", 7, 3),
)


class TrainReport(Bar):
    """Shows how a run goes on; a `cocoprep.model.training.train.Reporter`."""

    log_interval_s = 30.0

    def __init__(self) -> None:
        super().__init__("starting")
        # (time, step), from the end of the first step on: that one waits for the network to be compiled.
        self._recent: deque[tuple[float, int]] = deque(maxlen=RATE_STEPS + 1)
        self._step = self._steps = self._steps_per_epoch = self._rows = 0
        self._people_per_step, self._called = 0, "people"

    def begin(
        self,
        *,
        run: str,
        step: int,
        steps: int,
        steps_per_epoch: int,
        people: int,
        parameters: int,
        devices: str,
        called: str = "people",
    ) -> None:
        """See `Reporter`."""
        self._step, self._called = step, called
        self._steps, self._steps_per_epoch = steps, steps_per_epoch
        self._people_per_step = people // steps_per_epoch
        self._logged = time.monotonic()
        place = f"going on at step {step}" if step else "starting"
        self.say(
            f"{run}: {place} of {steps}, {steps_per_epoch} steps an epoch, {parameters:,} parameters, on {devices}"
        )
        self.turn_to("training", steps, step)

    def note(self, text: str) -> None:
        """See `Reporter`."""
        self.say(text)

    def step(self, step: int) -> None:
        """See `Reporter`."""
        self._step = step
        now = time.monotonic()
        self._recent.append((now, step))
        began, first = self._recent[0]
        epoch = (step - 1) // self._steps_per_epoch + 1
        text, rate = f"epoch {epoch}  step {step}/{self._steps}", 0.0
        if step > first:
            rate = (step - first) / max(now - began, 1e-3)
            text += f"  {rate * self._people_per_step:.1f} {self._called}/s"
        self.show(step, text, rate=rate)

    def epoch(self, epoch: int, train: dict[str, float], val: dict[str, float] | None) -> None:
        """See `Reporter`."""
        if self._rows % 20 == 0:
            train_width, val_width = (sum(c[3] for c in COLUMNS if c[2] == whose) for whose in ("train", "val"))
            self.say(f"{'':{EPOCH_WIDTH}}{'train':^{train_width}}{'validation':^{val_width}}".rstrip())
            self.say(f"{'epoch':>{EPOCH_WIDTH}}" + "".join(f"{c[0]:>{c[3]}}" for c in COLUMNS))
        self._rows += 1
        sources = {"train": train, "val": val or {}}
        cells = [_cell(sources[whose].get(name), width, decimals) for _, name, whose, width, decimals in COLUMNS]
        self.say(f"{epoch:>{EPOCH_WIDTH}}" + "".join(cells))

    def summary(self, run_dir: str) -> str:
        """Return what is to be said at the end: what the log has of the last validation, be it of an earlier time."""
        from cocoprep.model.run.log import read_log
        from cocoprep.storage.by_scheme import AnyFiles

        validations = [line for line in read_log(run_dir, AnyFiles()) if line["phase"] == "val"]
        lines = [f"{run_dir}: {self._step} steps done"]
        if validations:
            val = validations[-1]
            found = {"PCK@0.2": "pck@0.2", "PCK@0.1": "pck@0.1", "swapped": "swapped", "OKS AP": "AP"}
            known = {name: key for name, key in found.items() if val.get(key) is not None}
            lines += [f"  {name} {val[key]:.3f}" + _beside(val, key) for name, key in known.items()]
            lines += _by_source(val)
        lines.append(f"  curves: {os.path.join(run_dir, 'curves.png')}, or tensorboard --logdir {run_dir}")
        return "\n".join(lines)


class OtherHost:
    """Says of a host that is not the first only what that one cannot know; a `Reporter` too."""

    def __init__(self, place: int) -> None:
        self._place, self._step, self._begun = place, 0, False

    def begin(self, **facts: Any) -> None:
        """Hear that what follows is the same everywhere."""
        self._begun = True

    def note(self, text: str) -> None:
        """Say what was found in opening the run."""
        if not self._begun:
            say(f"host {self._place}: {text}", err=True)

    def step(self, step: int) -> None:
        """Hear that a step is done."""
        self._step = step

    def epoch(self, epoch: int, train: dict[str, float], val: dict[str, float] | None) -> None:
        """Hear what an epoch came to."""

    def summary(self, run_dir: str) -> str:
        """Return who has the run."""
        return f"host {self._place}: {self._step} steps done; the run is in {run_dir} of host 0"


def _by_source(val: dict[str, float]) -> list[str]:
    """Return a table of the sources of a validation, whose figures are named `source/figure`; none of a single one."""
    rows: dict[str, dict[str, float]] = {}
    for key, value in val.items():
        source, slash, figure = key.rpartition("/")
        if slash and isinstance(value, (int, float)):
            rows.setdefault(source[-LONGEST_SOURCE:], {})[figure] = value
    if not rows:
        return []
    width = max(map(len, rows))
    heading = f"  {'':{width}}{'people':>8}" + "".join(f"{name:>{room}}" for name, _, room, _ in SOURCE_COLUMNS)
    return [heading] + [
        f"  {source:{width}}{own.get('people', 0):>8.0f}"
        + "".join(_cell(own.get(figure), room, decimals) for _, figure, room, decimals in SOURCE_COLUMNS)
        for source, own in rows.items()
    ]


def _cell(value: float | None, width: int, decimals: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:>{width}.{decimals}f}"


def _beside(val: dict[str, float], key: str) -> str:
    guess = val.get(f"{key}_guess")
    return "" if guess is None else f"  (the mean guess: {guess:.3f})"


class StoppedAtOnce(KeyboardInterrupt):
    """Is raised by the second signal."""


@contextmanager
def stop_on_signals(first: str = "stopping after this step, then saving") -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into a request to stop, told as `first`; a second one stops at once."""
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        if asked:
            raise StoppedAtOnce
        asked.append(number)
        say(f"{first}; once more to stop at once", err=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
