"""How a space is searched: Optuna's samplers and pruners that serve here, by their names, with arguments checked.

A sampler or pruner is made anew for every question, so that nothing but file and study decide the answer: a process
that was killed has taken nothing along. What is not listed is refused. `CmaEsSampler` for one keeps its state in the
study as a pickle, and whoever has written to the study's database would have code run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cocoprep.checks import require_number, shown
from cocoprep.errors import ConfigError

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

MOST = 10**6  # trials or epochs


@dataclass(frozen=True, slots=True)
class Argument:
    """What an argument may be: a number within bounds, whole or not, true or false, or the word `auto`."""

    low: float
    high: float
    whole: bool = True
    auto: bool = False
    needed: bool = False

    def check(self, where: str, value: object) -> None:
        """Raise ConfigError where a value is none of these."""
        if self.auto and value == "auto":
            return
        if self.auto and isinstance(value, str):
            raise ConfigError(f"{where}: expected a whole number from {self.low:g} up or 'auto', found {shown(value)}.")
        require_number(where, value, self.low, self.high, whole=self.whole)


@dataclass(frozen=True, slots=True)
class _Flag(Argument):
    def check(self, where: str, value: object) -> None:
        if not isinstance(value, bool):
            raise ConfigError(f"{where}: expected true or false, found {shown(value)}.")


_FLAG = _Flag(0, 1)
_SEED, _COUNT, _FROM_1 = Argument(0, 2**32 - 1), Argument(0, MOST), Argument(1, MOST)
_OF_MEDIAN = {
    "n_startup_trials": _COUNT, "n_warmup_steps": _COUNT, "interval_steps": _FROM_1, "n_min_trials": _FROM_1,
}  # fmt: skip
SAMPLERS: Mapping[str, Mapping[str, Argument]] = {
    "TPESampler": {
        "seed": _SEED, "n_startup_trials": _COUNT, "n_ei_candidates": Argument(1, 10_000), "multivariate": _FLAG,
        "constant_liar": _FLAG,
    },
    "RandomSampler": {"seed": _SEED},
}  # fmt: skip
PRUNERS: Mapping[str, Mapping[str, Argument]] = {
    "MedianPruner": _OF_MEDIAN,
    "PercentilePruner": {"percentile": Argument(0, 100, whole=False, needed=True), **_OF_MEDIAN},
    "SuccessiveHalvingPruner": {
        "min_resource": Argument(1, MOST, auto=True), "reduction_factor": Argument(2, MOST),
        "min_early_stopping_rate": Argument(0, 100), "bootstrap_count": _COUNT,
    },
    "HyperbandPruner": {
        "min_resource": _FROM_1, "max_resource": Argument(1, MOST, auto=True), "reduction_factor": Argument(2, MOST),
        "bootstrap_count": _COUNT,
    },
    "ThresholdPruner": {
        "lower": Argument(0, 1, whole=False), "n_warmup_steps": _COUNT, "interval_steps": _FROM_1,
    },
    "NopPruner": {},
}  # fmt: skip
_NEEDS = {"ThresholdPruner": "lower"}
_WHY_NOT = {
    "CmaEsSampler": "it reads pickles from the study's database, which may be a stranger's",
    "GPSampler": "it needs PyTorch",
    "WilcoxonPruner": "it compares instances of a problem, and an epoch is none",
}


@dataclass(frozen=True, slots=True)
class Method:
    """A sampler or a pruner: its name and its arguments."""

    name: str
    arguments: Mapping[str, Any]

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"name": self.name, **self.arguments}


DEFAULT_SAMPLER = Method("TPESampler", {"seed": 0})
DEFAULT_PRUNER = Method("MedianPruner", {})


def parse_sampler(table: object, where: str) -> Method:
    """Return the sampler of a `[sweep]` table, its seed 0 where it says none. Raises ConfigError."""
    found = _parse(table, SAMPLERS, DEFAULT_SAMPLER, f"{where}: [sweep]: sampler")
    return Method(found.name, {"seed": 0, **found.arguments})


def parse_pruner(table: object, where: str) -> Method:
    """Return the pruner of a `[sweep]` table. Raises ConfigError."""
    where = f"{where}: [sweep]: pruner"
    found = _parse(table, PRUNERS, DEFAULT_PRUNER, where)
    for name in (_NEEDS.get(found.name), *(n for n, one in PRUNERS[found.name].items() if one.needed)):
        if name is not None and name not in found.arguments:
            raise ConfigError(f"{where}: {found.name} needs {name}: {{ name = '{found.name}', {name} = ... }}.")
    made_of_both = found.arguments.get("bootstrap_count", 0) > 0
    for name in ("min_resource", "max_resource"):
        if made_of_both and PRUNERS[found.name].get(name, _COUNT).auto and found.arguments.get(name, "auto") == "auto":
            raise ConfigError(f"{where}: bootstrap_count goes with a number for {name}, found 'auto'. Set it.")
    return found


def _parse(table: object, known: Mapping[str, Mapping[str, Argument]], default: Method, where: str) -> Method:
    if table is None:
        return default
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        raise ConfigError(f"{where}: expected a table such as {{ name = '{default.name}' }}, found {shown(table)}.")
    name, arguments = table["name"], {key: value for key, value in table.items() if key != "name"}
    if name not in known:
        why = f": {_WHY_NOT[name]}" if name in _WHY_NOT else ""
        raise ConfigError(f"{where}: expected one of {', '.join(known)}, found {shown(name)}{why}.")
    for key, value in arguments.items():
        if key not in known[name]:
            takes = ", ".join(known[name]) or "none"
            raise ConfigError(f"{where}: {name} takes no argument {shown(key)} here; expected of: {takes}.")
        known[name][key].check(f"{where}: {key}", value)
    return Method(name, arguments)


def make_sampler(method: Method, number: int) -> BaseSampler:
    """Make the sampler of one trial: its random numbers are a function of seed and number alone."""
    from optuna import samplers

    seed = hashlib.sha256(f"{method.arguments['seed']}/{number}".encode()).digest()[:4]
    arguments = {**method.arguments, "seed": int.from_bytes(seed)}
    made: BaseSampler = getattr(samplers, method.name)(**arguments)
    return made


def make_pruner(method: Method) -> BasePruner:
    """Make the pruner."""
    from optuna import pruners

    made: BasePruner = getattr(pruners, method.name)(**method.arguments)
    return made
