"""`make train` as the README has it, cut short: the drawn sample teaches the network that its settings describe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_sample_is_learnt(tmp_path):
    """Three epochs of the whole sample, some four minutes: most of the way to the figures in docs/training.md."""
    for stamp in (".data", ".train"):  # what the targets would install is what runs this test
        (tmp_path / stamp).touch()
    make = [
        "make", "train", f"SAMPLE={tmp_path}/sample", f"RUN={tmp_path}/run", f"VENV={tmp_path}",
        f"BIN={Path(sys.executable).parent}", "TRAIN=--config model/configs/sample.toml --epochs 3",
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(make, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    last = [line for line in lines if line["phase"] == "val"][-1]
    assert last["people"] > 500
    assert last["pck@0.2_guess"] < 0.5
    assert last["pck@0.2"] > 0.87
    assert last["pck@0.1"] > 0.77
    assert last["swapped"] < 0.11
    assert last["AP"] > 0.3
