"""Sweeps for tests: a file, a trainer that takes no time, and databases that fail at a chosen write."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cocoprep.model.sweep.config import SweepConfig, read_sweep
from cocoprep.model.sweep.database import open_database
from cocoprep.model.sweep.messages import Begun, Done, Epoch, Failed, Step, Stopped
from cocoprep.model.sweep.place import Place
from cocoprep.model.sweep.study import SweepStudy
from cocoprep.model.sweep.sweep import Sweep
from cocoprep.storage.local import LocalFiles

SEARCH = """
[search]
"optimizer.learning_rate" = { low = 1e-4, high = 1e-1, log = true }
"network.channels" = { choices = [8, 12, 16] }
"batch_size" = { low = 2, high = 8, step = 2 }
augment = { choices = ["none", "light"] }
"""
METHODS = """
[sweep]
sampler = { name = "TPESampler", seed = 3, n_startup_trials = 3 }
pruner = { name = "MedianPruner", n_startup_trials = 1 }
"""
BASE = """
epochs = 4
xla = "off"
log_steps = 2
checkpoint_minutes = 0.0
network = { stacks = 1, channels = 8, depth = 1 }
"""


def sweep_text(data: Path, *, base: str = BASE, search: str = SEARCH, methods: str = METHODS) -> str:
    """Return the text of a sweep's file that learns from a folder, and validates on it."""
    return f"data = {json.dumps(str(data))}\nval = {json.dumps(str(data))}\n{base}{search}{methods}"


def sweep_config(path: Path, data: Path, **parts: str) -> SweepConfig:
    """Write a sweep's file and read it."""
    path.write_text(sweep_text(data, **parts))
    return read_sweep(str(path), LocalFiles())


class Silent:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def note(self, text: str) -> None:
        self.told.append(("note", text))

    def trial(self, number, params, *, resumed, epochs, folder) -> None:
        self.told.append(("resumed" if resumed else "begun", number, dict(params)))

    def step(self, step, steps) -> None:
        self.told.append(("step", step, steps))

    def epoch(self, epoch, value, best) -> None:
        self.told.append(("epoch", epoch, value))

    def ended(self, trial, best) -> None:
        self.told.append(("ended", trial.number, trial.state.value))


class Formula:
    """A `Trainer` of no time: its epochs are a function of the settings, and its folder says which are done.

    As a run does, it tells of an epoch before that is saved, and goes on at what was saved.
    """

    def __init__(self, config, folder) -> None:
        self._config, self._saved = config, Path(folder, "epochs.json")
        self._verdict, self._ended = "", False

    def value(self, epoch: int) -> float:
        """Return PCK@0.2 of an epoch."""
        rate = abs(math.log10(self._config.optimizer.learning_rate) + 2.3)
        best = 0.9 - 0.2 * rate - 0.3 / self._config.network.channels - 0.001 * self._config.batch_size
        return max(0.0, best * (1 - 0.5**epoch) - 0.01 * (epoch % 2))

    def messages(self, stops) -> Iterator[Any]:
        """See `Trainer`."""
        done = json.loads(self._saved.read_text()) if self._saved.exists() else 0
        epochs = self._config.epochs
        yield Begun(done, epochs, {n: self.value(n) for n in range(1, done + 1)})
        if self._config.optimizer.learning_rate > 0.08:
            yield Failed("the loss of step 1 is not finite.", "trial")
            return
        for epoch in range(done + 1, epochs + 1):
            if stops() or self._verdict == "prune":
                yield Stopped()
                return
            yield Step(epoch)
            yield Epoch(epoch, self.value(epoch))
            self._saved.write_text(json.dumps(epoch))
        best = max(range(1, epochs + 1), key=self.value)
        yield Done(self.value(best), best)

    def answer(self, verdict) -> None:
        """See `Trainer`."""
        assert not self._ended
        self._verdict = verdict

    def end(self) -> None:
        """See `Trainer`."""
        self._ended = True


class KilledError(BaseException):
    """Stands for a kill: nothing of ours takes it for an error."""


WRITES = (
    "create_new_study", "set_study_user_attr", "_create_new_trial", "_set_trial_param", "set_trial_intermediate_value",
    "set_trial_user_attr", "set_trial_system_attr", "set_trial_state_values",
)  # fmt: skip


class Dying:
    """Has a database end its process at a write, counted from 1, before it or after."""

    def __init__(self, storage, at: int, *, after: bool) -> None:
        self.writes, self._at, self._after = 0, at, after
        for name in WRITES:
            setattr(storage, name, self._counted(getattr(storage, name)))

    def _counted(self, write):
        def counted(*arguments, **named):
            self.writes += 1
            if self.writes == self._at and not self._after:
                raise KilledError
            result = write(*arguments, **named)
            if self.writes == self._at:
                raise KilledError
            return result

        return counted


def open_study(root: Path, config: SweepConfig, *, name: str = "s", storage=None, run_dir: Path | None = None):
    """Open a study in a folder, in its database `sweep.db`."""
    storage = open_database(f"sqlite:///{root}/sweep.db") if storage is None else storage
    return SweepStudy(storage, name, config, Place(str(run_dir or root / name)))


def sweep(root: Path, config: SweepConfig, total: int, *, train=Formula, stops=lambda: False, **options):
    """Sweep by the formula; return the study and what was told."""
    study, report = open_study(root, config, **options), Silent()
    Sweep(study, report, train=train).run(total, stops)
    return study, report.told


def outcome(study: SweepStudy) -> list[tuple[Any, ...]]:
    """Return all that must not depend on kills: of each trial number, state, settings, epochs and value."""
    return [(t.number, t.state.value, dict(t.params), dict(t.epochs), t.value, t.reason) for t in study.trials()]
