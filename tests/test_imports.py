"""The rooms of the house: who may import whom, that nobody imports in a circle, and what loads what."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRAINING = {"tensorflow", "keras", "cv2", "matplotlib", "tensorboard"}
HEAVY = {"apache_beam", "torch", "jax", *TRAINING}

# What everybody may import, and which imports nothing of ours but itself.
GROUND = {"errors", "version", "workers", "checks"}
_SHARDS = {"storage", "pose", "coco", "crops", "shards"}
_CORE = {*_SHARDS, "evaluation", "draw"}
_MODEL = {*_CORE, "model.draws"}
# room: the rooms that it may import, besides itself and the ground.
ALLOWED = {
    "storage": set(),
    "pose": set(),
    "coco": {"storage", "pose"},
    "crops": {"storage", "pose", "coco"},
    "shards": {"storage", "pose", "coco", "crops"},
    "evaluation": {"storage", "pose", "coco", "shards"},
    "builder": {*_SHARDS, "evaluation"},
    "draw": _SHARDS,
    "report": _CORE,
    "sample": {"pose"},
    "pipelines": {*_SHARDS, "evaluation", "builder"},
    "pipelines.local": {*_SHARDS, "evaluation", "builder", "pipelines"},
    "pipelines.remote": {*_SHARDS, "evaluation", "builder", "pipelines"},
    "model.draws": set(),
    "model.network": _CORE,
    "model.augment": _MODEL,
    "model.input": {*_MODEL, "model.augment"},
    "model.run": {*_MODEL, "model.augment", "model.input", "model.network"},
    "model.predict": {*_MODEL, "model.augment", "model.input", "model.network", "model.run"},
    "model.training": {*_MODEL, "model.augment", "model.input", "model.network", "model.run", "model.predict"},
    "model.export": {*_MODEL, "model.augment", "model.input", "model.network", "model.run", "model.predict"},
}
ALLOWED["cli"] = set(ALLOWED)
# Who loads what takes long to load, or is not installed everywhere.
OWN_HEAVY = {"report": {"matplotlib"}, "pipelines": {"apache_beam"}, "model": TRAINING}


def modules():
    """Yield (name, path) of every module of the package, by the one name under which it is imported."""
    for folder, folders, names in os.walk(ROOT / "cocoprep", followlinks=True):
        folders[:] = sorted(set(folders) - {"__pycache__"})
        for name in sorted(names):
            if name.endswith(".py"):
                path = Path(folder) / name
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def room_of(module):
    """Return the room of a module of ours: two names deep in `model` and `pipelines`."""
    parts = module.split(".")[1:]
    if not parts or parts == ["__main__"]:
        return "front door"
    if parts[0] in GROUND:
        return "ground"
    if len(parts) > 1 and parts[0] in ("model", "pipelines") and ".".join(parts[:2]) in ALLOWED:
        return ".".join(parts[:2])
    return parts[0]


def imports_of(path):
    """Yield the modules and names that a file imports, at its top or within functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def our_imports(module):
    """Return the modules of ours that a module imports."""
    found = {name for name in imports_of(MODULES[module]) if name in MODULES}
    # `from package import module` names the package too, and takes nothing from it.
    packages = {name.rpartition(".")[0] for name in found}
    return {name for name in found if name not in packages or _takes_names(module, name)} - {module}


def _takes_names(module, package):
    return any(
        isinstance(node, ast.ImportFrom) and node.module == package
        and any(f"{package}.{alias.name}" not in MODULES for alias in node.names)
        for node in ast.walk(ast.parse(MODULES[module].read_text()))
    )  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
def test_imports_keep_the_direction(module):
    room = room_of(module)
    for name in our_imports(module):
        other = room_of(name)
        if other in ("front door", room) or room == "front door":
            continue
        assert room != "ground", f"{module} is ground, and imports {name}"
        assert other == "ground" or other in ALLOWED[room], f"{module} ({room}) imports {name} ({other})"
    for name in imports_of(MODULES[module]):
        top = name.split(".")[0]
        assert top not in ("model", "pipelines"), f"{module} imports {name}, which is called cocoprep.{name}"
        heavy = OWN_HEAVY.get(room.split(".")[0], set())
        assert top not in HEAVY or top in heavy, f"{module} ({room}) imports {name}"


@pytest.mark.parametrize("folder", ["tests", "benchmarks"])
def test_nobody_uses_the_bare_names(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        bare = [name for name in imports_of(path) if name.split(".")[0] in ("model", "pipelines")]
        assert not bare, f"{path} imports {bare}"


def test_every_module_has_a_room():
    rooms = {room_of(module) for module in MODULES}
    assert rooms <= {*ALLOWED, "ground", "front door", "model"}, rooms
    assert [module for module in MODULES if room_of(module) == "model"] == ["cocoprep.model"]


def test_no_two_modules_import_each_other():
    try:
        TopologicalSorter({module: our_imports(module) for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def loaded_by(code):
    """Return the modules that a fresh interpreter has loaded after running some code."""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('\\n'.join(sorted(sys.modules)))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(run.stdout.split())


def named(*rooms):
    return [module for module in MODULES if room_of(module).split(".")[0] in rooms]


def test_the_core_loads_without_beam_and_tensorflow():
    names = named("ground", "builder", "sample", *_CORE)
    loaded = loaded_by("\n".join(f"import {name}" for name in names))
    assert {"numpy", "PIL", *names} <= loaded
    assert not loaded & HEAVY


def test_the_report_loads_without_what_opens_windows():
    loaded = loaded_by("\n".join(f"import {name}" for name in named("report")))
    assert "matplotlib" in loaded
    assert not loaded & (HEAVY - {"matplotlib"} | {"matplotlib.pyplot", "tkinter"})


def test_the_pipelines_load_without_tensorflow():
    loaded = loaded_by("\n".join(f"import {name}" for name in named("pipelines")))
    assert "apache_beam" in loaded
    assert not loaded & {"tensorflow", "keras"}


def test_batches_load_without_tensorflow():
    loaded = loaded_by("import cocoprep.model.input.batches")
    assert "cv2" in loaded
    assert not loaded & {"tensorflow", "keras", "apache_beam"}


def test_help_loads_nothing_heavy():
    from cocoprep.cli import COMMANDS

    helps = "\n".join(f"cli([{name!r}, '--help'], standalone_mode=False)" for name in COMMANDS)
    loaded = loaded_by(f"from cocoprep.cli import cli\n{helps}")
    assert "click" in loaded
    assert not loaded & (HEAVY | {"numpy", "PIL", "pyarrow", "pycocotools", "rich", "msgspec"})
