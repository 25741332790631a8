"""The space that is searched: for each setting a range or some choices, as a sweep's file says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cocoprep.checks import is_int, require, shown
from cocoprep.errors import ConfigError
from cocoprep.model.sweep.searchable import Kind, kind_of

MOST_CHOICES = 100
LARGEST = 2**53  # up to which the study's floats hold every whole number
ROUNDING = 1e-15  # of a float, of its size
RANGE_NAMES = ("low", "high", "log", "step")
FORMS = "a table such as { low = 1e-4, high = 1e-2, log = true } or { choices = [32, 48, 64] }"

Scalar = int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included: whole ones, or any; `step` apart, or evenly in their logarithm."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None
    whole: bool = False

    def holds(self, value: object) -> bool:
        """Tell whether a value is one of the range's."""
        fits = is_int(value) if self.whole else isinstance(value, float)
        if not fits or not self.low <= value <= self.high:  # type: ignore[operator]
            return False
        if self.step is None:
            return True
        steps = (value - self.low) / self.step  # type: ignore[operator]
        return abs(steps - round(steps)) < 1e-6 + steps * ROUNDING

    def ends(self) -> tuple[Scalar, ...]:
        """Return the values whose checks stand for all others'."""
        return self.low, self.high

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"low": self.low, "high": self.high, "log": self.log, "step": self.step}


@dataclass(frozen=True, slots=True)
class Choices:
    """Some values, of which one is taken."""

    values: tuple[Scalar, ...]

    def holds(self, value: object) -> bool:
        """Tell whether a value is one of the choices."""
        return any(type(one) is type(value) and one == value for one in self.values)

    def ends(self) -> tuple[Scalar, ...]:
        """Return the values whose checks stand for all others'."""
        return self.values

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"choices": list(self.values)}


Parameter = Range | Choices
Space = Mapping[str, Parameter]


def parse_space(table: object, where: str) -> dict[str, Parameter]:
    """Return the space that a `[search]` table describes, by dotted names, sorted.

    Args:
        table: names of settings, dotted or as tables in tables; each a range or choices.
        where: for errors, such as "sweep.toml".

    Raises:
        ConfigError: naming the first that cannot be.
    """
    where = f"{where}: [search]"
    if not isinstance(table, dict) or not table:
        raise ConfigError(f"{where}: expected names of settings, each with {FORMS}, found {_empty(table)}.")
    found: dict[str, Parameter] = {}
    for name, value in _by_name(table):
        if name in found:
            raise ConfigError(f"{where}: {shown(name)} is there twice, dotted and as a table. Leave one.")
        found[name] = _parse_parameter(value, kind_of(name, where), f"{where}: {name}")
    if "augment" in found and (inner := [name for name in found if name.startswith("augment.")]):
        raise ConfigError(
            f"{where}: augment chooses all of its numbers, {inner[0]} among them. Search one or the other."
        )
    return dict(sorted(found.items()))


def _empty(table: object) -> str:
    return "nothing" if table in (None, {}) else shown(table)


def _by_name(table: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what tables in tables hold by dotted names; settings are at most one table deep."""
    pairs: list[tuple[str, Any]] = []
    for name, value in table.items():
        if isinstance(value, dict) and value and not any(key in value for key in (*RANGE_NAMES, "choices")):
            pairs += [(f"{name}.{inner}", one) for inner, one in value.items()]
        else:
            pairs.append((name, value))
    return pairs


def _parse_parameter(value: object, kind: Kind, where: str) -> Parameter:
    if not isinstance(value, dict) or not value:
        raise ConfigError(f"{where}: expected {FORMS}, found {_empty(value)}.")
    unknown = [name for name in value if name not in (*RANGE_NAMES, "choices")]
    if unknown:
        known = ", ".join((*RANGE_NAMES, "choices"))
        raise ConfigError(f"{where}: no part is called {shown(unknown[0])}; expected of {known}.")
    if "choices" in value:
        require(len(value) == 1, where, "choices alone, without a range", value)
        return _parse_choices(value["choices"], kind, where)
    if kind.type is str:
        raise ConfigError(f"{where}: expected choices among {', '.join(kind.names)}, found a range.")
    return _parse_range(value, where, whole=kind.type is int)


def _parse_choices(values: object, kind: Kind, where: str) -> Choices:
    if not isinstance(values, list) or not 2 <= len(values) <= MOST_CHOICES:
        raise ConfigError(f"{where}: choices: expected a list of 2 to {MOST_CHOICES} values, found {shown(values)}.")
    found: list[Scalar] = []
    for value in values:
        if kind.type is str:
            if value not in kind.names:
                raise ConfigError(f"{where}: choices: expected of {', '.join(kind.names)}, found {shown(value)}.")
            one: Scalar = value
        else:
            one = _number(value, f"{where}: choices", whole=kind.type is int)
        require(one not in found, f"{where}: choices", "each value once", values)
        found.append(one)
    return Choices(tuple(found))


def _parse_range(value: dict[str, Any], where: str, *, whole: bool) -> Range:
    missing = [name for name in ("low", "high") if name not in value]
    if missing:
        raise ConfigError(f"{where}: expected low and high, found no {missing[0]}.")
    low, high = (_number(value[name], f"{where}: {name}", whole=whole) for name in ("low", "high"))
    log, step = value.get("log", False), value.get("step")
    require(isinstance(log, bool), f"{where}: log", "true or false", log)
    if low >= high:
        cure = "Exchange them" if low > high else "For one value, set it above the tables"
        raise ConfigError(f"{where}: expected low below high, found low {low:g} and high {high:g}. {cure}.")
    if log and low <= 0:
        raise ConfigError(f"{where}: expected low above 0, where log = true, found {low:g}. There is no logarithm.")
    if log and step is not None:
        raise ConfigError(f"{where}: expected log or step, found both. Leave one out.")
    if step is not None:
        step = _number(step, f"{where}: step", whole=whole)
        _check_step(low, high, step, where)
    return Range(low=low, high=high, log=log, step=step, whole=whole)


def _check_step(low: float, high: float, step: float, where: str) -> None:
    require(0 < step <= high - low, f"{where}: step", f"a number above 0 and up to {high - low:g}", step)
    start, room, exact = Decimal(str(low)), Decimal(str(high)) - Decimal(str(low)), Decimal(str(step))
    if room / exact > LARGEST or room % exact:
        last = start + room // exact * exact if room / exact <= LARGEST else low
        raise ConfigError(
            f"{where}: expected a high that steps of {step:g} from {low:g} reach, found {high:g}. The last before it "
            f"is {float(last):g}."
        )


def _number(value: object, where: str, *, whole: bool) -> int | float:
    """Return a number of the setting's type: of one that takes any number, 1 is 1.0."""
    expected, size = f"a {'whole ' * whole}number", "not too large" if whole else "finite"
    if isinstance(value, bool) or not isinstance(value, (int,) if whole else (int, float)):
        raise ConfigError(f"{where}: expected {expected}, found {shown(value)}.")
    require(abs(value) <= LARGEST if whole else _is_finite(value), where, f"{expected} that is {size}", value)
    return value if whole else float(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
