"""The notebook: what it says exists, and it does on a real kernel what it says, on a VM that is lost on the way too."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

import click
import nbformat
import psutil
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from cocoprep.cli import COMMANDS, cli

NOTEBOOK = Path(__file__).parents[1] / "docs" / "colab.ipynb"
TINY = {
    "IMAGES": 24, "INPUT_SIZE": "64", "EPOCHS": 4, "BATCH_SIZE": 4, "STACKS": 1, "CHANNELS": 8,
    "TRAIN_OPTIONS": "--depth 1 --checkpoint-steps 3",
}  # fmt: skip


def read_notebook(**settings):
    """Return the notebook, its settings cell changed."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cell = cell_of(notebook, "settings")
    for name, value in settings.items():
        line = f"{name} = {(str(value) if isinstance(value, Path) else value)!r}"
        cell.source, found = re.subn(rf"(?m)^{name} = .*$", lambda _, line=line: line, cell.source)
        assert found == 1, name
    return notebook


def cell_of(notebook, name):
    (cell,) = (cell for cell in notebook.cells if cell.id == name)
    return cell


def texts(cell, kind="text/plain"):
    """Return what a cell has printed, or shown in a form, as one text."""
    if kind == "text/plain":
        return "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return "".join(output.data.get(kind, "") for output in cell.outputs if output.output_type == "display_data")


def code_of(cell):
    return ast.parse(TransformerManager().transform_cell(cell.source))


CODE = [cell for cell in read_notebook().cells if cell.cell_type == "code"]
PROSE = "\n".join(cell.source for cell in read_notebook().cells if cell.cell_type == "markdown")


def test_it_is_a_notebook_without_outputs():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    nbformat.validate(notebook)
    assert not any(cell.outputs or cell.execution_count is not None for cell in CODE)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert {key for cell in notebook["cells"] for key in cell["metadata"]} <= {"cellView"}


def test_its_settings_are_forms():
    lines = cell_of(read_notebook(), "settings").source.splitlines()
    for line in lines:
        value, is_field, form = line.partition("  # @param ")
        assert is_field or line.startswith("# @"), line
        for part in re.findall(r"\[.*?\]|\{.*?\}", form):
            json.loads(part)
        if is_field:
            assert re.match(r"[A-Z_]+ = ", value)
            ast.literal_eval(value.partition(" = ")[2])


def calls():
    """Yield the arguments of every call of cocoprep's that are written out, in cells and in prose."""
    fenced = re.findall(r"```python\n(.*?)```", PROSE, re.DOTALL)
    for tree in [*map(code_of, CODE), *map(ast.parse, fenced)]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cocoprep":
                strings = [n for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
                strings.sort(key=lambda n: (n.lineno, n.col_offset))
                yield [n.value for n in strings]


def options_of(command):
    context = click.Context(command)
    return {option for parameter in command.get_params(context) for option in parameter.opts}


def test_its_commands_and_options_exist():
    found = list(calls())
    assert {"build", "stage", "train", "evaluate"} <= {name for name, *_ in found}
    for name, *rest in found:
        known = cli if name.startswith("--") else cli.get_command(click.Context(cli), name)
        assert known is not None, name
        options = [part for part in (name, *rest) if part.startswith("--")]
        assert set(options) <= options_of(known) | {"--help"}, name


def test_its_prose_names_what_exists():
    every = {option for name in COMMANDS for option in options_of(cli.get_command(click.Context(cli), name))}
    named = set(re.findall(r"`(--[a-z-]+)`", PROSE))
    assert "--resume" in named
    assert named <= every
    assert set(re.findall(r"`cocoprep ([a-z-]+)`", PROSE + CODE[0].source)) <= set(COMMANDS)
    defined = {n.id for cell in CODE for n in ast.walk(code_of(cell)) if isinstance(n, ast.Name)}
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", PROSE)) <= defined


@pytest.fixture
def client_of(tmp_path, monkeypatch):
    """Return what makes a client of a notebook: with a kernel of this very Python, and nothing of the user's."""
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))

    def make(notebook, timeout=200):
        return NotebookClient(
            notebook, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
        )

    return make


def first_cells(*code):
    """Return the notebook up to its tools, and other code after them."""
    notebook = read_notebook()
    notebook.cells = [cell_of(notebook, name) for name in ("settings", "tools")]
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in code]
    return notebook


async def execute_until(client, is_time, act):
    """Execute a notebook; act once it is time."""
    running = asyncio.create_task(client.async_execute())
    while not is_time():
        assert not running.done(), "the notebook ended too early"
        await asyncio.sleep(0.02)
    await act()
    await running


def test_a_command_that_fails_stops_it(client_of):
    notebook = first_cells('run(sys.executable, "-c", "print(1 + 1); raise SystemExit(3)")', "never = True")
    with pytest.raises(CellExecutionError, match="ended with exit code 3"):
        client_of(notebook).execute()
    failed, after = notebook.cells[2:]
    assert "\n2\n" in texts(failed)
    assert failed.outputs[-1].traceback == [f"stopped: {Path(sys.executable).name} -c ended with exit code 3."]
    assert after.execution_count is None


def test_the_stop_button_lets_a_command_save(client_of, tmp_path):
    saving = (
        "import pathlib, time\ntry:\n    pathlib.Path('begun').touch()\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    time.sleep(1)\n    print('saved', flush=True)\n    raise SystemExit(130)"
    )
    notebook = first_cells(f"run(sys.executable, '-c', {saving!r})")
    client = client_of(notebook)

    async def press_stop():
        await client.km.interrupt_kernel()

    with pytest.raises(CellExecutionError, match="ended with exit code 130"):
        asyncio.run(execute_until(client, (tmp_path / "begun").exists, press_stop))
    assert texts(notebook.cells[-1]).endswith("saved\n")


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_it_learns_with_the_settings_it_comes_with(client_of, tmp_path):
    run = tmp_path / "drive" / "runs" / "first"
    client_of(read_notebook(DRIVE=tmp_path / "drive", VM=tmp_path / "vm"), timeout=3000).execute()
    last = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()][-1]
    assert (last["phase"], last["epoch"]) == ("val", 8)
    assert last["pck@0.2"] > 0.8 > last["pck@0.2_guess"]
    assert (run / "evaluation/val2017/report.html").exists()


@pytest.mark.long
@pytest.mark.parametrize("backend", ["auto", "jax"])
def test_it_trains_on_a_vm_that_is_lost_and_on_another(backend, client_of, tmp_path):
    drive, vm = tmp_path / "drive", tmp_path / "vm"
    run = drive / "runs" / "first"
    settings = {"DRIVE": drive, "VM": vm, "BACKEND": backend, **TINY}
    client = client_of(read_notebook(**settings))

    async def lose_the_vm():
        kernel = psutil.Process(client.km.provisioner.pid)
        for process in (kernel, *kernel.children(recursive=True)):
            process.kill()

    def has_learned():
        return len(list(run.glob("checkpoints/checkpoint-*.npz"))) > 1

    with pytest.raises(DeadKernelError):
        asyncio.run(execute_until(client, has_learned, lose_the_vm))
    assert sorted(path.parent.name for path in drive.glob("shards/*/*/manifest.json")) == ["train2017", "val2017"]
    assert not (run / "evaluation").exists()
    shutil.rmtree(vm)

    notebook = client_of(read_notebook(**settings)).execute()
    said = {cell.id: texts(cell) for cell in notebook.cells if cell.cell_type == "code"}
    assert said["shards"].count("$ cocoprep stage") == 2
    assert "$ cocoprep build" not in said["shards"]
    assert not list(vm.glob("sample-*"))
    assert "pip" not in said["install"]

    assert ("by JAX" in said["train"]) == (backend == "jax")
    step, steps = map(int, re.search(r"going on at step (\d+) of (\d+)", said["train"]).groups())
    assert 0 < step < steps
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log if line["phase"] == "val"] == [1, 2, 3, 4]
    assert log[-1]["step"] == steps
    assert (run / f"checkpoints/checkpoint-{steps:08d}.npz").exists()
    assert (run / "best.keras").exists()
    assert (run / "evaluation/val2017/report.html").exists()

    for name, pictures in {"look": 1, "train": 1, "pictures": 2}.items():
        assert sum("image/png" in output.get("data", {}) for output in cell_of(notebook, name).outputs) == pictures
    table = texts(cell_of(notebook, "figures"), "text/markdown")
    assert re.search(r"\| PCK@0\.2 \| 0\.\d{3} \| - \| 0\.\d{3} \|", table)
    assert len(list(drive.rglob("*"))) < 200
