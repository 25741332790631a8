"""Engines outside PyPI, for tests: Flink by Beam's job server, and Prism; workers start as in Beam's containers.

`make engines` fetches and builds them. Prism speaks to us through the same interface as Flink does, and to workers as
Dataflow does: it is the engine for where Flink cannot be had.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("COCOPREP_ENGINES", Path(__file__).parents[3] / ".engines"))
PARALLELISM = 2
ENGINES = [
    pytest.param(("prism", "LOOPBACK"), marks=pytest.mark.prism, id="prism-loopback"),
    pytest.param(("prism", "PROCESS"), marks=pytest.mark.prism, id="prism-process"),
    pytest.param(("flink", "LOOPBACK"), marks=[pytest.mark.flink, pytest.mark.long], id="flink-loopback"),
    pytest.param(("flink", "PROCESS"), marks=pytest.mark.flink, id="flink-process"),
]
WITH_PROCESSES = [ENGINES[1], ENGINES[3]]


# In LOOPBACK workers are threads of ours, and their ends are Beam's.
LEAVES_THREADS = pytest.mark.filterwarnings("ignore:Exception in thread:pytest.PytestUnhandledThreadExceptionWarning")


@dataclass(frozen=True)
class Engine:
    """An engine's name in Beam, and the options with which it runs here."""

    runner: str
    options: tuple[str, ...]


def find_engine(name: str, environment: str, folder: Path, python: Path = Path(sys.executable)) -> Engine:
    """Return an engine, or skip where it cannot be had. `folder` is for its workers' files."""
    if name == "flink":
        options = [
            "--flink_master=[local]", f"--flink_job_server_jar={flink_jar()}",
            f"--parallelism={PARALLELISM}", f"--sdk_worker_parallelism={PARALLELISM}",
        ]  # fmt: skip
        runner = "FlinkRunner"
    else:
        options = [f"--prism_location={_made('prism')}"]
        runner = "PrismRunner"
    options.append(f"--environment_type={environment}")
    if environment == "PROCESS":
        options.append(entry_point(folder, python))
    return Engine(runner, tuple(options))


def flink_jar() -> Path:
    """Return Beam's Flink job server, which holds Flink too, or skip where it cannot be had."""
    if shutil.which("java") is None:
        pytest.skip("no Flink: there is no java")
    return _made("flink/flink-job-server.jar")


def end_workers(folder: Path) -> None:
    """End the workers that still run in `folder`: where Prism ends their entry point, they find out a minute later."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").resolve() == folder.resolve():
                    os.kill(int(entry.name), signal.SIGKILL)


def _made(name: str) -> Path:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"no {path}: `make engines` could not get it, or was not run")
    return path


def entry_point(folder: Path, python: Path = Path(sys.executable)) -> str:
    """Write a command that starts workers as the entry point of Beam's containers does; return the option for it."""
    path = folder / "boot.sh"
    # Prism gives the worker's name in quotation marks, as if a shell would read them.
    path.write_text(
        "#!/bin/sh\n"
        f"cd {folder}\n"  # Python would find the source tree in the one it is started from
        f"export PATH={python.parent}:$PATH RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1\n"
        f'eval "exec {_made("container")} --semi_persist_dir={folder} $*"\n'
    )
    path.chmod(0o755)
    return f"--environment_config={json.dumps({'command': str(path)})}"
