"""One run on several hosts: the first one's folder is the run's, the others work in copies of what is in it.

Every host does the same, but for its rows of each batch: it has the whole network, and all figures. What a copy holds
in the end may go; and whether all have the same settings and shards is what going on with a run asks anyway.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cocoprep.errors import CocoprepError, ConfigError, HostError
from cocoprep.model.backends.hosts import Hosts
from cocoprep.model.run.folder import CONFIG, RUN
from cocoprep.model.run.log import LOG
from cocoprep.storage.disk_errors import no_temporary
from cocoprep.storage.held_folder import held_folder

if TYPE_CHECKING:
    from cocoprep.model.training.train import TrainingRun

T = TypeVar("T")
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
        HostError: this one failed later, or another one is gone.
    """
    if hosts.count == 1:
        yield open_run(run_dir, resume)
        return
    is_first = hosts.place == 0
    with losses_told(hosts), ExitStack() as held:
        first = _begun(hosts, (lambda: _saved(open_run(run_dir, resume))) if is_first else None)
        run, files = first or (None, {})
        names = json.loads(hosts.share(json.dumps(list(files)).encode()))
        copied = {name: hosts.share(files.get(name, b"")) for name in names}
        told = json.loads(hosts.share(json.dumps(run and _told(run)).encode()))

        def open_copy() -> TrainingRun:
            folder = _held_copy(held, copied)
            try:
                return _checked(open_run(folder, True), told)
            except CocoprepError as error:  # of a folder that nobody knows, and of an option that nobody gave
                said = str(error).replace(folder, f"the run of host 0, {run_dir},").removeprefix("--resume: ")
                raise type(error)(f"{said} All hosts want the same options, and the same shards.") from error

        try:
            run = _begun(hosts, None if is_first else open_copy) or run
        except CocoprepError as error:
            if run is None or run.now.step:
                raise
            kept = f"{run_dir} has a run of step 0 now: with --resume on all hosts it goes on, or remove it."
            raise type(error)(f"{error} {kept}") from error
        assert run is not None
        try:
            yield run
        except CocoprepError as error:  # here alone: the others wait for this one
            raise HostError(str(error)) from error


@contextmanager
def losses_told(hosts: Hosts) -> Iterator[None]:
    """Say in words of ours that another host is gone, wherever this one meets that.

    Raises:
        HostError: it is.
    """
    try:
        yield
    except Exception as error:
        if not hosts.is_loss(error):
            raise
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise HostError(
            f"host {hosts.place} cannot go on: another one is gone or cannot be reached, or "
            f"its own devices fail ({said:.300}). See what the others say; then --resume on all of them goes on."
        ) from error


def _saved(run: TrainingRun) -> tuple[TrainingRun, dict[str, bytes]]:
    """Return a run with the files that another host needs to do as this one does from here on."""
    run.save()  # the others begin with its weights, whatever their processors would have drawn
    names = [CONFIG, RUN, LOG, os.path.relpath(run.checkpoints.path(run.now.step), run.folder.path)]
    return run, {name: run.folder.files.read_bytes(run.folder.at(name)) for name in names}


def _held_copy(held: ExitStack, files: Mapping[str, bytes]) -> str:
    """Write a run's files into a folder that lasts as long as it is held; return its path."""
    try:
        folder = held.enter_context(held_folder())
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise no_temporary(error) from error
    return folder


def _told(run: TrainingRun) -> dict[str, int]:
    """Return what may differ when a run goes on, and on all hosts must be the same."""
    return {"--epochs": run.config.epochs, "--val": len(run.config.val_folders)}


def _checked(run: TrainingRun, told: dict[str, int]) -> TrainingRun:
    for option, ours in _told(run).items():
        if told[option] != ours:
            raise ConfigError(f"{option}: expected what host 0 is told, {told[option]}, found {ours}.")
    return run


def _begun(hosts: Hosts, begin: Callable[[], T] | None) -> T | None:
    """Begin here, if that is to be, and return what that gives, once it has been done everywhere.

    Raises whatever went wrong here, and CocoprepError where it did elsewhere.
    """
    begun, wrong = None, None
    try:
        begun = begin and begin()
    except Exception as error:  # whatever it is: the others wait for this one
        wrong = error
    odd = [place for place, failed in enumerate(hosts.gather(wrong is not None)) if failed]
    if wrong is not None:
        raise wrong
    if odd:
        raise CocoprepError(f"host {odd[0]} (of 0 to {hosts.count - 1}) cannot begin; it says why.")
    return begun
