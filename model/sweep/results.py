"""What a sweep leaves beside its trials: the best config, a table, a picture.

best.toml       all settings of the best trial, for `cocoprep train --config`; best.json where TOML cannot say them
trials.csv      a line a trial
sweep.png       values, epochs, settings and their importance
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cocoprep.checks import printable
from cocoprep.model.run.config import to_builtins
from cocoprep.model.sweep.study import SweepStudy
from cocoprep.model.sweep.toml import config_toml
from cocoprep.model.sweep.trials import State, Trial, best_of
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.local import LocalFiles

BEST, BEST_JSON, TABLE, PICTURE = "best.toml", "best.json", "trials.csv", "sweep.png"
LEAST_TRIALS = 10  # complete ones, from which on importance says more than chance
_FORMULA = ("=", "+", "-", "@", "\t")  # https://owasp.org/www-community/attacks/CSV_Injection


@dataclass(frozen=True, slots=True)
class Importance:
    """How much each setting matters, together 1, the most first; or why that is not known."""

    shares: Mapping[str, float]
    unknown_because: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """What a sweep has come to so far."""

    trials: tuple[Trial, ...]
    best: Trial | None
    importance: Importance
    written: tuple[str, ...]

    @property
    def best_config(self) -> str | None:
        """Return the file with the best trial's config."""
        return next((path for path in self.written if path.endswith((BEST, BEST_JSON))), None)


def find_importance(study: SweepStudy, trials: list[Trial]) -> Importance:
    """Measure how much each setting matters, where that can be told."""
    complete = [trial for trial in trials if trial.state is State.COMPLETE]
    if len(study.config.space) < 2:
        return Importance({}, "one setting alone is searched")
    if len(complete) < LEAST_TRIALS:
        return Importance({}, f"it needs {LEAST_TRIALS} complete trials, found {len(complete)}")
    if len({trial.value for trial in complete}) < 2:
        return Importance({}, "all complete trials have the same value")
    return Importance(study.importances())


def write_results(study: SweepStudy) -> Results:
    """Write what the study's trials have come to; each file appears whole.

    Raises:
        RecordError: the study cannot be read.
        OutputError: a file cannot be written.
    """
    from cocoprep.model.sweep.picture import draw_sweep

    trials = study.trials()
    best, importance = best_of(trials), find_importance(study, trials)
    files, place = LocalFiles(), study.place
    with place.alone():
        sweep_folder(place.path, files)
        contents = {TABLE: trials_csv(trials, list(study.config.space)).encode("utf-8", "replace")}
        if best is not None:
            contents |= best_config(study, best)
        contents[PICTURE] = draw_sweep(trials, study.config, importance.shares)
        for name, content in contents.items():
            with files.create(place.at(name)) as stream:
                stream.write(content)
        for name in {BEST, BEST_JSON} - contents.keys():  # of an earlier best trial
            if best is not None and files.exists(place.at(name)):
                files.delete(place.at(name))
    return Results(tuple(trials), best, importance, tuple(map(place.at, contents)))


def best_config(study: SweepStudy, best: Trial) -> dict[str, bytes]:
    """Return the file with the config of the best trial: TOML, which says whose it is, or JSON where that cannot be."""
    comments = (
        f"Trial {best.number} of the study {study.name}, the best of those that are complete: PCK@0.2 {best.value:.4f}",
        f"on val, of the network in {study.place.trial(best.number)}, epoch {best.kept_epoch}.",
        f"Searched: {', '.join(study.config.space)}.",
    )
    config = study.config.of_trial(best.params)
    text = config_toml(config, comments)
    if text is None:
        return {BEST_JSON: json.dumps(to_builtins(config), indent=1).encode() + b"\n"}
    return {BEST: text.encode()}


def trials_csv(trials: list[Trial], names: list[str]) -> str:
    """Return a line of headings, and one for each trial: value, epochs, and what it tried."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["trial", "state", "pck@0.2", "kept_epoch", "epochs", "last_epoch_pck@0.2", *names, "reason"])
    for trial in trials:
        last = trial.epochs[max(trial.epochs)] if trial.epochs else None
        told = [trial.params.get(name) for name in names]
        row = [trial.number, trial.state.value, trial.value, trial.kept_epoch, len(trial.epochs), last, *told]
        writer.writerow([*row, _no_formula(trial.reason)])
    return stream.getvalue()


def _no_formula(text: str) -> Any:
    """Return a cell that no spreadsheet takes for a formula, nor for two lines, and no terminal for a command."""
    line = printable(text).replace("\n", " ")
    return f"'{line}" if line.startswith(_FORMULA) else line
