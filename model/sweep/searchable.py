"""Which settings of a run can be searched, and of what type each is."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from cocoprep.checks import shown
from cocoprep.errors import ConfigError
from cocoprep.model.augment.config import STRENGTHS, AugmentConfig
from cocoprep.model.run.config import TrainConfig

_WHAT = "it says what is learned from, and trials on other people cannot be held against each other"
_HOW = "it says how a run is carried out, not what it learns"
# setting -> why no search makes sense of it
NOT_SEARCHED = {
    "data": _WHAT,
    "val": _WHAT,
    "weights": _WHAT,
    "subset": _WHAT,
    "init": "it names a file",
    "seed": "a seed that came out best says nothing of the settings",
    "epochs": "trials of other lengths cannot be held against each other, epoch by epoch",
    "freeze": "it is a list",
    "optimizer.decay_at": "it is a list",
    "optimizer.rates": "it is a table",
    **dict.fromkeys(
        ("backend", "xla", "devices", "checkpoint_steps", "checkpoint_minutes", "keep", "log_steps", "oks_epochs",
         "cache", "on_bad_record"),
        _HOW,
    ),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Kind:
    """What values a setting takes: whole numbers, numbers, or one of some names."""

    type: type[int] | type[float] | type[str]
    names: tuple[str, ...] = ()


def _kinds(config: type[Any], prefix: str = "") -> Iterator[tuple[str, Kind]]:
    for name, hint in get_type_hints(config).items():
        full = prefix + name
        if full in NOT_SEARCHED:
            continue
        if hint is AugmentConfig:
            yield full, Kind(str, tuple(STRENGTHS))
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from _kinds(hint, f"{full}.")
        elif get_origin(hint) is Literal:
            yield full, Kind(str, get_args(hint))
        else:
            (number,) = set(get_args(hint)) - {type(None)} if get_origin(hint) is UnionType else {hint}
            if number not in (int, float):
                raise TypeError(f"{full} is of {hint}: NOT_SEARCHED has to say why it cannot be searched")
            yield full, Kind(number)


SEARCHABLE: dict[str, Kind] = dict(_kinds(TrainConfig))


def kind_of(name: str, where: str) -> Kind:
    """Return the kind of a setting that can be searched.

    Raises:
        ConfigError: there is none of this name, or it cannot be.
    """
    if name in NOT_SEARCHED:
        raise ConfigError(f"{where}: {name} cannot be searched: {NOT_SEARCHED[name]}. Set it above the tables.")
    if name not in SEARCHABLE:
        near = difflib.get_close_matches(name, SEARCHABLE, n=3, cutoff=0.5)
        nearest = f" Nearest in name: {', '.join(near)}." if near else ""
        raise ConfigError(
            f"{where}: no setting that can be searched is called {shown(name)}; expected one of "
            f"{', '.join(SEARCHABLE)}.{nearest}"
        )
    return SEARCHABLE[name]
