"""The process of one trial: an ordinary run, which tells the sweep of its epochs and stops when it is told to.

A process of its own costs the seconds that TensorFlow takes to load, and gives back all memory, the GPU's too; what
kills it, such as the kernel for want of memory, costs the sweep one trial.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from cocoprep.checks import is_int, printable
from cocoprep.errors import CocoprepError, OutputError, RecordError, StoreError
from cocoprep.model.run.best_step import best_step
from cocoprep.model.run.checkpoints import ANEW, CheckpointFolder
from cocoprep.model.run.config import TrainConfig
from cocoprep.model.run.folder import LOCK, RunFolder, RunLock
from cocoprep.model.run.log import read_log
from cocoprep.model.sweep.messages import STOP, Begun, Done, Epoch, Failed, Message, Step, Stopped
from cocoprep.storage.local import LocalFiles

PCK = "pck@0.2"
STEP_S = 0.2  # between two messages of steps
LOCK_S = 30.0  # for the process of an earlier sweep that was killed to end
OF_ALL = (OutputError, RecordError, StoreError)  # what every other trial would meet too


class TrialReporter:
    """Tells the sweep how a run goes on; a `cocoprep.model.training.train.Reporter`."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._told_at, self.folder = pipe, 0.0, ""
        self.stops = False

    def begin(self, *, run: str, step: int, steps: int, **_: Any) -> None:
        """See `Reporter`. The log is that of the checkpoint at which the run goes on."""
        self._ask(Begun(step, steps, values_by_epoch(read_log(run, LocalFiles()))))
        if self.stops:
            raise KeyboardInterrupt  # nothing has been learned that is not saved

    def note(self, text: str) -> None:
        """See `Reporter`: it goes to the trial's output, where names that others gave are shown, not obeyed."""
        os.write(sys.stderr.fileno(), f"{printable(text)}\n".encode())

    def step(self, step: int) -> None:
        """See `Reporter`."""
        if time.monotonic() - self._told_at > STEP_S:
            self._told_at = time.monotonic()
            self._pipe.send(Step(step))

    def epoch(self, epoch: int, train: Mapping[str, float], val: Mapping[str, float] | None) -> None:
        """See `Reporter`. Its checkpoint comes after it, so what the sweep says is done is not done again."""
        self._ask(Epoch(epoch, _value_of(val or {}, epoch)))

    def should_stop(self) -> bool:
        """Tell whether the sweep wants the run to stop."""
        while self._pipe.poll():
            self.stops = self._pipe.recv() == STOP or self.stops
        return self.stops

    def _ask(self, message: Message) -> None:
        self._pipe.send(message)
        while (said := self._pipe.recv()) == STOP:
            self.stops = True
        self.stops = self.stops or said == "prune"


def values_by_epoch(lines: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """Return PCK@0.2 of the validations of a log, by epoch."""
    found = [(line.get("epoch"), line) for line in lines if line.get("phase") == "val"]
    return {epoch: _value_of(line, epoch) for epoch, line in found if isinstance(epoch, int) and is_int(epoch)}


def _value_of(val: Mapping[str, Any], epoch: int) -> float:
    value = val.get(PCK)
    if not isinstance(value, (int, float)) or not math.isfinite(value) or not 0 <= value <= 1:
        raise RecordError(
            f"validation gave no PCK@0.2 in epoch {epoch}, by which trials are compared: expected people with labelled "
            "joints in the folder of val."
        )
    return float(value)


def kept_value(lines: Sequence[Mapping[str, Any]]) -> tuple[float, int]:
    """Return PCK@0.2 of the network that a run has kept, and its epoch; of the last one where the log has no AP."""
    values = values_by_epoch(lines)
    best = best_step(lines)
    epoch = best.epoch if best is not None else max(values, default=0)
    if epoch not in values:
        raise RecordError("the run's log has no validation. Move the trial's folder away, and it is run again.")
    return values[epoch], epoch


def run_trial(config: TrainConfig, folder: str, output: str, pipe: Connection) -> None:
    """Begin a trial's run, or go on with it: what a process of its own is started with.

    Args:
        config: of the run.
        folder: of the run.
        output: file that what is printed is added to.
        pipe: to the process of the sweep.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep is interrupted, and says what to do
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_sweep, daemon=True).start()
    with open(output, "ab", buffering=0) as stream:
        for number in (1, 2):
            os.dup2(stream.fileno(), number)
    pipe.send(_carry_out(config, folder, pipe))
    pipe.close()


def _end_with_sweep() -> None:
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os._exit(1)


def _carry_out(config: TrainConfig, folder: str, pipe: Connection) -> Message:
    reporter = TrialReporter(pipe)
    try:
        _wait_for_lock(folder)
        _train(config, folder, reporter)
        return Done(*kept_value(read_log(folder, LocalFiles())))
    except KeyboardInterrupt:
        return Stopped()
    except OF_ALL as error:
        return Failed(str(error), "sweep")
    except CocoprepError as error:
        return Failed(str(error), "trial")
    except MemoryError:
        return Failed("there was not enough memory", "trial")
    except BrokenPipeError:
        os._exit(1)  # the sweep is gone
    except Exception as error:
        traceback.print_exc()
        return Failed(f"{type(error).__name__}: {error}", "trial")


def _train(config: TrainConfig, folder: str, reporter: TrialReporter) -> None:
    from cocoprep.model.backends.choice import leave_out_tensorflow, use_backend
    from cocoprep.model.backends.tensorflow.prepare import prepare_tensorflow

    os.environ["MPLBACKEND"] = "agg"
    if use_backend(config.backend) == "jax":
        leave_out_tensorflow()
    else:
        prepare_tensorflow(config)
    from cocoprep.model.training.open_run import open_run

    _check_own(folder)
    open_run(config, folder, resume=True, report=reporter).go(reporter.should_stop)


def _check_own(folder: str) -> None:
    """Tell what is damaged of a trial's own from what every trial would meet, with a cure that goes on with the sweep.

    Raises:
        RecordError: it is.
    """
    run = RunFolder(folder, LocalFiles())
    if not run.has_run():
        return
    try:
        run.read_config()
        run.read_geometry()
        read_log(folder, run.files)
        CheckpointFolder(run.at("checkpoints"), run.files).latest()
    except CocoprepError as error:
        said = str(error).removesuffix(f" {ANEW}")
        raise RecordError(f"{said} Move the trial's folder away, {folder}, and it is run again.") from error


def _wait_for_lock(folder: str) -> None:
    """Wait until the process of a sweep that was killed, which ends by itself, has let go of the run."""
    os.makedirs(folder, exist_ok=True)
    ends = time.monotonic() + LOCK_S
    while time.monotonic() < ends:
        with contextlib.suppress(CocoprepError):
            RunLock(os.path.join(folder, LOCK)).release()
            return
        time.sleep(0.1)
    raise OutputError(f"another process is training in {folder}. Wait for it, or stop it; then run the sweep again.")
