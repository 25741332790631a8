"""The study of a sweep in its database: which trial comes next, what it tries, and what came of it.

Whatever process is killed at whatever moment, the next one finds in the database a trial that runs, and in the trial's
folder a lock that nobody holds: it takes the trial up, with the same number and settings. What a trial tries is a
function of the file, its number and the trials that have ended, so that a kill between two writes changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cocoprep.checks import shown
from cocoprep.errors import ConfigError, RecordError
from cocoprep.model.sweep.asking import ask_pruner, suggest
from cocoprep.model.sweep.config import SweepConfig, differences
from cocoprep.model.sweep.database import readable
from cocoprep.model.sweep.methods import make_pruner, make_sampler
from cocoprep.model.sweep.place import Lock, Place
from cocoprep.model.sweep.trials import (
    KEPT_EPOCH,
    LONGEST_REASON,
    PLACE,
    REASON,
    Trial,
    check_trial,
    distribution_of,
)

if TYPE_CHECKING:
    import optuna
    from optuna.storages import BaseStorage
    from optuna.study._frozen import FrozenStudy

RECORD, FORM = "cocoprep_sweep", 1
LONGEST_NAME = 200
MOST_TOLD = 5  # differences


@dataclass(frozen=True, slots=True)
class Taken:
    """A trial that this process is at: nobody else is, as long as the lock is held."""

    trial: Trial
    lock: Lock
    resumed: bool


class SweepStudy:
    """A study, of which several processes may take trials."""

    def __init__(self, storage: BaseStorage, name: str, config: SweepConfig, place: Place) -> None:
        """Begin the study in its database, or take it up.

        Args:
            storage: as `open_database` returns it.
            name: of the study; a database may hold several.
            config: of the sweep.
            place: where its trials lie.

        Raises:
            ConfigError: it was begun with another file, or by another program.
            RecordError: the database cannot be read.
        """
        import optuna

        self._optuna, self.name, self.config, self.place = optuna, name, config, place
        self._where = f"--study: {name}"
        with readable(self._where):
            # Of a trial that has ended it keeps what it has read, as Optuna itself does.
            self._storage = optuna.storages.get_storage(storage)
            with place.alone():
                self._begin()
            numbers = [trial.number for trial in storage.get_all_trials(self._id, deepcopy=False)]
        if len(set(numbers)) < len(numbers):  # of which `self._storage` would show one
            raise RecordError(f"{self._where}: two trials have one number. Restore the database, or begin anew.")

    def _begin(self) -> None:
        studies = {study.study_name: study for study in self._storage.get_all_studies()}
        study = studies.get(self.name)
        if study is None:
            direction = self._optuna.study.StudyDirection.MAXIMIZE
            self._id = self._storage.create_new_study([direction], self.name)
        else:
            self._id = study._study_id
        key = self._write_down() if study is None or RECORD not in study.user_attrs else self._take_up(study)
        self.place.bind(key)

    def _write_down(self) -> str:
        if self._storage.get_n_trials(self._id):
            raise ConfigError(
                f"{self._where}: a study of this name is there, which cocoprep has not made. Name another: --name."
            )
        key = uuid.uuid4().hex
        self._storage.set_study_user_attr(self._id, RECORD, {"form": FORM, "id": key, **self.config.as_record()})
        return key

    def _take_up(self, study: FrozenStudy) -> str:
        before = study.user_attrs[RECORD]
        key = str(before.get("id", "")) if isinstance(before, dict) else ""
        if odd := differences(before, {"form": FORM, "id": key, **self.config.as_record()}):
            told = "; ".join(odd[:MOST_TOLD]) + (f"; and {len(odd) - MOST_TOLD} more" if len(odd) > MOST_TOLD else "")
            raise ConfigError(
                f"{self._where}: was begun with another file: {told}. What trials learned by other rules cannot be "
                "held against each other: put that back, or begin another study with --name."
            )
        if [direction.name for direction in study.directions] != ["MAXIMIZE"]:
            raise RecordError(f"{self._where}: does not look for the highest value. Begin another with --name.")
        return key

    def trials(self) -> list[Trial]:
        """Return all trials, by number; not those that somebody has put there to be run.

        Raises:
            RecordError: the database cannot be read, or holds what no sweep has written.
        """
        with readable(self._where):
            found = self._storage.get_all_trials(self._id, deepcopy=False)
            waiting = self._optuna.trial.TrialState.WAITING
            trials = [check_trial(one, self.config.space, self._where) for one in found if one.state != waiting]
        return sorted(trials, key=lambda trial: trial.number)

    def waiting(self) -> int:
        """Return how many trials somebody has put into the study to be run: they are nobody's here."""
        with readable(self._where):
            return self._storage.get_n_trials(self._id, self._optuna.trial.TrialState.WAITING)

    def take(self, total: int, on_wait: Callable[[str], None] = lambda text: None) -> Taken | None:
        """Return the next trial to be at: one that was left, or else a new one, up to `total` in all; None at the end.

        Raises:
            RecordError: as `trials`.
        """
        with self.place.alone(on_wait):
            trials = self.trials()
            for trial in trials:
                if trial.is_running and self.place.owns(trial.place):
                    taken = self._hold(trial, resumed=True)
                    if taken is not None:
                        return taken
            for _ in range(len(trials), total):
                taken = self._hold(self._new(), resumed=False)
                if taken is not None:
                    return taken
        return None

    def _hold(self, trial: Trial, *, resumed: bool) -> Taken | None:
        """Take a trial, unless another process is at it, or has ended it since it was read."""
        lock = self.place.hold_trial(trial.number)
        if lock is None:
            return None
        try:
            now = self.read(trial.id)
            if now.is_running:
                return Taken(self._with_params(now), lock, resumed=resumed)
        except BaseException:
            lock.release()
            raise
        lock.release()
        return None

    def _new(self) -> Trial:
        create, running = self._optuna.trial.create_trial, self._optuna.trial.TrialState.RUNNING
        with readable(self._where):
            template = create(state=running, user_attrs={PLACE: self.place.as_record()})
            return self.read(self._storage.create_new_trial(self._id, template))

    def read(self, trial_id: int) -> Trial:
        """Return a trial as it is now. Raises RecordError as `trials`."""
        with readable(self._where):
            return check_trial(self._storage.get_trial(trial_id), self.config.space, self._where)

    def _with_params(self, trial: Trial) -> Trial:
        """Choose what a trial tries, unless it is written down already."""
        space = self.config.space
        if len(trial.params) == len(space):
            return trial
        with readable(self._where):
            study = self._study(sampler=make_sampler(self.config.sampler, trial.number))
            chosen = suggest(study, self._storage.get_trial(trial.id), space)
            for name, value in chosen.items():
                if name not in trial.params:
                    distribution = distribution_of(space[name])
                    internal = distribution.to_internal_repr(value)
                    self._storage.set_trial_param(trial.id, name, internal, distribution)
        return self.read(trial.id)

    def _study(self, **methods: Any) -> optuna.Study:
        """Return Optuna's study, which remembers nothing of an earlier one."""
        return self._optuna.load_study(study_name=self.name, storage=self._storage, **methods)

    def report(self, trial: Trial, epoch: int, value: float) -> None:
        """Write down PCK@0.2 of an epoch, counted from 1. A run that went back to a checkpoint may say it again."""
        if epoch not in self.read(trial.id).epochs:
            with readable(self._where):
                self._storage.set_trial_intermediate_value(trial.id, epoch - 1, value)  # Optuna's steps begin at 0

    def should_prune(self, trial: Trial) -> bool:
        """Ask the pruner about the last epoch that was reported."""
        with readable(self._where):
            study = self._study(pruner=make_pruner(self.config.pruner))
            return ask_pruner(study, self._storage, self._storage.get_trial(trial.id))

    def complete(self, trial: Trial, value: float, epoch: int) -> None:
        """End a trial with the value of the network that it has kept, of an epoch."""
        self._end(trial, "COMPLETE", value, {KEPT_EPOCH: epoch})

    def prune(self, trial: Trial) -> None:
        """End a trial that is not worth going on with; its value is its last epoch's, as Optuna has it."""
        epochs = self.read(trial.id).epochs
        self._end(trial, "PRUNED", epochs[max(epochs)] if epochs else None, {})

    def fail(self, trial: Trial, reason: str) -> None:
        """End a trial that could not be carried out."""
        self._end(trial, "FAIL", None, {REASON: reason[:LONGEST_REASON]})

    def _end(self, trial: Trial, state: str, value: float | None, told: dict[str, Any]) -> None:
        with readable(self._where):
            for name, one in told.items():
                self._storage.set_trial_user_attr(trial.id, name, one)
            values = None if value is None else [value]
            self._storage.set_trial_state_values(trial.id, self._optuna.trial.TrialState[state], values)

    def importances(self) -> dict[str, float]:
        """Return how much of the differences between complete trials each setting stands for, together 1 (PED-ANOVA).

        Source: Watanabe, Bansal and Hutter 2023, "PED-ANOVA", as Optuna has it.
        """
        with readable(self._where):
            return dict(self._optuna.importance.get_param_importances(self._study()))


def check_name(name: str) -> str:
    """Return a study's name, which is a folder's too. Raises ConfigError."""
    fits = 0 < len(name) <= LONGEST_NAME and name.isprintable() and "/" not in name and not name.startswith(".")
    if not fits:
        raise ConfigError(f"--name: expected a name that a folder can have, found {shown(name)}.")
    return name
