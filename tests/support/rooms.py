"""The rooms of the house: which there are, who may import whom, and who does."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What everybody may import, and which imports nothing of ours but itself.
GROUND = {"errors", "version", "workers", "checks", "processes"}
_SHARDS = {"storage", "pose", "coco", "crops", "shards"}
CORE = {*_SHARDS, "evaluation", "draw"}
_MODEL = {*CORE, "model.draws"}
# room: the rooms that it may import, besides itself and the ground.
ALLOWED = {
    "storage": set(),
    "pose": set(),
    "coco": {"storage", "pose"},
    "crops": {"storage", "pose", "coco"},
    "shards": {"storage", "pose", "coco", "crops"},
    "importers": {"storage", "pose", "coco", "crops"},
    "evaluation": {"storage", "pose", "coco", "shards"},
    "builder": {*_SHARDS, "evaluation"},
    "draw": _SHARDS,
    "inspection": {*_SHARDS, "draw"},
    "report": {*CORE, "inspection"},
    "sample": {"pose"},
    "pipelines": {*_SHARDS, "evaluation", "builder"},
    "pipelines.local": {*_SHARDS, "evaluation", "builder", "pipelines"},
    "pipelines.remote": {*_SHARDS, "evaluation", "builder", "pipelines"},
    "model.draws": set(),
    "model.network": CORE,
    "model.augment": _MODEL,
    "model.input": {*_MODEL, "model.augment"},
    "model.run": {*_MODEL, "model.augment", "model.input", "model.network"},
    "model.backends": {*_MODEL, "model.augment", "model.input", "model.network", "model.run"},
    "model.predict": {*_MODEL, "model.augment", "model.input", "model.network", "model.run", "model.backends"},
    "model.training": {
        *_MODEL,
        "model.augment",
        "model.input",
        "model.network",
        "model.run",
        "model.backends",
        "model.predict",
    },
    "model.sweep": {
        *_MODEL,
        "model.augment",
        "model.input",
        "model.network",
        "model.run",
        "model.backends",
        "model.training",
    },
    "model.export": {*_MODEL, "model.augment", "model.input", "model.network", "model.run", "model.predict"},
}
ALLOWED["cli"] = set(ALLOWED)


def modules() -> Iterator[tuple[str, Path]]:
    """Yield (name, path) of every module of the package, by the one name under which it is imported."""
    for folder, folders, names in os.walk(ROOT / "cocoprep", followlinks=True):
        folders[:] = sorted(set(folders) - {"__pycache__"})
        for name in sorted(names):
            if name.endswith(".py"):
                path = Path(folder) / name
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def room_of(module: str) -> str:
    """Return the room of a module of ours: two names deep in `model` and `pipelines`."""
    parts = module.split(".")[1:]
    if not parts or parts == ["__main__"]:
        return "front door"
    if parts[0] in GROUND:
        return "ground"
    if len(parts) > 1 and parts[0] in ("model", "pipelines") and ".".join(parts[:2]) in ALLOWED:
        return ".".join(parts[:2])
    return parts[0]


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules and names that a file imports, at its top or within functions."""
    for node in ast.walk(_syntax_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _syntax_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def our_imports(module: str) -> set[str]:
    """Return the modules of ours that a module imports."""
    found = {name for name in imports_of(MODULES[module]) if name in MODULES}
    # `from package import module` names the package too, and takes nothing from it.
    packages = {name.rpartition(".")[0] for name in found}
    return {name for name in found if name not in packages or _takes_names(module, name)} - {module}


def _takes_names(module: str, package: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == package
        and any(f"{package}.{alias.name}" not in MODULES for alias in node.names)
        for node in ast.walk(_syntax_of(MODULES[module]))
    )  # fmt: skip


def rooms_used() -> dict[str, set[str]]:
    """Return the rooms in which code lies, the ground among them, each with the rooms that it does import."""
    used: dict[str, set[str]] = {}
    for module in MODULES:
        room = room_of(module)
        if room in (*ALLOWED, "ground"):
            others = {room_of(name) for name in our_imports(module)}
            used.setdefault(room, set()).update(others & set(ALLOWED) - {room})
    return used
