"""The import direction, and what may be loaded without being asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRAINING = {"tensorflow", "keras", "cv2", "matplotlib", "tensorboard"}
HEAVY = {"apache_beam", "torch", "jax", *TRAINING}
# Who may import whom; the core is everything of cocoprep but its command line and its report.
ALLOWED = {
    "core": {"core"},
    "report": {"core", "report"},
    "cli": {"core", "cli", "report", "pipelines", "model"},
    "pipelines": {"core", "pipelines"},
    "model": {"core", "model"},
}
OWN_HEAVY = {
    "core": set(), "report": {"matplotlib"}, "cli": set(), "pipelines": {"apache_beam"}, "model": TRAINING,
}  # fmt: skip


def room_of(module):
    if module == "cocoprep.cli" or module.startswith("cocoprep.cli.") or module == "cocoprep.__main__":
        return "cli"
    if module == "cocoprep.report" or module.startswith("cocoprep.report."):
        return "report"
    top = module.split(".")[0]
    return {"cocoprep": "core", "pipelines": "pipelines", "model": "model"}.get(top)


def modules():
    for top in ("cocoprep", "pipelines", "model"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_keep_the_direction(module, path):
    room = room_of(module)
    for name in imports_of(path):
        other = room_of(name)
        assert other is None or other in ALLOWED[room], f"{module} ({room}) imports {name} ({other})"
        top = name.split(".")[0]
        assert top not in HEAVY or top in OWN_HEAVY[room], f"{module} ({room}) imports {name}"


def loaded_by(code):
    """Return the modules that a fresh interpreter has loaded after running some code."""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('\\n'.join(sorted(sys.modules)))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(run.stdout.split())


def test_the_core_loads_without_beam_and_tensorflow():
    names = [module for module, _ in modules() if room_of(module) == "core"]
    loaded = loaded_by("\n".join(f"import {name}" for name in names))
    assert {"numpy", "PIL", *names} <= loaded
    assert not loaded & HEAVY


def test_the_report_loads_without_what_opens_windows():
    names = [module for module, _ in modules() if room_of(module) == "report"]
    loaded = loaded_by("\n".join(f"import {name}" for name in names))
    assert "matplotlib" in loaded
    assert not loaded & (HEAVY - {"matplotlib"} | {"matplotlib.pyplot", "tkinter"})


def test_the_pipelines_load_without_tensorflow():
    assert not loaded_by("import pipelines.build, pipelines.transforms, pipelines.local, pipelines.remote") & {
        "tensorflow", "keras",
    }  # fmt: skip


def test_batches_load_without_tensorflow():
    loaded = loaded_by("import model.batches")
    assert "cv2" in loaded
    assert not loaded & {"tensorflow", "keras", "apache_beam"}


def test_help_loads_nothing_heavy():
    from cocoprep.cli import COMMANDS

    helps = "\n".join(f"cli([{name!r}, '--help'], standalone_mode=False)" for name in COMMANDS)
    loaded = loaded_by(f"from cocoprep.cli import cli\n{helps}")
    assert "click" in loaded
    assert not loaded & (HEAVY | {"numpy", "PIL", "pyarrow", "pycocotools", "rich", "msgspec"})
