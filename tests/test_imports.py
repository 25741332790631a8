"""The rooms of the house: who may import whom, that nobody imports in a circle, and what loads what."""

from __future__ import annotations

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.support.rooms import ALLOWED, CORE, MODULES, ROOT, imports_of, our_imports, room_of

TRAINING = {"tensorflow", "jax", "keras", "cv2", "matplotlib", "tensorboard"}
SEARCHING = {"optuna", "sqlalchemy"}
HEAVY = {"apache_beam", "torch", *TRAINING, *SEARCHING}

# Who loads what takes long to load, or is not installed everywhere.
OWN_HEAVY = {"report": {"matplotlib"}, "pipelines": {"apache_beam"}, "model": TRAINING | SEARCHING}


@pytest.mark.parametrize("module", MODULES)
def test_imports_keep_the_direction(module):
    room = room_of(module)
    for name in our_imports(module):
        other = room_of(name)
        if other == room or room == "front door":
            continue
        assert other != "front door", f"{module} imports {name}, which stands before all rooms"
        assert room != "ground", f"{module} is ground, and imports {name}"
        assert other == "ground" or other in ALLOWED[room], f"{module} ({room}) imports {name} ({other})"
    for name in imports_of(MODULES[module]):
        top = name.split(".")[0]
        assert top not in ("model", "pipelines"), f"{module} imports {name}, which is called cocoprep.{name}"
        heavy = OWN_HEAVY.get(room.split(".")[0], set())
        assert top not in HEAVY or top in heavy, f"{module} ({room}) imports {name}"


# Who may name a backend: its own folder, and, of TensorFlow, what is of it alone: tf.data and what it exports.
BACKENDS = {
    "jax": ("cocoprep.model.backends.jax.",),
    "tensorflow": (
        "cocoprep.model.backends.tensorflow.", "cocoprep.model.export.", "cocoprep.model.input.dataset",
        "cocoprep.model.input.failures", "cocoprep.model.input.features",
    ),
}  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_keeps_to_its_room(backend):
    users = {name for name, path in MODULES.items() if any(one.split(".")[0] == backend for one in imports_of(path))}
    assert users, backend
    assert {name for name in users if not name.startswith(BACKENDS[backend])} == set()


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "docs"])
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
    names = named("ground", "builder", "importers", "sample", *CORE)
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


def test_event_files_are_written_without_tensorflow(tmp_path):
    """TensorBoard's own writer, and its readers, load TensorFlow as they are used: so this is used, not only loaded."""
    loaded = loaded_by(
        "import numpy\n"
        "from cocoprep.model.run.tensorboard import Board\n"
        "from cocoprep.storage.local import LocalFiles\n"
        f"board = Board({str(tmp_path)!r}, LocalFiles(), after_step=0)\n"
        "board.scalars('train', 1, {'loss': 1.0})\n"
        "board.picture('predictions', 1, numpy.zeros((8, 8, 3), numpy.uint8))\n"
        f"Board({str(tmp_path)!r}, LocalFiles(), after_step=0)"
    )
    assert "tensorboard.compat.proto.event_pb2" in loaded
    assert not loaded & {"tensorflow", "keras", "jax", "apache_beam"}


def test_a_backend_is_chosen_without_loading_any():
    loaded = loaded_by("import cocoprep.model.backends.choice, cocoprep.cli.evaluate_provenance")
    assert "cocoprep.model.run.config" in loaded
    assert not loaded & HEAVY


def test_a_sweep_leaves_tensorflow_to_its_trials():
    loaded = loaded_by("import cocoprep.cli.sweep_job, cocoprep.model.sweep.child, cocoprep.model.sweep.picture")
    assert "cocoprep.model.sweep.study" in loaded
    assert not loaded & (HEAVY | SEARCHING)


def test_help_loads_nothing_heavy():
    from cocoprep.cli import COMMANDS

    helps = "\n".join(f"cli([{name!r}, '--help'], standalone_mode=False)" for name in COMMANDS)
    loaded = loaded_by(f"from cocoprep.cli import cli\n{helps}")
    assert "click" in loaded
    assert not loaded & (HEAVY | {"numpy", "PIL", "pyarrow", "pycocotools", "rich", "msgspec"})
