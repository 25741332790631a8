"""`make train` as the README has it: the drawn sample teaches the network that its settings describe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def learn(folder, *, images, options=""):
    """Draw, build and train by `make train`; return the last line of its log that is of validation."""
    for stamp in (".data", ".train"):  # what the targets would install is what runs this test
        (folder / stamp).touch()
    make = [
        "make", "train", f"SAMPLE={folder}/sample", f"SAMPLE_IMAGES={images}", f"RUN={folder}/run", f"VENV={folder}",
        f"BIN={Path(sys.executable).parent}", f"TRAIN={options}",
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(make, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["phase"] == "val"][-1]


@pytest.mark.slow
def test_from_nothing_to_the_figures_of_an_epoch(tmp_path):
    last = learn(tmp_path, images=40, options="--epochs 1")
    assert (last["epoch"], last["phase"]) == (1, "val")
    assert last["people"] > 10
    assert {"AP", "pck@0.2", "pck@0.2_guess", "loss", "skill"} <= set(last)
    settings = json.loads((tmp_path / "run" / "config.json").read_text())
    assert settings["augment"]["flip_probability"] == 0  # an option leaves the sample's settings as they are
    assert (settings["epochs"], settings["network"]["channels"]) == (1, 64)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_sample_is_learnt(tmp_path):
    """To the figures in docs/training.md, less what another machine's rounding may cost."""
    last = learn(tmp_path, images=1250)
    assert last["people"] > 500
    assert last["pck@0.2_guess"] < 0.5
    assert last["pck@0.2"] > 0.93
    assert last["pck@0.1"] > 0.87
    assert last["swapped"] < 0.06
    assert last["AP"] > 0.48
