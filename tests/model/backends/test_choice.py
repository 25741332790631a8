"""Which backend computes: by what is asked for, what is installed, and what Keras has already."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.training import QUICKLY_COMPILED

pytest.importorskip("jax")
ROOT = Path(__file__).parents[3]
SMALL = [
    "--batch-size", "4", "--channels", "8", "--depth", "1", "--stacks", "1", "--epochs", "1", "--ema", "0.5",
    "--augment", "light",
]  # fmt: skip


def answer(code, **environment):
    """Return what a fresh interpreter says, the last line of it."""
    clean = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True,
        env={**clean, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
    )  # fmt: skip
    return (run.stdout + run.stderr).splitlines()[-1]


USE = "from cocoprep.model.backends.choice import use_backend\n"


@pytest.mark.parametrize(
    ("before", "wanted", "expected"),
    [
        ("import sys; sys.modules['jax'] = None", "jax", "jax is needed, and not installed: pip install 'cocoprep["),
        ("import sys; sys.modules['tensorflow'] = None", "auto", "jax"),
        ("import sys; sys.modules['jax'] = sys.modules['tensorflow'] = None", "auto", "tensorflow"),
        ("import keras", "auto", "jax"),
        ("import keras", "tensorflow", "--backend tensorflow: Keras runs on jax in this process"),
    ],
)  # fmt: skip
def test_what_computes(before, wanted, expected):
    found = answer(f"{before}\n{USE}print(use_backend({wanted!r}))", KERAS_BACKEND="jax")
    assert expected in found


def test_tensorflow_is_preferred():
    pytest.importorskip("tensorflow")
    assert answer(f"{USE}print(use_backend())", KERAS_BACKEND="torch") == "tensorflow"


def without(package, *arguments):
    run = subprocess.run(
        [sys.executable, "-m", "tests.model.backends.without", package, *map(str, arguments)],
        cwd=ROOT, check=False, capture_output=True, text=True, env={**os.environ, "XLA_FLAGS": QUICKLY_COMPILED},
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


@pytest.mark.slow
def test_all_goes_without_tensorflow(people_folder, tmp_path):
    data, run = people_folder(size=(32, 32), shards=3), tmp_path / "run"
    code, said = without("tensorflow", "train", "--data", data, "--val", data, "--run-dir", run, *SMALL)
    assert code == 0, said
    assert "on the CPU, by JAX" in said
    code, said = without("tensorflow", "evaluate", "--run", run, "--data", data, "--out", tmp_path / "evaluated")
    assert code == 0, said
    assert re.search(r"keras [\d.]+, jax [\d.]+", (tmp_path / "evaluated/report.html").read_text())
    photograph, out = next(data.parent.glob("coco/*/*.jpg")), tmp_path / "predicted"
    code, said = without("tensorflow", "predict", "--run", run, photograph, "--bbox", "2,2,20,20", "--out", out)
    assert code == 0, said
    assert len(json.loads((out / "results.json").read_text())) == 1
    code, said = without("tensorflow", "export", "--run", run, "--format", "keras")
    assert code == 1
    assert "tensorflow is needed, and not installed: pip install 'cocoprep[train]'" in said
