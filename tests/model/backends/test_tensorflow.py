"""TensorFlow: several devices train as one does, shown on two logical CPUs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cocoprep.errors import ConfigError
from cocoprep.model.backends.tensorflow import cores
from cocoprep.model.run.config import TrainConfig

pytest.importorskip("tensorflow")
ROOT = Path(__file__).parents[3]


def two_devices(*arguments):
    run = subprocess.run(
        [sys.executable, "-m", "tests.model.backends.two_devices", *map(str, arguments)],
        cwd=ROOT, check=False, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.long
def test_two_devices_take_the_steps_that_one_takes(people_folder):
    traces = two_devices(people_folder(size=(32, 32), shards=3))
    one, two = traces["one"], traces["all"]
    assert (one["devices"], two["devices"]) == ("the CPU", "2 CPU devices")
    assert one["people"] == two["people"] == [4] * 4
    assert one["steps"] == two["steps"] == [1] * 4
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=1e-4)
    np.testing.assert_allclose(two["gradient"], one["gradient"], rtol=1e-3)
    assert one["loss"][-1] != one["loss"][0]


@pytest.mark.long
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_a_run_on_two_devices_logs_saves_and_goes_on(people_folder, precision, tmp_path):
    losses = two_devices(people_folder(size=(32, 32), shards=3), precision, tmp_path)
    assert [step for step, _ in losses["whole"]] == [2, 4, 5, 6, 8, 10]
    assert losses["stopped"] == losses["whole"]


def test_a_batch_in_parts_takes_the_steps_of_the_whole(people_folder, monkeypatch):
    """All but batch normalisation, whose statistics are each part's own."""
    from tests.model.backends.two_devices import trace

    monkeypatch.setattr(cores, "default_workers", lambda: 2)
    folder = str(people_folder(size=(32, 32), shards=3))
    one, two = (trace(folder, devices, batch_size=16) for devices in ("one", "all"))
    assert (one["devices"], two["devices"]) == ("the CPU", "the CPU in 2 parts")
    assert one["people"] == two["people"] == [16] * 4
    assert one["steps"] == two["steps"] == [1] * 4
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=1e-4)
    np.testing.assert_allclose(two["gradient"], one["gradient"], rtol=1e-3)
    assert one["loss"][-1] != one["loss"][0]


@pytest.mark.parametrize(
    ("batch_size", "workers", "parts", "threads"),
    [
        (16, 1, 1, None),
        (16, 2, 2, "1"),
        (16, 8, 2, "4"),
        (24, 8, 3, "2"),
        (32, 3, 2, "1"),
        (8, 2, 1, None),
        (34, 4, 2, "2"),
    ],
)
def test_a_batch_has_a_part_for_each_core_that_has_people_enough(batch_size, workers, parts, threads, monkeypatch):
    monkeypatch.setattr(cores, "default_workers", lambda: workers)
    monkeypatch.setattr(os, "environ", {})
    config = TrainConfig(data="anywhere", batch_size=batch_size, devices="all")
    assert cores.parts_of_batch(config) == parts
    assert cores.parts_of_batch(replace(config, devices="one")) == 1
    cores.prepare_cores(config)
    assert os.environ.get("TF_NUM_INTRAOP_THREADS") == threads
    assert os.environ.get("TF_NUM_INTEROP_THREADS") == (str(parts) if threads else None)


def test_parts_of_a_batch_move_the_stored_statistics_as_far_as_the_whole(monkeypatch):
    import keras

    from cocoprep.model.backends.tensorflow.fused_normalisation import fuse_normalisation
    from cocoprep.model.network.hourglass import build_hourglass

    keras.utils.set_random_seed(0)
    network = build_hourglass(stacks=1, channels=16, depth=2, joints=5, input_size=(64, 64))
    whole, halves = fuse_normalisation(network), fuse_normalisation(network, parts=2)
    images = np.random.default_rng(0).normal(size=(16, 64, 64, 3)).astype(np.float32)
    whole(images, training=True)
    for part in (images[:8], images[8:]):
        halves(part, training=True)
    moved, too = (network.get_layer("stem_bn").moving_mean.numpy() for network in (whole, halves))
    assert np.abs(moved).max() > 0
    np.testing.assert_allclose(too, moved, atol=0.1 * np.abs(moved).max())  # the second part moves what the first has


def test_a_batch_that_cannot_be_dealt_out_is_refused(monkeypatch):
    tf = pytest.importorskip("tensorflow")
    from cocoprep.model.backends.tensorflow.devices import choose_strategy

    three = [tf.config.list_logical_devices("CPU")[0]] * 3
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: three if kind == "GPU" else [])
    with pytest.raises(ConfigError, match="--batch-size: expected a multiple of the 3 devices, found 4"):
        choose_strategy("all", 4)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="what is known is of x86 processors")
@pytest.mark.parametrize(("flags", "has"), [("avx2 avx512_bf16", False), ("avx512_bf16 amx_bf16 amx_tile", True)])
def test_a_processor_that_is_slow_in_bfloat16_is_known(flags, has, tmp_path):
    from cocoprep.model.backends.processor import has_bfloat16

    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : fpu {flags}\n")
    assert has_bfloat16(tmp_path / "cpuinfo") == has
    assert has_bfloat16(tmp_path / "no such file")
