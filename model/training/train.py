"""A training run: learn, look, save, and go on where it stopped.

Whatever happens to the process, a resumed run has the losses that the uninterrupted one would have had: weights,
optimizer, schedule, loss scale and moving averages come from the checkpoint, and the people of every step, and what
augmentation does to them, are a function of seed and step alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cocoprep.errors import CocoprepError
from cocoprep.model.backends.engine import Engine
from cocoprep.model.input.batches import eval_batches, whole_batches
from cocoprep.model.input.mixture import Mixture
from cocoprep.model.run.best_step import NO_SCORE, Score, score_of
from cocoprep.model.run.checkpoints import Checkpoint, CheckpointFolder, restore_variables, variable_arrays
from cocoprep.model.run.curves import draw_curves
from cocoprep.model.run.folder import BEST, RunFolder, RunLock
from cocoprep.model.run.log import RunLog, read_log
from cocoprep.model.run.tensorboard import Board
from cocoprep.model.training.metrics import Sums, add_sums, figures
from cocoprep.model.training.notes import notes_on
from cocoprep.model.training.parts import figures_of_parts, oks_of_parts
from cocoprep.model.training.trainee import Trainee
from cocoprep.model.training.validate import validate
from cocoprep.model.training.watched import Watched
from cocoprep.shards.settings import table_of
from cocoprep.storage.held_folder import held_folder, temporaries_in

Figures = dict[str, float]
SHOW_SECONDS = 30.0  # between two drawings of the curves


class Reporter(Protocol):
    """Is told how a run goes on."""

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
        """Hear that the run starts, or goes on, at a step of so many; people may be called otherwise, such as hands."""

    def note(self, text: str) -> None:
        """Hear something that the user should know."""

    def step(self, step: int) -> None:
        """Hear that a step is done."""

    def epoch(self, epoch: int, train: Figures, val: Figures | None) -> None:
        """Hear what an epoch came to."""


@dataclass
class _Standing:
    """Where a run stands: all that changes and is no variable of Keras."""

    step: int = 0
    best: Score = NO_SCORE
    window: Sums = field(default_factory=dict)  # of the steps since the log's last line
    epoch: Sums = field(default_factory=dict)  # of the steps since the epoch began

    def add(self, sums: Sums) -> None:
        self.window = add_sums([self.window, sums]) if self.window else add_sums([sums])
        self.epoch = add_sums([self.epoch, sums]) if self.epoch else add_sums([sums])


class TrainingRun:
    """One run in its folder. Make it with `open_run`."""

    def __init__(
        self,
        folder: RunFolder,
        trainee: Trainee,
        people: Mixture,
        *,
        lock: RunLock,
        watched: Watched | None,
        report: Reporter,
    ) -> None:
        """Take up the newest checkpoint of a folder, if there is one, and open the log behind it."""
        config = trainee.config
        self.config, self.folder, self.trainee, self.report = config, folder, trainee, report
        self.engine: Engine = trainee.engine
        self.people, self.manifest, self.watched, self._lock = people, people.manifest, watched, lock
        self.steps_per_epoch = whole_batches(people, config.read)
        self.steps = config.epochs * self.steps_per_epoch
        self.checkpoints = CheckpointFolder(folder.at("checkpoints"), folder.files, config.keep)
        self.checkpoints.sweep()
        self.now = _Standing()
        self._take_up()
        self._shown_at = self._saved_at = time.monotonic()
        self._saved_step = self.now.step
        begun = self.now.step if self.checkpoints.steps() else -1  # what was written before the first is written again
        self.log = RunLog(folder.path, folder.files, after_step=begun)
        self.board = Board(folder.at("tensorboard"), folder.files, after_step=self.now.step)
        self._validation_step = self.engine.validation_step(trainee)
        sources = 1 if watched is None else len(watched.people.sources)
        self._source_step = self.engine.source_step(trainee, sources) if sources > 1 else None

    def _take_up(self) -> None:
        checkpoint = self.checkpoints.latest()
        if checkpoint is None:
            return
        where = f"checkpoint of step {checkpoint.step} in {self.checkpoints.folder}"
        restore_variables("network", self.trainee.network.variables, checkpoint.arrays, where)
        restore_variables("optimizer", self.trainee.optimizer.variables, checkpoint.arrays, where)
        restore_variables("average", self.trainee.average.variables, checkpoint.arrays, where)
        self.now = _Standing(
            step=checkpoint.step,
            best=self._best_so_far(checkpoint),
            window=_with_prefix(checkpoint.arrays, "window/"),
            epoch=_with_prefix(checkpoint.arrays, "epoch/"),
        )

    def _best_so_far(self, checkpoint: Checkpoint) -> Score:
        """Return the score of the network that is kept: the log has all of it, a checkpoint its AP."""
        lines = read_log(self.folder.path, self.folder.files)
        scores = [score_of(line) for line in lines if line["step"] <= checkpoint.step]
        return max([(checkpoint.best, *NO_SCORE[1:]), *(score for score in scores if score is not None)])

    def go(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Train to the end, or until `should_stop` says so; either way all is saved.

        Raises:
            CocoprepError: a loss is not finite; names the step and the people of its batch.
            KeyboardInterrupt: `should_stop` said so.
        """
        people = self.steps_per_epoch * self.config.batch_size
        self.report.begin(
            run=self.folder.path, step=self.now.step, steps=self.steps, steps_per_epoch=self.steps_per_epoch,
            people=people, called=table_of(self.manifest.keypoints).noun.many,
            parameters=self.trainee.network.count_params(),
            devices=self.engine.describe(),
        )  # fmt: skip
        for note in notes_on(self.trainee, self.people, watched=self.watched is not None):
            self.report.note(note)
        self._learn(should_stop)
        self._wait_for_all()
        self._lock.release()

    def _learn(self, should_stop: Callable[[], bool]) -> None:
        learn = self.engine.train_step(self.trainee)
        for batch in self._batches():
            sums = {name: np.asarray(value) for name, value in learn(batch, self.now.step + 1).items()}
            self._check_finite(sums, batch)
            self.now.step += 1
            self.now.add(sums)
            self.report.step(self.now.step)
            self._after_step()
            if any(self.engine.hosts.gather(should_stop())):
                self.save()
                self._wait_for_all()
                raise KeyboardInterrupt

    def _wait_for_all(self) -> None:
        """Wait until every host has saved: JAX ends those that are still at it soon after the first has ended."""
        self.engine.hosts.gather(False)

    def _batches(self) -> Iterator[Any]:
        if self.now.step >= self.steps:
            return
        batches = self.engine.train_batches(self.people, self.config, self.now.step)
        for _, batch in zip(range(self.now.step, self.steps), batches, strict=False):
            yield batch

    def _check_finite(self, sums: Sums, batch: Any) -> None:
        if np.isfinite(sums["loss"]).all() and np.isfinite(sums["gradient"]).all():
            return
        named = ", ".join(self._named(batch))
        step = self._saved_step
        held = "Its batch holds" if self.engine.hosts.count == 1 else "Of its batch this host holds"
        saved = f"The last checkpoint is of step {step}" if step else "There is no checkpoint yet"
        raise CocoprepError(
            f"the loss of step {self.now.step + 1} is not finite (by stack: {sums['loss'].tolist()}; norms of the "
            f"gradients: {sums['gradient'].tolist()}). {held} the annotations {named}. {saved}. Begin "
            "in another --run-dir with a lower --learning-rate, with --clip-norm, or in another --precision."
        )

    def _named(self, batch: Any) -> list[str]:
        """Return the annotations of a batch, with their sources where there are several."""
        ids, sources = (self.engine.column(batch, name).tolist() for name in ("annotation_id", "source"))
        called = self.people.sources
        return [f"{n} of {called[s]}" if len(called) > 1 else str(n) for n, s in zip(ids, sources, strict=True)]

    def _after_step(self) -> None:
        config, now = self.config, self.now
        ends_epoch = now.step % self.steps_per_epoch == 0
        if now.step % config.log_steps == 0 or ends_epoch:
            self._log_window()
        if ends_epoch:
            self._end_epoch(now.step // self.steps_per_epoch)
        minutes = (time.monotonic() - self._saved_at) / 60
        if ends_epoch or now.step % config.checkpoint_steps == 0 or minutes >= config.checkpoint_minutes > 0:
            self.save()

    def _figures(self, sums: Sums) -> Figures:
        values = figures(sums, table_of(self.manifest.keypoints))
        norms = sums["gradient"] / max(float(sums["steps"] - sums["overflows"]), 1.0)
        values.update({f"gradient_{g}": float(n) for g, n in zip(self.trainee.groups, norms, strict=True)})
        scale = getattr(self.trainee.optimizer, "dynamic_scale", None)
        if scale is not None:
            values.update(overflows=float(sums["overflows"]), loss_scale=float(np.asarray(scale)))
        return values

    def _log_window(self) -> None:
        values = self._figures(self.now.window)
        values["learning_rate"] = self._last_learning_rate()
        self._write("train", values)
        self.now.window = {}

    def _last_learning_rate(self) -> float:
        optimizer = getattr(self.trainee.optimizer, "inner_optimizer", self.trainee.optimizer)
        return float(optimizer._learning_rate(int(np.asarray(optimizer.iterations)) - 1))

    def _write(self, phase: str, values: Figures) -> None:
        epoch = (self.now.step - 1) // self.steps_per_epoch + 1
        self.log.write(phase, self.now.step, epoch, values)
        self.board.scalars(phase, self.now.step, values)

    def _end_epoch(self, epoch: int) -> None:
        train, val = self._figures(self.now.epoch), None
        self.now.epoch = {}
        with self.trainee.average.in_place():
            if self.watched is not None:
                val = self._validate(epoch, self.watched)
                self._write("val", val)
            # Small runs have many short epochs: without a score to go by, saving now and then is enough.
            due = epoch == self.config.epochs or time.monotonic() - self._shown_at >= SHOW_SECONDS
            score = None if val is None else score_of({"phase": "val", "epoch": epoch, **val})
            if due if val is None else score is not None and score >= self.now.best:
                self.now.best = score or NO_SCORE
                self._save_network()
        if due:
            draw_curves(self.folder.path, self.folder.files)
            self._shown_at = time.monotonic()
        self.report.epoch(epoch, train, val)

    def _validate(self, epoch: int, watched: Watched) -> Figures:
        config, people = self.config, watched.people
        batches = eval_batches(people, config.read)
        found = validate(batches, self._validation_step, people.manifest, by_source=self._source_step)
        values = {**found.figures, **figures_of_parts(found, people)}
        if epoch % config.oks_epochs == 0 or epoch == config.epochs:
            values.update(oks_of_parts(found, people))
        sheet = watched.picture(self._validation_step, title=f"epoch {epoch}, step {self.now.step}")
        self.board.picture("predictions", self.now.step, np.asarray(sheet))
        watched.save(sheet, self.folder, epoch)
        return values

    def _save_network(self) -> None:
        # Keras writes to a path of its own choice of ending; the run's file appears whole or not at all.
        with held_folder() as temporary:
            path = Path(temporary, BEST)
            with temporaries_in(temporary):
                self.trainee.network_to_save().save(path)
            with self.folder.files.create(self.folder.at(BEST)) as stream:
                stream.write(path.read_bytes())

    def save(self) -> None:
        """Write a checkpoint of the step that is done, unless there is one."""
        if self._saved_step == self.now.step and self.now.step in self.checkpoints.steps():
            return
        arrays = {
            **variable_arrays("network", self.trainee.network.variables),
            **variable_arrays("optimizer", self.trainee.optimizer.variables),
            **variable_arrays("average", self.trainee.average.variables),
            **{f"window/{name}": value for name, value in self.now.window.items()},
            **{f"epoch/{name}": value for name, value in self.now.epoch.items()},
        }
        self.log.sync()  # a checkpoint without the log's lines before it would leave a hole in the curves
        self.checkpoints.save(Checkpoint(self.now.step, arrays, self.now.best[0]))
        self._saved_at, self._saved_step = time.monotonic(), self.now.step


def _with_prefix(arrays: dict[str, Any], prefix: str) -> Sums:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
