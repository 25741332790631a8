"""Put the config of a run together: defaults, then the stored run's or a file's, then what the command line says.

Loads neither TensorFlow nor Keras.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from pathlib import Path
from typing import Any

from cocoprep.errors import ConfigError
from cocoprep.model.run.config import TrainConfig, from_builtins, merge, to_builtins
from cocoprep.model.run.folder import RunFolder, check_run_dir
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file


def resolve_config(
    run_dir: str, config_file: str | None, changes: dict[str, Any], *, resume: bool, files: FileStore = AnyFiles()
) -> TrainConfig:
    """Return the config of a run.

    Args:
        run_dir: of the run; where it is resumed, its stored config takes the place of the defaults.
        config_file: JSON or TOML of settings, or None.
        changes: settings by name, `table.name` for one within a table.
        resume: whether to go on with a stored run.
        files: where the file of settings lies; by default, on this machine or in a bucket, as its path says.

    Raises:
        ConfigError: no such setting, a wrong value, settings that cannot be together, no data to train on, or the
            run's folder would lie in a bucket.
    """
    check_run_dir(run_dir)
    folder = RunFolder(run_dir)
    stored = folder.read_config() if resume and folder.has_run() else TrainConfig(data="")
    base = to_builtins(stored)
    if config_file is not None:
        base = merge(base, read_settings(config_file, files), where=config_file)
        _check_file(base, config_file)
    config = from_builtins(merge(base, _nested(changes), where="options"), where="options")
    if resume and not config.data and not folder.has_run():
        raise ConfigError(
            f"--resume: expected a run in {run_dir}, found none, and no --data to begin one on.{_runs_beside(folder)}"
        )
    if not config.folders or not all((*config.folders, *config.val_folders)):
        raise ConfigError("--data: expected a folder that `cocoprep build` has made, found nothing.")
    config.check_together()
    return config


def _runs_beside(folder: RunFolder) -> str:
    """Return in words which runs beside a folder it may be meant for, the likeliest first."""
    path = Path(os.path.abspath(folder.path))
    try:
        beside = [one.name for one in path.parent.iterdir() if RunFolder(str(one)).has_run()]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, beside, n=3, cutoff=0)
    return f" Of the runs beside it, nearest in name: {', '.join(near)}." if near else ""


def _check_file(settings: dict[str, Any], path: str) -> None:
    """Check settings as a file leaves them, so that what is wrong there is told as the file's."""
    try:
        from_builtins(settings, where=path)
    except ConfigError as error:
        said = str(error)
        raise ConfigError(said if said.startswith(path) else f"{path}: {said}") from error


def read_settings(path: str, files: FileStore, *, option: str = "--config") -> dict[str, Any]:
    """Read a file of settings: TOML where its name ends so, else JSON; `option` is what names it.

    Raises:
        ConfigError: it cannot be read.
    """
    is_toml = path.endswith(".toml")
    expected = f"{'a TOML' if is_toml else 'a JSON'} file of settings"
    data = read_user_file(path, files, expected, refusal=ConfigError, option=option)
    try:
        settings = tomllib.loads(data.decode()) if is_toml else json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{option}: {path}: expected {expected}, found something else ({error}).") from error
    if not isinstance(settings, dict):
        raise ConfigError(f"{option}: {path}: expected a table of settings, found {type(settings).__name__}.")
    return settings


def _nested(changes: dict[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in changes.items():
        table, _, inner = name.rpartition(".")
        (nested.setdefault(table, {}) if table else nested)[inner] = value
    return nested
