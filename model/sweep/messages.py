"""What the process of a trial and that of the sweep say to each other, by a pipe between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Whose = Literal["trial", "sweep"]


@dataclass(frozen=True, slots=True)
class Begun:
    """The run is open: it stands at a step of so many, and its log has these values by epoch. Wants a verdict."""

    step: int
    steps: int
    epochs: dict[int, float]


@dataclass(frozen=True, slots=True)
class Step:
    """A step is done."""

    step: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch has ended, with PCK@0.2 on validation. Wants a verdict."""

    epoch: int
    value: float


@dataclass(frozen=True, slots=True)
class Done:
    """The run has come to its end: PCK@0.2 of the network that is kept, and its epoch."""

    value: float
    epoch: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run was asked to stop, and has saved."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The run cannot go on: the fault of the trial's settings, or of what no other trial would do without."""

    reason: str
    whose: Whose


Message = Begun | Step | Epoch | Done | Stopped | Failed
Verdict = Literal["go on", "prune"]
STOP = "stop"  # may be said at any time
