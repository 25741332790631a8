"""What a sweep shows: which trial and epoch, the best so far; at the end a table within 80 columns."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Mapping

from cocoprep.cli.progress import Bar
from cocoprep.cli.say import say
from cocoprep.model.sweep.results import Results
from cocoprep.model.sweep.space import Scalar
from cocoprep.model.sweep.study import SweepStudy
from cocoprep.model.sweep.trials import State, Trial
from cocoprep.pose.nouns import Noun

WIDTH = 80
MOST_ROWS = 12
LONGEST_REASON = 300
_TRIAL, _EPOCH = Noun("trial", "trials"), Noun("epoch", "epochs")


class SweepReport(Bar):
    """Shows how a sweep goes on; a `cocoprep.model.sweep.sweep.SweepReporter`."""

    log_interval_s = 30.0

    def __init__(self, study: SweepStudy, total: int) -> None:
        super().__init__("starting")
        self._total, self._epochs, self._number = total, 0, 0
        self._epoch, self._best = "", ""
        self._names = short_names(study.config.space)
        trials = study.trials()
        wanted = _TRIAL.count(max(total, len(trials)))
        there = f"goes on to {wanted}: {told_states(trials)}" if trials else f"a new study of {wanted}"
        self.say(f"{study.name}: {there}; runs in {study.place.path}")

    def note(self, text: str) -> None:
        """See `SweepReporter`."""
        self.say(f"note: {text}")

    def trial(self, number: int, params: Mapping[str, Scalar], *, resumed: bool, epochs: int, folder: str) -> None:
        """See `SweepReporter`."""
        self._epochs, self._number, self._epoch = epochs, number, ""
        begins = "gone on with" if resumed else "begins"
        self.say(f"trial {number} {begins}: {told_params(params, self._names)}")
        self.turn_to(f"trial {number}", 1)

    def step(self, step: int, steps: int) -> None:
        """See `SweepReporter`."""
        self.turn_to(f"trial {self._number}", steps, step)
        epoch = min(self._epochs, step * self._epochs // max(steps, 1) + 1)
        self.show(step, f"epoch {epoch}/{self._epochs}{self._epoch}{self._best}")

    def epoch(self, epoch: int, value: float, best: Trial | None) -> None:
        """See `SweepReporter`."""
        self._epoch = f", PCK@0.2 last {value:.3f}"  # of an epoch that is over, while the next is under way
        self._best = "" if best is None else f", best {best.value:.3f} (trial {best.number})"
        self.say(f"trial {self._number}: epoch {epoch}/{self._epochs}, PCK@0.2 {value:.3f}{self._best}")

    def ended(self, trial: Trial, best: Trial | None) -> None:
        """See `SweepReporter`."""
        self._best = "" if best is None else f", best {best.value:.3f} (trial {best.number})"
        if trial.state is State.FAILED:
            said = f"failed: {trial.reason[:LONGEST_REASON]}"
        elif trial.state is State.PRUNED:
            said = f"pruned after {len(trial.epochs)} of {_EPOCH.count(self._epochs)}{self._best}"
        else:
            said = f"complete, PCK@0.2 {trial.value:.3f} of epoch {trial.kept_epoch}{self._best}"
        self.say(f"trial {trial.number} {said}")
        self._epoch = ""


def tell_results(study: SweepStudy, results: Results) -> None:
    """Print the best trials, what matters, and where all of it is."""
    trials, place = results.trials, study.place.path
    say(f"{study.name}: {_TRIAL.count(len(trials))}" + (f", {told_states(trials)}" if trials else ""))
    ranked = sorted(trials, key=lambda trial: (trial.value is None, -(trial.best_so_far or 0), trial.number))
    names = short_names(study.config.space)
    for line in trial_table(ranked[:MOST_ROWS], names):
        say(line)
    if len(ranked) > MOST_ROWS:
        say(f"  and {len(ranked) - MOST_ROWS} more, in {os.path.join(place, 'trials.csv')}")
    importance = results.importance
    if importance.shares:
        told = ", ".join(f"{names[name]} {share:.2f}" for name, share in importance.shares.items())
        say(textwrap.fill(f"importance: {told}", WIDTH, subsequent_indent="  ", break_on_hyphens=False))
    else:
        say(f"importance: not known, {importance.unknown_because}")
    for path in results.written:
        say(f"  {path}")
    if results.best is not None:
        say(f"best: trial {results.best.number}, whose run is {study.place.trial(results.best.number)}")
        say(f"  cocoprep train --config {results.best_config} --run-dir FOLDER")
    else:
        say("best: none, no trial is complete")
    running = [trial.number for trial in trials if trial.is_running]
    if running:
        others = [trial for trial in trials if trial.is_running and not study.place.owns(trial.place)]
        elsewhere = (
            f"; of trial {others[0].number} the run is in {others[0].place.get('path')!s:.200}" if others else ""
        )
        say(f"{_TRIAL.count(len(running))} still {'run' if len(running) > 1 else 'runs'} in other processes{elsewhere}")


def told_states(trials: tuple[Trial, ...] | list[Trial]) -> str:
    """Return how many trials there are of each state."""
    counts = Counter(trial.state for trial in trials)
    return ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state])


def told_params(params: Mapping[str, Scalar], names: Mapping[str, str]) -> str:
    """Return what a trial tries, in one line."""
    return "  ".join(f"{names[name]} {_told(value)}" for name, value in params.items())


def short_names(names: Mapping[str, object]) -> dict[str, str]:
    """Return the last part of each name, where no other setting that is searched has the same."""
    counts = Counter(name.rpartition(".")[2] for name in names)
    return {name: name if counts[name.rpartition(".")[2]] > 1 else name.rpartition(".")[2] for name in names}


def trial_table(trials: list[Trial], names: Mapping[str, str]) -> list[str]:
    """Return lines of at most `WIDTH` characters: headings, then a trial each, with as many settings as have room."""
    lines = [f"{'trial':>5} {'state':<8} {'PCK@.2':>6} {'epochs':>6}"]
    for trial in trials:
        value = "-" if trial.best_so_far is None else f"{trial.best_so_far:.3f}"
        lines.append(f"{trial.number:>5} {trial.state.value:<8} {value:>6} {len(trial.epochs):>6}")
    left_out = []
    for name, short in names.items():
        cells = [short, *(_told(trial.params[name]) if name in trial.params else "-" for trial in trials)]
        width = max(map(len, cells)) + 2
        if len(lines[0]) + width > WIDTH:
            left_out.append(short)
        else:
            lines = [f"{line}{cell:>{width}}" for line, cell in zip(lines, cells, strict=True)]
    return [*lines, f"  trials.csv also has {', '.join(left_out)}"[:WIDTH]] if left_out else lines


def _told(value: Scalar) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
