"""The process of a trial as the sweep sees it: what it says, and what is said to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Protocol

from cocoprep.model.run.config import TrainConfig
from cocoprep.model.sweep.child import run_trial
from cocoprep.model.sweep.messages import STOP, Begun, Done, Failed, Message, Stopped, Verdict
from cocoprep.model.sweep.place import OUTPUT

POLL_S = 0.2
END_S = 20.0  # that a process whose run has ended may take to end
LONGEST_LINE = 300


class Trainer(Protocol):
    """Carries one trial out."""

    def messages(self, stops: Callable[[], bool]) -> Iterator[Message]:
        """Yield what the trial says, and pass a wish to stop on to it; after its last message it is gone."""

    def answer(self, verdict: Verdict) -> None:
        """Say what becomes of the trial, after a message that wants to know."""

    def end(self) -> None:
        """End it, at once where it still runs."""


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Have a process that is started here hear of no Ctrl-C, not while it loads either; this one hears of it later."""
    resource_tracker.ensure_running()  # which is started with the first process otherwise, and lets signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class TrialProcess:
    """A trial in a process of its own, which ends with this one; a `Trainer`."""

    def __init__(self, config: TrainConfig, folder: str) -> None:
        """Start it."""
        # A fresh one: a copy of a process that has threads may wait for ever.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._output = os.path.join(folder, OUTPUT)
        self._process = context.Process(target=run_trial, args=(config, folder, self._output, theirs))
        with _without_interrupts():
            self._process.start()
        theirs.close()

    def messages(self, stops: Callable[[], bool]) -> Iterator[Message]:
        """See `Trainer`."""
        begun = asked = False
        while True:
            if stops() and not asked:
                asked = True
                if not begun:  # it is still loading, and has nothing to save
                    self.end()
                    yield Stopped()
                    return
                self._send(STOP)
            if not self._pipe.poll(POLL_S):
                continue  # the end of the process is one of the file, which poll tells of
            try:
                message: Message = self._pipe.recv()
            except (EOFError, OSError):
                yield self._lost()
                return
            begun = begun or isinstance(message, Begun)
            yield message
            if isinstance(message, (Done, Stopped, Failed)):
                return

    def answer(self, verdict: Verdict) -> None:
        """See `Trainer`."""
        self._send(verdict)

    def _send(self, text: str) -> None:
        with suppress(OSError):  # that it is gone, the next message tells
            self._pipe.send(text)

    def end(self) -> None:
        """See `Trainer`."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _lost(self) -> Failed:
        self._process.join(END_S)
        code = self._process.exitcode
        if code is not None and code < 0:
            why = f"its process was ended by {signal.Signals(-code).name}"
            if code == -signal.SIGKILL:
                why += ", most likely by the kernel for want of memory"
        else:
            why = f"its process ended with exit code {code}"
        last = self._last_line()
        return Failed(f"{why}; {self._output} has its output{last and f', at the end: {last}'}", "trial")

    def _last_line(self) -> str:
        try:
            lines = Path(self._output).read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.strip()[:LONGEST_LINE] for line in reversed(lines) if line.strip()), "")
