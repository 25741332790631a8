"""Environments of their own for what is installed, made in a moment: they share the packages of the one that tests."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path


def new_environment(folder: Path) -> Path:
    """Make an environment that has the packages of this one, but for cocoprep, without a download; return its Python.

    The folders of packages go on its path one by one. Files ending in .pth are not obeyed in them, so that an editable
    install of cocoprep, which is such a file, stays behind; and what is installed anew comes before them.
    """
    venv.create(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    others = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "others.pth").write_text("\n".join(others) + "\n")
    return folder / "bin" / "python"


def install(python: Path, *what: str | Path, pythonpath: str | Path | None = None) -> None:
    """Install into an environment with pip, without what is required."""
    command = ["-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--force-reinstall", *what]
    run_in(python.parent, sys.executable, *command, pythonpath=pythonpath)


def run_in(folder: Path, *command: str | Path, pythonpath: str | Path | None = None, timeout: float = 300) -> str:
    """Run a command in a folder, with nothing on Python's path but what is given; return what it printed."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if pythonpath is not None:
        variables["PYTHONPATH"] = str(pythonpath)
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=variables,
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
