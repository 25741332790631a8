"""What a study holds of its trials, checked: its database may be damaged, or a stranger's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cocoprep.checks import is_int, shown
from cocoprep.errors import RecordError
from cocoprep.model.sweep.methods import MOST
from cocoprep.model.sweep.space import Parameter, Range, Scalar, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

PLACE, REASON, KEPT_EPOCH, VERDICT = "place", "reason", "kept_epoch", "verdict"  # what we write down of a trial
LONGEST_REASON = 1000


class State(StrEnum):
    """How far a trial is; named as people are told."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial.

    Attributes:
        id: in the database.
        number: from 0.
        state: how far it is.
        params: what it tries, by name of setting; of a running one perhaps not all yet.
        epochs: PCK@0.2 on validation by epoch, from 1.
        value: PCK@0.2 of the network that is kept; only of a complete one.
        kept_epoch: of that network.
        reason: why it failed.
        place: where it lies, as `Place.as_record` says.
    """

    id: int
    number: int
    state: State
    params: Mapping[str, Scalar]
    epochs: Mapping[int, float]
    value: float | None = None
    kept_epoch: int | None = None
    reason: str = ""
    place: Mapping[str, Any]

    @property
    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self.state is State.RUNNING

    @property
    def best_so_far(self) -> float | None:
        """Return the value of a complete trial; of others the highest of its epochs."""
        return self.value if self.value is not None else max(self.epochs.values(), default=None)


def best_of(trials: list[Trial]) -> Trial | None:
    """Return the complete trial of the highest value, the first of equals."""
    scored = [(trial.value, -trial.number, trial) for trial in trials if trial.value is not None]
    return max(scored, key=lambda one: one[:2], default=(0.0, 0, None))[2]


def distribution_of(one: Parameter) -> BaseDistribution:
    """Return a range or choices as Optuna has them."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(one, Range):
        return CategoricalDistribution(one.values)
    if one.whole:
        return IntDistribution(int(one.low), int(one.high), log=one.log, step=int(one.step or 1))
    return FloatDistribution(one.low, one.high, log=one.log, step=one.step)


def check_trial(found: FrozenTrial, space: Space, where: str) -> Trial:
    """Return what the database has of a trial.

    Raises:
        RecordError: it is none that this sweep can have written.
    """
    number = found.number
    if not is_int(number) or not 0 <= number < MOST:
        raise _odd(where, "a trial has the number", number)
    where = f"{where}: trial {number}"
    for name, value in found.params.items():
        if name not in space or found.distributions[name] != distribution_of(space[name]):
            raise _odd(where, "has what the file does not search,", name)
        if not space[name].holds(value):
            raise _odd(where, f"has of {name} a value that is not in its range,", value)
    state = State.FAILED if found.state.name == "FAIL" else State[found.state.name]
    if state in (State.COMPLETE, State.PRUNED) and len(found.params) < len(space):
        raise _odd(where, "lacks values of what is searched, and has", dict(found.params))
    epochs = {}
    for step, value in found.intermediate_values.items():
        if not is_int(step) or not 0 <= step < MOST or not _is_share(value):
            raise _odd(where, "has of an epoch", (step, value))
        epochs[step + 1] = float(value)
    ended = found.value if state is State.COMPLETE else None
    if state is State.COMPLETE and not _is_share(ended):
        raise _odd(where, "is complete, with the value", ended)
    place, kept = found.user_attrs.get(PLACE), found.user_attrs.get(KEPT_EPOCH)
    return Trial(
        id=found._trial_id,
        number=number,
        state=state,
        params={name: found.params[name] for name in space if name in found.params},
        epochs=dict(sorted(epochs.items())),
        value=ended,
        kept_epoch=kept if isinstance(kept, int) and is_int(kept) and 0 < kept <= MOST else None,
        reason=str(found.user_attrs.get(REASON, ""))[:LONGEST_REASON],
        place=place if isinstance(place, dict) else {},
    )


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and 0 <= value <= 1


def _odd(where: str, what: str, found: object) -> RecordError:
    return RecordError(
        f"{where}: {what} {shown(found)}: no sweep has written that. Restore the database, or begin anew."
    )
