"""What `cocoprep sweep` does, and what it says at the end."""

from __future__ import annotations

import importlib.util
import os
from pathlib import PurePath

from cocoprep.cli.paths import check_paths
from cocoprep.cli.say import say, say_note
from cocoprep.cli.sweep_report import SweepReport, tell_results
from cocoprep.cli.train_report import stop_on_signals
from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.model.backends.choice import default_backend
from cocoprep.model.sweep.config import read_sweep
from cocoprep.model.sweep.database import check_optuna, open_database, sqlite_path
from cocoprep.model.sweep.place import Place
from cocoprep.model.sweep.results import write_results
from cocoprep.model.sweep.study import SweepStudy, check_name
from cocoprep.model.sweep.sweep import Sweep
from cocoprep.storage.by_scheme import AnyFiles

STOPPING = "stopping: the trial finishes its step, then saves"


def run_job(file: str, *, study: str, trials: int, name: str | None, run_dir: str | None) -> None:
    """Carry out trials until the study has so many, then write and say what came of them."""
    check_optuna()
    database = sqlite_path(study)
    check_paths({"FILE.toml": file})
    _check_installed("cv2", "matplotlib")
    config = read_sweep(file, AnyFiles())
    _check_installed(default_backend() if config.base.backend == "auto" else config.base.backend)
    name = check_name(PurePath(file).stem if name is None else name)
    folder = run_dir or os.path.join(os.path.dirname(database or "runs/"), name)
    if database is not None and os.path.realpath(database) == os.path.realpath(folder):
        raise ConfigError(
            f"--study: {database} is to be the folder of the trials' runs. Name the database otherwise, such as "
            f"{database}.db, or the folder, by --run-dir."
        )
    place = Place(folder)
    with place.alone():  # two processes at once would make the tables twice
        storage = open_database(study)
    opened = SweepStudy(storage, name, config, place)
    if opened.waiting():
        say_note(f"{opened.waiting()} trials that somebody has put into the study to be run are left alone")
    try:
        with SweepReport(opened, trials) as report, stop_on_signals(STOPPING) as stops:
            Sweep(opened, report).run(trials, stops)
    except KeyboardInterrupt:
        _tell_rest(opened)
        say(f"{place.path}: the same command goes on where it stopped", err=True)
        raise
    except CocoprepError:
        _tell_rest(opened)
        raise
    tell_results(opened, write_results(opened))


def _tell_rest(study: SweepStudy) -> None:
    """Write what there is so far; what ended the sweep is told all the same."""
    try:
        write_results(study)
    except CocoprepError as error:
        say_note(f"what came of the trials so far is not written: {error}")


def _check_installed(*modules: str) -> None:
    """Say now what each trial's process would fail for: to load it here would take seconds, and memory all along."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ConfigError(
                f"sweep needs {module}, which comes with training: pip install 'cocoprep[train,sweep]', on JAX "
                "'cocoprep[jax,sweep]', or `make train` in the source tree."
            )
