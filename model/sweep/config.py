"""What a sweep is told: a file with the settings that all trials share, a space, a sampler and a pruner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from cocoprep.checks import require, shown
from cocoprep.errors import ConfigError
from cocoprep.model.run.config import FREE_ON_RESUME, TrainConfig, flat_settings, from_builtins, merge, to_builtins
from cocoprep.model.run.resolve import read_settings
from cocoprep.model.sweep.methods import Method, parse_pruner, parse_sampler
from cocoprep.model.sweep.probes import Params, check_space
from cocoprep.model.sweep.space import Space, parse_space
from cocoprep.shards.geometry import check_one_network, geometry_differences
from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.shards.manifest import Manifest, read_manifest, records_digest
from cocoprep.shards.settings import table_of
from cocoprep.storage.store import FileStore

OWN_TABLES = ("config", "search", "sweep")
IN_SWEEP = ("sampler", "pruner")
OF_THE_START = ("network.channels", "network.convolution")  # must be those of the network that a trial begins with
# What may be told anew from time to time; how often AP is measured decides which network is kept.
FREE = FREE_ON_RESUME - {"oks_epochs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepConfig:
    """A sweep.

    Attributes:
        base: the settings that all trials share; those that are searched are as the file has them besides.
        space: what is searched, by dotted name, sorted.
        sampler: chooses what to try.
        pruner: says which trials end early.
        shards: digests of the folders, by `data` and `val`.
    """

    base: TrainConfig
    space: Space
    sampler: Method
    pruner: Method
    shards: Mapping[str, tuple[str, ...]]

    def of_trial(self, params: Params) -> TrainConfig:
        """Return the config of a trial.

        Raises:
            ConfigError: its settings cannot be together.
        """
        return _with(self.base, params, where="trial")

    def as_record(self) -> dict[str, Any]:
        """Return, as JSON can hold it, what must not change while a study goes on."""
        searched = {name for name in self.space if name != "augment"}
        whole = "augment." if "augment" in self.space else None
        settings = {
            name: value
            for name, value in _as_json(self.base).items()
            if name not in FREE and name not in searched and not (whole and name.startswith(whole))
        }
        return {
            "settings": settings,
            "search": {name: one.as_record() for name, one in self.space.items()},
            "sampler": self.sampler.as_record(),
            "pruner": self.pruner.as_record(),
            "shards": {option: list(digests) for option, digests in self.shards.items()},
        }


def read_sweep(path: str, files: FileStore) -> SweepConfig:
    """Read the file of a sweep, and check that whatever can be tried can be trained.

    Args:
        path: of a TOML file (or JSON): the settings that `train --config` takes, or `config`, the path of a file of
            them, `[search]` and `[sweep]`.
        files: where it and the folders of shards lie.

    Raises:
        ConfigError: naming what is wrong, and where.
        RecordError: a folder of shards cannot be used.
    """
    content = read_settings(path, files, option="FILE.toml")
    space = parse_space(content.get("search"), path)
    sampler, pruner = _parse_methods(content.get("sweep"), path)
    base = _parse_base(content, path, files)
    _check_start(base, space, path)
    data, shards = _read_shards(base, files)
    config = SweepConfig(base=base, space=space, sampler=sampler, pruner=pruner, shards=shards)
    check_space(config.of_trial, space, data, path)
    return config


def _parse_methods(table: object, path: str) -> tuple[Method, Method]:
    table = {} if table is None else table
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: [sweep]: expected a table, found {shown(table)}.")
    for name in table:
        if name not in IN_SWEEP:
            raise ConfigError(f"{path}: [sweep]: expected of {', '.join(IN_SWEEP)}, found {shown(name)}.")
    return parse_sampler(table.get("sampler"), path), parse_pruner(table.get("pruner"), path)


def _parse_base(content: dict[str, Any], path: str, files: FileStore) -> TrainConfig:
    known = {field.name for field in fields(TrainConfig)}
    for name in content:
        if name not in known and name not in OWN_TABLES:
            what = ", ".join((*OWN_TABLES, *sorted(known)))
            raise ConfigError(f"{path}: nothing is called {shown(name)}; expected of {what}.")
    settings = to_builtins(TrainConfig(data=""))
    if (other := content.get("config")) is not None:
        require(isinstance(other, str) and other != "", f"{path}: config", "the path of a file of settings", other)
        settings = merge(settings, read_settings(other, files, option=f"{path}: config"), where=other)
    own = {name: value for name, value in content.items() if name not in OWN_TABLES}
    base = from_builtins(merge(settings, own, where=path), where=path)
    if not base.folders or not all(base.folders):
        raise ConfigError(f"{path}: data: expected a folder that `cocoprep build` has made, found nothing.")
    if not base.val_folders or not all(base.val_folders):
        raise ConfigError(
            f"{path}: val: expected a built folder to validate on, found nothing. Trials are held against each other "
            'by their PCK@0.2 on it: add val = "FOLDER".'
        )
    return base


def _check_start(base: TrainConfig, space: Space, path: str) -> None:
    if base.init is not None and (found := [name for name in OF_THE_START if name in space]):
        raise ConfigError(
            f"{path}: [search]: {found[0]} cannot be searched where trials begin with the weights of "
            f"{shown(base.init)}, which fit one alone. Leave it, or init, out."
        )


def _read_shards(base: TrainConfig, files: FileStore) -> tuple[Manifest, dict[str, tuple[str, ...]]]:
    """Return the first folder's manifest, and digests of all."""
    data, val = ([read_manifest(path, files) for path in paths] for paths in (base.folders, base.val_folders))
    check_one_network(base.folders, data, "data")
    check_one_network(base.val_folders, val, "val")
    for path, manifest in zip(base.val_folders, val, strict=True):
        for name, ours, theirs in geometry_differences(data[0].crop, table_of(data[0].keypoints), manifest):
            raise ConfigError(
                f"val: expected the {name} of data, {ours!s:.300}, found {theirs!s:.300} in {path}. Build both with "
                "the same options."
            )
        read_ground_truth(path, files)
    return data[0], {"data": tuple(map(records_digest, data)), "val": tuple(map(records_digest, val))}


def _with(base: TrainConfig, params: Params, *, where: str) -> TrainConfig:
    nested: dict[str, Any] = {}
    for name, value in params.items():
        table, _, inner = name.rpartition(".")
        (nested.setdefault(table, {}) if table else nested)[inner] = value
    return from_builtins(merge(to_builtins(base), nested, where=where), where=where)


def differences(before: object, now: Mapping[str, Any]) -> list[str]:
    """Say what differs between the record of a study and that of a file, by dotted names.

    Args:
        before: as the study holds it, which may be anything.
        now: of `SweepConfig.as_record`.
    """
    if not isinstance(before, dict):
        return [f"the study says {shown(before)} of its settings"]
    ours, theirs = _leaves(now), _leaves(before)
    # What an earlier version did not have yet went by what is the default now.
    defaults = _leaves({"settings": _as_json(TrainConfig(data=""))})
    theirs |= {name: value for name, value in defaults.items() if name in ours and name not in theirs}
    nothing = object()
    odd = [name for name in {**theirs, **ours} if ours.get(name, nothing) != theirs.get(name, nothing)]
    return [
        f"{shown(name)[1:-1]} was {shown(theirs[name]) if name in theirs else 'not there'}, now "
        f"{shown(ours[name]) if name in ours else 'not there'}"
        for name in odd
    ]


def _as_json(config: TrainConfig) -> dict[str, Any]:
    """Return settings by dotted names, as JSON gives them back."""
    flat = flat_settings(to_builtins(config))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in flat.items()}


def _leaves(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record.items():
        found |= _leaves(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {prefix + name: value}
    return found
