"""docs/elsewhere.md: every script in it runs as it stands, on a folder that a build has written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from cocoprep.shards.dataset import open_dataset
from tests.support.rooms import ROOT

FOLDER = "data/demo/shards/train2017"
GUIDE = (ROOT / "docs" / "elsewhere.md").read_text()
SECTIONS = [section.partition("\n") for section in GUIDE.split("\n## ")[1:]]
SCRIPTS = {title: "".join(re.findall(r"^```python\n([^`]*)^```", text, re.MULTILINE)) for title, _, text in SECTIONS}
# The library, what installs it, and what of the script is written otherwise.
CASES = [
    pytest.param("TensorFlow Datasets", "tensorflow_datasets", None, id="tfds"),
    pytest.param("PyTorch", "torch", None, id="torch-spawn"),
    pytest.param("PyTorch", "torch", ('"spawn"', '"fork"'), id="torch-fork"),
    pytest.param("Grain", "grain", None, id="grain"),
    pytest.param("Plain tf.data", "tensorflow", None, id="tf.data"),
    pytest.param("JAX", "jax", None, id="jax"),
]


@pytest.fixture(scope="module")
def home(people_folder, tmp_path_factory):
    """Return a folder in which the scripts find theirs."""
    home = tmp_path_factory.mktemp("home")
    (home / FOLDER).parent.mkdir(parents=True)
    (home / FOLDER).symlink_to(people_folder(images=6, size=(64, 48), shards=3))
    return home


def run(home, script):
    """Return what a script prints last."""
    path = home / "script.py"
    path.write_text(script)
    done = subprocess.run(
        [sys.executable, path.name], capture_output=True, text=True, check=False, cwd=home, timeout=300,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()[-1]


def test_every_script_of_the_guide_is_run():
    assert list(SCRIPTS) == list(dict.fromkeys(case.values[0] for case in CASES))
    assert len(SCRIPTS) == GUIDE.count("```python")


@pytest.mark.long
@pytest.mark.parametrize(("title", "library", "otherwise"), CASES)
def test_a_script_runs_as_it_stands(home, title, library, otherwise):
    if find_spec(library) is None:
        pytest.skip(f"no {library} is installed")
    script, dataset = SCRIPTS[title], open_dataset(home / FOLDER)
    assert otherwise is None or script.count(otherwise[0]) == 1
    printed = run(home, script if otherwise is None else script.replace(*otherwise))
    if title == "TensorFlow Datasets":
        assert printed == f"{(*dataset.crop.stored_size, 3)} (16, 12, 17) <dtype: 'uint8'>"
    elif title in ("PyTorch", "Plain tf.data"):
        assert int(printed) == len(dataset) == 12
    elif title == "Grain":
        ids = [int(number) for number in re.findall(r"\d+", printed)]
        assert len(set(ids)) == 4
        assert set(ids) <= set(dataset.annotation_ids)
    else:
        assert 0 < float(printed) < 0.1
