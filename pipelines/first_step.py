"""The first step of a build, in a fresh process: within the pipeline, or ahead of it while an engine comes up.

It needs no Beam, and Beam takes a second or more to load.
"""

from __future__ import annotations

import pickle
from pathlib import Path

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.packing import PackedShard
from cocoprep.builder.start import StartedBuild, start_build
from cocoprep.builder.under_way import BuildMark
from cocoprep.pipelines.fresh_process import run_in_fresh_process
from cocoprep.storage.disk_errors import no_temporary
from cocoprep.storage.store import FileStore

FirstStep = tuple[StartedBuild, list[PackedShard]]


def run_first_step(config: BuildConfig, files: FileStore, mark: BuildMark | None) -> FirstStep:
    """Return what `start_build` finds. Raises as it does, and as `run_in_fresh_process`."""
    return run_in_fresh_process(start_build, config, files, mark)


def run_first_step_ahead(answer: Path, config: BuildConfig, files: FileStore, mark: BuildMark) -> None:
    """Leave what `start_build` finds in a file. Raises as it does, and as `run_in_fresh_process`."""
    run_in_fresh_process(_write_first_step, answer, config, files, mark)


def read_first_step(answer: Path) -> FirstStep:
    """Return what `run_first_step_ahead` has left in a file."""
    found: FirstStep = pickle.loads(answer.read_bytes())  # noqa: S301 - from our own process
    return found


def _write_first_step(answer: Path, config: BuildConfig, files: FileStore, mark: BuildMark) -> None:
    found = start_build(config, files, mark)
    try:
        answer.write_bytes(pickle.dumps(found))
    except OSError as error:
        raise no_temporary(error) from error
