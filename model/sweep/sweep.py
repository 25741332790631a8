"""A sweep: trial after trial, until there are as many as were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.model.run.config import TrainConfig
from cocoprep.model.sweep.messages import Begun, Done, Epoch, Failed, Message, Step
from cocoprep.model.sweep.space import Scalar
from cocoprep.model.sweep.study import SweepStudy, Taken
from cocoprep.model.sweep.trainer import Trainer, TrialProcess
from cocoprep.model.sweep.trials import Trial, best_of

MOST_FAILURES = 5  # of this process's trials in a row, after which it is not the trials


class SweepReporter(Protocol):
    """Is told how a sweep goes on."""

    def note(self, text: str) -> None:
        """Hear something that the user should know."""

    def trial(self, number: int, params: Mapping[str, Scalar], *, resumed: bool, epochs: int, folder: str) -> None:
        """Hear that a trial begins, or is gone on with."""

    def step(self, step: int, steps: int) -> None:
        """Hear how far the trial's run is."""

    def epoch(self, epoch: int, value: float, best: Trial | None) -> None:
        """Hear PCK@0.2 of an epoch, beside the best trial so far."""

    def ended(self, trial: Trial, best: Trial | None) -> None:
        """Hear what came of the trial."""


class Sweep:
    """Carries trials of a study out, one at a time; other processes may be at others."""

    def __init__(
        self,
        study: SweepStudy,
        report: SweepReporter,
        *,
        train: Callable[[TrainConfig, str], Trainer] = TrialProcess,
    ) -> None:
        """Take the study; `train` carries one trial out, given its config and its folder."""
        self._study, self._report, self._train = study, report, train
        self._steps = 0

    def run(self, total: int, stops: Callable[[], bool] = lambda: False) -> None:
        """Carry trials out until the study has `total`, whatever came of each, or until `stops` says so.

        Raises:
            KeyboardInterrupt: `stops` said so; the trial has saved, and is gone on with by the next sweep.
            CocoprepError: something that no trial can do without is missing, or one trial after another failed.
        """
        failures: list[str] = []
        place = self._study.place.path
        while (taken := self._study.take(total, self._report.note)) is not None:
            try:
                failed = self._carry_out(taken, stops)
            finally:
                taken.lock.release()
            failures = [*failures, failed] if failed else []
            if len(failures) >= MOST_FAILURES:
                raise CocoprepError(
                    f"{len(failures)} trials in a row have failed, the last one: {failures[-1]} See {place} "
                    "for what they said. The same command goes on with other trials."
                )
            if stops():
                raise KeyboardInterrupt

    def _carry_out(self, taken: Taken, stops: Callable[[], bool]) -> str:
        """Carry a trial out; return why it failed, or nothing."""
        trial, study = taken.trial, self._study
        folder = study.place.trial(trial.number)
        epochs = study.config.base.epochs
        self._report.trial(trial.number, trial.params, resumed=taken.resumed, epochs=epochs, folder=folder)
        try:
            config = study.config.of_trial(trial.params)
        except ConfigError as error:
            last: Message = Failed(str(error), "trial")
        else:
            last = self._listen(trial, self._train(config, folder), stops)
        if isinstance(last, Failed) and last.whose == "sweep":
            raise CocoprepError(f"trial {trial.number}: {last.reason} It is gone on with by the same command.")
        if study.read(trial.id).is_running:  # one that is pruned has ended, whatever came of its process afterwards
            if isinstance(last, Done):
                study.complete(trial, last.value, last.epoch)
            elif isinstance(last, Failed):
                study.fail(trial, last.reason)
        ended = study.read(trial.id)
        if not ended.is_running:
            self._report.ended(ended, best_of(study.trials()))
        elif stops():
            raise KeyboardInterrupt
        return ended.reason

    def _listen(self, trial: Trial, trainer: Trainer, stops: Callable[[], bool]) -> Message:
        """Follow a trial to its last message, which is returned."""
        try:
            last: Message = Failed("it ended without a word", "trial")
            for last in trainer.messages(stops):
                if isinstance(last, Begun):
                    self._steps = last.steps
                    for epoch, value in last.epochs.items():
                        self._study.report(trial, epoch, value)
                    self._judge(trial, trainer, max(last.epochs, default=0))
                elif isinstance(last, Step):
                    self._report.step(last.step, self._steps)
                elif isinstance(last, Epoch):
                    self._study.report(trial, last.epoch, last.value)
                    self._report.epoch(last.epoch, last.value, best_of(self._study.trials()))
                    self._judge(trial, trainer, last.epoch)
            return last
        finally:
            trainer.end()

    def _judge(self, trial: Trial, trainer: Trainer, epoch: int) -> None:
        """Say whether a trial is worth going on with after an epoch, unless that was its last."""
        if 0 < epoch < self._study.config.base.epochs and self._study.should_prune(trial):
            self._study.prune(trial)
            trainer.answer("prune")
        else:
            trainer.answer("go on")
