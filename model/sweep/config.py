"""What a sweep is told: a file with the settings that all trials share, a space, a sampler and a pruner."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

from cocoprep.checks import require, shown
from cocoprep.errors import ConfigError
from cocoprep.model.backends.choice import default_backend
from cocoprep.model.run.config import FREE_ON_RESUME, TrainConfig, flat_settings, from_builtins, merge, to_builtins
from cocoprep.model.run.folder import network_to_begin_with
from cocoprep.model.run.resolve import read_settings
from cocoprep.model.sweep.methods import Method, parse_pruner, parse_sampler
from cocoprep.model.sweep.probes import Params, check_space
from cocoprep.model.sweep.space import Space, parse_space
from cocoprep.shards.geometry import check_one_network, geometry_differences
from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.shards.manifest import read_manifest, records_digest
from cocoprep.shards.settings import table_of
from cocoprep.storage.store import FileStore

OWN_TABLES = ("config", "search", "sweep")
START = "the network of init"  # in the record of a study
UNTOLD_BEFORE = {"settings.backend", START}
IN_SWEEP = ("sampler", "pruner")
OF_THE_START = ("network.channels", "network.convolution")  # must be those of the network that a trial begins with
# What may be told anew from time to time; how often AP is measured decides which network is kept.
FREE = FREE_ON_RESUME - {"oks_epochs", "backend"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepConfig:
    """A sweep.

    Attributes:
        base: the settings that all trials share; those that are searched are as the file has them besides.
        space: what is searched, by dotted name, sorted.
        sampler: chooses what to try.
        pruner: says which trials end early.
        shards: digests of the folders, by `data` and `val`.
        start: digest of the network that trials begin with; None for none.
    """

    base: TrainConfig
    space: Space
    sampler: Method
    pruner: Method
    shards: Mapping[str, tuple[str, ...]]
    start: str | None = None

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
            for name, value in _told(self.base).items()
            if name not in FREE and name not in searched and not (whole and name.startswith(whole))
        }
        return {
            "settings": settings,
            "search": {name: one.as_record() for name, one in self.space.items()},
            "sampler": self.sampler.as_record(),
            "pruner": self.pruner.as_record(),
            "shards": {option: list(digests) for option, digests in self.shards.items()},
            **({} if self.start is None else {START: self.start}),
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
    from cocoprep.model.input.mixture import open_mixture  # which loads OpenCV

    content = read_settings(path, files, option="FILE.toml")
    space = parse_space(content.get("search"), path)
    sampler, pruner = _parse_methods(content.get("sweep"), path)
    base = _parse_base(content, path, files)
    if "network.stacks" not in space:
        with _told_of(path):
            base.check_together()
    start = None if base.init is None else _read_start(base, base.init, space, path, files)
    shards = _read_shards(base, files)
    config = SweepConfig(base=base, space=space, sampler=sampler, pruner=pruner, shards=shards, start=start)
    with _told_of(path):
        # Who is damaged, each trial finds: to know it, every record has to be read.
        people = open_mixture(base.folders, replace(base.read, on_bad_record="fail", cache=False), files)
    check_space(config.of_trial, space, people, path)
    return config


@contextmanager
def _told_of(path: str) -> Iterator[None]:
    """Say of what is wrong with a setting in which file it is."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


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
    if base.devices == "hosts":
        raise ConfigError(f"{path}: devices: a trial runs on one host. Expected one or all, found hosts.")
    if not base.folders or not all(base.folders):
        raise ConfigError(f"{path}: data: expected a folder that `cocoprep build` has made, found nothing.")
    if not base.val_folders or not all(base.val_folders):
        raise ConfigError(
            f"{path}: val: expected a built folder to validate on, found nothing. Trials are held against each other "
            'by their PCK@0.2 on it: add val = "FOLDER".'
        )
    return base


def _read_start(base: TrainConfig, init: str, space: Space, path: str, files: FileStore) -> str:
    """Return the digest of the network that trials begin with, if they can."""
    if found := [name for name in OF_THE_START if name in space]:
        raise ConfigError(
            f"{path}: [search]: {found[0]} cannot be searched where trials begin with the weights of {shown(init)}, "
            "which fit one alone. Leave it, or init, out."
        )
    run, network = network_to_begin_with(init, files)
    if run is not None:
        if not run.has_run():
            raise ConfigError(f"{path}: init: expected a run, or a .keras file, found none in {init}.")
        ours, theirs = (flat_settings(to_builtins(config)) for config in (base, run.read_config()))
        for name in OF_THE_START:
            if ours[name] != theirs[name]:
                raise ConfigError(
                    f"{path}: {name}: expected {theirs[name]!r}, as {shown(init)} has it, found {ours[name]!r}."
                )
    if not files.exists(network):
        raise ConfigError(f"{path}: init: expected a run with a network, or a .keras file; {network} is not there.")
    try:
        return hashlib.sha256(files.read_bytes(network)).hexdigest()[:16]
    except OSError as error:
        raise ConfigError(f"{path}: init: {network} cannot be read ({error.strerror or error}).") from error


def _read_shards(base: TrainConfig, files: FileStore) -> dict[str, tuple[str, ...]]:
    """Return digests of all folders, once they are known to fit each other."""
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
    return {"data": tuple(map(records_digest, data)), "val": tuple(map(records_digest, val))}


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
    defaults = _leaves({"settings": _told(TrainConfig(data=""))})
    del defaults["settings.backend"]
    theirs |= {name: value for name, value in defaults.items() if name in ours and name not in theirs}
    for name in UNTOLD_BEFORE & ours.keys():  # by what an earlier version went, it did not say
        theirs.setdefault(name, ours[name])
    nothing = object()
    odd = [name for name in {**theirs, **ours} if ours.get(name, nothing) != theirs.get(name, nothing)]
    return [
        f"{shown(name)[1:-1]} was {shown(theirs[name]) if name in theirs else 'not there'}, now "
        f"{shown(ours[name]) if name in ours else 'not there'}"
        for name in odd
    ]


def _told(config: TrainConfig) -> dict[str, Any]:
    """Return settings by dotted names, as JSON gives them back; of the backend, what it comes to here."""
    flat = flat_settings(to_builtins(config))
    if config.backend == "auto":  # another draws other weights
        flat["backend"] = default_backend()
    return {name: list(value) if isinstance(value, tuple) else value for name, value in flat.items()}


def _leaves(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record.items():
        found |= _leaves(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {prefix + name: value}
    return found
