"""What Optuna is asked, so that a kill between two writes changes nothing: what a trial tries, when it ends early.

The study that is given is a fresh one, with a sampler or a pruner of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cocoprep.model.sweep.space import Space
from cocoprep.model.sweep.trials import VERDICT, distribution_of

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial


def suggest(study: Study, trial: FrozenTrial, space: Space) -> dict[str, Any]:
    """Ask the sampler as Optuna does, but for all at once: written one by one, a kill would leave some."""
    sampler = study.sampler
    sampler.before_trial(study, trial)
    together = sampler.infer_relative_search_space(study, trial)
    params = sampler.sample_relative(study, trial, together)
    return {
        name: params[name] if name in params else sampler.sample_independent(study, trial, name, distribution_of(one))
        for name, one in space.items()
    }


def ask_pruner(study: Study, storage: BaseStorage, trial: FrozenTrial) -> bool:
    """Tell whether a trial is to end after the last epoch that was reported.

    Some pruners write down what they go by, and would answer otherwise when asked once more: so answer and notes are
    kept together first, for a process that is killed before the trial's end is written.
    """
    verdict = trial.user_attrs.get(VERDICT)
    if verdict is None or verdict["step"] != trial.last_step:
        noting = _Noting(storage)
        study._storage = cast(Any, noting)
        prunes = bool(study.pruner.prune(study, trial))
        verdict = {"step": trial.last_step, "prunes": prunes, "notes": noting.notes}
        if noting.notes:
            storage.set_trial_user_attr(trial._trial_id, VERDICT, verdict)
    for name, value in verdict["notes"].items():
        storage.set_trial_system_attr(trial._trial_id, str(name), value)
    return verdict["prunes"] is True


class _Noting:
    """A study's storage to a pruner, but what it writes of a trial is kept here."""

    def __init__(self, storage: BaseStorage) -> None:
        self._storage, self.notes = storage, dict[str, Any]()

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep a note."""
        self.notes[key] = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)
