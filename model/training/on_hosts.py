"""One run on several hosts: the first one's folder is the run's, the others work in copies of what is in it.

Every host does the same, but for its rows of each batch: it has the whole network, and all figures. What a copy holds
in the end may go; and whether all have the same settings and shards is what going on with a run asks anyway.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.model.backends.hosts import Hosts
from cocoprep.model.run.folder import CONFIG, RUN
from cocoprep.model.run.log import LOG
from cocoprep.storage.held_folder import held_folder

if TYPE_CHECKING:
    from cocoprep.model.training.train import TrainingRun

Open = Callable[[str, bool], "TrainingRun"]  # of the run's folder, and whether to go on with what is there


@contextmanager
def opened_on_hosts(hosts: Hosts, run_dir: str, open_run: Open, *, resume: bool) -> Iterator[TrainingRun]:
    """Open a run on every host, or on none.

    Args:
        hosts: those that train together.
        run_dir: the run's folder, on the first of them.
        open_run: opens it there, and its copy on the others.
        resume: go on with a run that is there.

    Raises:
        CocoprepError: `open_run` did, here or on another host.
    """
    if hosts.count == 1:
        yield open_run(run_dir, resume)
        return
    is_first = hosts.place == 0
    first = _begun(hosts, (lambda: _saved(open_run(run_dir, resume))) if is_first else None)
    with held_folder() as temporary:
        for name in json.loads(hosts.share(json.dumps(first and _files_of(first)).encode())):
            data = hosts.share(Path(run_dir, name).read_bytes() if is_first else b"")
            if not is_first:
                path = Path(temporary, name)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(data)
        told = json.loads(hosts.share(json.dumps(first and _told(first)).encode()))
        other = _begun(hosts, None if is_first else (lambda: _checked(open_run(temporary, True), told)))
        run = first or other
        assert run is not None
        yield run


def _saved(run: TrainingRun) -> TrainingRun:
    run.save()  # the others begin with its weights, whatever their processors would have drawn
    return run


def _files_of(run: TrainingRun) -> list[str]:
    """Return the names of what another host needs to do as this one does from here on."""
    return [CONFIG, RUN, LOG, os.path.relpath(run.checkpoints.path(run.now.step), run.folder.path)]


def _told(run: TrainingRun) -> dict[str, int]:
    """Return what may differ when a run goes on, and on all hosts must be the same."""
    return {"--epochs": run.config.epochs, "--val": len(run.config.val_folders)}


def _checked(run: TrainingRun, told: dict[str, int]) -> TrainingRun:
    for option, ours in _told(run).items():
        if told[option] != ours:
            raise ConfigError(f"{option}: expected what host 0 is told, {told[option]}, found {ours}.")
    return run


def _begun(hosts: Hosts, begin: Callable[[], TrainingRun] | None) -> TrainingRun | None:
    """Begin here, if that is to be, and return once it has been done everywhere.

    Raises whatever went wrong here, and CocoprepError where it did elsewhere.
    """
    run, wrong = None, None
    try:
        run = begin and begin()
    except Exception as error:  # whatever it is: the others wait for this one
        wrong = error
    odd = [place for place, failed in enumerate(hosts.gather(wrong is not None)) if failed]
    if wrong is not None:
        raise wrong
    if odd:
        raise CocoprepError(f"host {odd[0]} of {hosts.count}, from 0, cannot begin; it says why.")
    return run
