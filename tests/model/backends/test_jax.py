"""JAX: the steps that TensorFlow takes, on one device or several, and runs that stop and go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.training import QUICKLY_COMPILED, lines_of

pytest.importorskip("jax")
pytest.importorskip("tensorflow")
ROOT = Path(__file__).parents[3]
STEPS = 20


def environment(backend, **more):
    quick = {"XLA_FLAGS": QUICKLY_COMPILED} if backend == "jax" else {}
    return {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", **quick, **more}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """What makes the runs of this file share what JAX has compiled."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def trace(backend, *, more=None, **what):
    """Return what `tests.model.backends.traced` prints."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.model.backends.traced", json.dumps({"steps": STEPS, **what})],
        cwd=ROOT, check=False, capture_output=True, text=True, env=environment(backend, **(more or {})),
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


@pytest.fixture(scope="module")
def began(data, tmp_path_factory):
    """The settings and weights that all traces begin with, and TensorFlow's trace."""
    weights = str(tmp_path_factory.mktemp("weights") / "weights.npz")
    settings = {"data": str(data), "batch_size": 8, "seed": 1, "optimizer.ema": 0.9, "optimizer.clip_norm": 1.0}
    return settings, weights, trace("tensorflow", settings=settings, save=weights)


@pytest.fixture(scope="module")
def on_jax(began):
    settings, weights, _ = began
    return trace("jax", settings=settings, weights=weights)


def closest(found, expected, name, tolerance):
    np.testing.assert_allclose(found[name], expected[name], rtol=tolerance, err_msg=name)


@pytest.mark.slow
def test_jax_takes_the_steps_that_tensorflow_takes(began, on_jax):
    tensorflow = began[2]
    assert (tensorflow["devices"], on_jax["devices"]) == ("the CPU", "the CPU, by JAX")
    assert not on_jax["is_plain"]  # what is saved would be frozen where the trainee is
    first, last = ((on_jax["steps"][n], tensorflow["steps"][n]) for n in (0, STEPS - 1))
    closest(*first, "loss", 1e-5)
    closest(*last, "loss", 1e-3)
    for found, expected in zip(on_jax["steps"], tensorflow["steps"], strict=True):
        for name in ("people", "steps", "overflows", "joints", "weight", "guess_right"):
            assert found[name] == expected[name], name
        closest(found, expected, "mean_map_loss", 1e-5)
    assert last[0]["loss"] != first[0]["loss"]
    closest(on_jax, tensorflow, "moving", 2e-2)
    closest(on_jax["validation"], tensorflow["validation"], "loss", 1e-3)
    for found, expected in zip(on_jax["sources"], tensorflow["sources"], strict=True):
        closest(found, expected, "loss", 1e-3)
        assert found["people"] == expected["people"]


@pytest.mark.long
def test_eight_devices_take_the_steps_that_one_takes(began, on_jax):
    settings, weights, _ = began
    flags = {"XLA_FLAGS": f"{QUICKLY_COMPILED} --xla_force_host_platform_device_count=8"}
    eight = trace("jax", settings={**settings, "devices": "all"}, weights=weights, more=flags)
    assert eight["devices"] == "8 CPU devices, by JAX"
    for found, expected in zip(eight["steps"], on_jax["steps"], strict=True):
        closest(found, expected, "loss", 1e-4)
        closest(found, expected, "gradient", 1e-3)
    closest(eight, on_jax, "moving", 1e-4)
    closest(eight["validation"], on_jax["validation"], "loss", 1e-4)


def train(backend, data, run, *, until=None, more=None, **settings):
    """Run `tests.support.training`; kill it once it has said a step, if one is named."""
    arguments = [f"{name.replace('__', '.')}={json.dumps(value)}" for name, value in settings.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.training", str(data), str(data), str(run), *arguments],
        cwd=ROOT, env=environment(backend, **(more or {})), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        for line in process.stdout:
            if until is not None and int(line) >= until:
                process.kill()
    assert process.wait() == (0 if until is None else -9)


def losses(run):
    return [(line["step"], line["loss"]) for line in lines_of(run)]


def test_only_all_is_more_than_one_device(monkeypatch):
    from cocoprep.errors import ConfigError
    from cocoprep.model.backends.jax import placing

    two = placing.list_devices()[:1] * 2
    monkeypatch.setattr(placing, "list_devices", lambda: two)
    assert [placing.choose_mesh(devices, 17).size for devices in ("one", "cores")] == [1, 1]
    with pytest.raises(ConfigError, match="expected a multiple of the 2 devices, found 17"):
        placing.choose_mesh("all", 17)


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_with_the_losses_it_would_have_had(data, compiled, tmp_path):
    kept = {"optimizer__ema": 0.9, "optimizer__clip_norm": 0.05, "epochs": 2, "network__stacks": 1, "more": compiled}
    train("jax", data, tmp_path / "whole", **kept)
    train("jax", data, tmp_path / "killed", until=7, **kept)
    train("jax", data, tmp_path / "killed", **kept)
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert len(losses(tmp_path / "whole")) == 6
    versions = json.loads((tmp_path / "whole" / "run.json").read_text())["versions"]
    assert "jax" in versions
    assert "tensorflow" not in versions


@pytest.mark.long
@pytest.mark.parametrize(("first", "then"), [("tensorflow", "jax"), ("jax", "tensorflow")])
def test_a_run_goes_on_on_the_other_backend(first, then, data, compiled, tmp_path):
    kept = {"optimizer__ema": 0.9, "epochs": 2, "seed": 1, "network__stacks": 1, "more": compiled}
    train(first, data, tmp_path / "whole", **kept)
    train(first, data, tmp_path / "moved", until=7, **kept)
    train(then, data, tmp_path / "moved", **kept)
    np.testing.assert_allclose(losses(tmp_path / "moved"), losses(tmp_path / "whole"), rtol=1e-3)
    about = json.loads((tmp_path / "moved" / "run.json").read_text())
    assert then in about["versions"]
    assert first in about["earlier_versions"][0]


@pytest.mark.long
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_jax_learns_in_half_precision(precision, data, tmp_path):
    train("jax", data, tmp_path, precision=precision, epochs=2, network__stacks=1, optimizer__rates={"stem": 0.5})
    found = losses(tmp_path)
    assert np.isfinite([loss for _, loss in found]).all()
    assert ("loss_scale" in lines_of(tmp_path)[-1]) == (precision == "mixed_float16")
