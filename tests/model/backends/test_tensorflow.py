"""TensorFlow: several devices train as one does, shown on two logical CPUs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from cocoprep.errors import ConfigError
from cocoprep.model.backends.tensorflow import prepare
from cocoprep.model.run.config import TrainConfig

tf = pytest.importorskip("tensorflow")
ROOT = Path(__file__).parents[3]


def two_devices(*arguments):
    run = subprocess.run(
        [sys.executable, "-m", "tests.model.backends.two_devices", *map(str, arguments)],
        cwd=ROOT, check=False, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def check_same_steps(one, two, people):
    """Hold two traces of steps, of so many people each, against each other."""
    assert one["people"] == two["people"] == [people] * 4
    assert one["steps"] == two["steps"] == [1] * 4
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=1e-4)
    np.testing.assert_allclose(two["gradient"], one["gradient"], rtol=1e-3)
    assert one["loss"][-1] != one["loss"][0]


@pytest.mark.long
def test_two_devices_take_the_steps_that_one_takes(people_folder):
    traces = two_devices(people_folder(size=(32, 32), shards=3))
    one, two = traces["one"], traces["all"]
    assert (one["devices"], two["devices"]) == ("the CPU", "2 CPU devices")
    check_same_steps(one, two, people=4)


@pytest.mark.long
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_a_run_on_two_devices_logs_saves_and_goes_on(people_folder, precision, tmp_path):
    losses = two_devices(people_folder(size=(32, 32), shards=3), precision, tmp_path)
    assert [step for step, _ in losses["whole"]] == [2, 4, 5, 6, 8, 10]
    assert losses["stopped"] == losses["whole"]


def test_a_batch_in_halves_takes_the_steps_of_the_whole(people_folder):
    """All but batch normalisation, whose statistics are each half's own."""
    from tests.model.backends.two_devices import trace

    folder = str(people_folder(size=(32, 32), shards=3))
    one, two = (trace(folder, devices, batch_size=16) for devices in ("one", "cores"))
    assert (one["devices"], two["devices"]) == ("the CPU", "the CPU, batches in 2 parts")
    check_same_steps(one, two, people=16)


@pytest.mark.parametrize(
    ("workers", "gpu", "threads"), [(1, False, None), (2, False, "1"), (2, True, None), (4, False, None)]
)
def test_two_cores_have_a_half_each(workers, gpu, threads, monkeypatch):
    monkeypatch.setattr(prepare, "default_workers", lambda: workers)
    monkeypatch.setattr(prepare, "_has_gpu", lambda: gpu)
    monkeypatch.setattr(os, "environ", {})
    prepare.prepare_tensorflow(TrainConfig(data="anywhere", batch_size=16))
    assert not os.environ
    prepare.prepare_tensorflow(TrainConfig(data="anywhere", batch_size=16, devices="cores"))
    assert os.environ.get("TF_NUM_INTRAOP_THREADS") == threads


@pytest.mark.parametrize("batch_size", [8, 14, 17])
def test_halves_have_people_enough(batch_size):
    with pytest.raises(ConfigError, match="--devices cores: expected a --batch-size of two halves of at least 8"):
        TrainConfig(data="anywhere", batch_size=batch_size, devices="cores").check_together()
    with pytest.raises(ConfigError, match=r"--xla whole: .* --devices one"):
        TrainConfig(data="anywhere", batch_size=16, devices="cores", xla="whole").check_together()


@pytest.mark.long
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_a_run_in_halves_stops_goes_on_and_is_validated_as_a_whole(people_folder, precision, tmp_path):
    from cocoprep.model.backends.tensorflow.steps import validation_step
    from cocoprep.model.input.batches import people_to_learn_from
    from tests.support.training import lines_of, open_tiny

    folder = people_folder(size=(32, 32), shards=3)
    settings = {"devices": "cores", "batch_size": 16, "precision": precision, "epochs": 4, "network__stacks": 1}
    open_tiny(folder, folder, tmp_path / "whole", **settings).go()
    stopped = open_tiny(folder, folder, tmp_path / "stopped", **settings)
    with suppress(KeyboardInterrupt):
        stopped.go(lambda: len(stopped.report.steps) == 2)
    training = open_tiny(folder, folder, tmp_path / "stopped", resume=True, **settings)
    training.go()
    for phase in ("train", "val"):
        whole, gone_on = (lines_of(tmp_path / name, phase) for name in ("whole", "stopped"))
        assert [line["loss"] for line in gone_on] == [line["loss"] for line in whole]
        assert len({line["loss"] for line in whole}) == len(whole) > 1
    config = training.trainee.config
    batch = next(training.engine.train_batches(people_to_learn_from(str(folder), config.read), config, 0))
    (sums, maps), (same_sums, same_maps) = (validation_step(training.trainee, parts)(batch) for parts in (1, 2))
    np.testing.assert_allclose(same_maps, maps, atol=1e-3)
    np.testing.assert_allclose(same_sums["loss"], sums["loss"], rtol=1e-3)


def test_halves_move_the_stored_statistics_as_far_as_the_whole():
    import keras

    from cocoprep.model.backends.tensorflow.fused_normalisation import fuse_normalisation
    from cocoprep.model.network.hourglass import build_hourglass

    keras.utils.set_random_seed(0)
    network = build_hourglass(stacks=1, channels=16, depth=2, joints=5, input_size=(64, 64))
    whole, halves = fuse_normalisation(network), fuse_normalisation(network, parts=2)
    images = np.random.default_rng(0).normal(size=(16, 64, 64, 3)).astype(np.float32)

    @tf.function(autograph=False)
    def both(images):
        for part in tf.split(images, 2):
            halves(part, training=True)

    whole(images, training=True)
    both(images)
    for name in ("moving_mean", "moving_variance"):
        before, moved, too = (getattr(one.get_layer("stem_bn"), name).numpy() for one in (network, whole, halves))
        far = np.abs(moved - before).max()
        assert far > 0
        np.testing.assert_allclose(too, moved, atol=0.1 * far)  # the second half moves what the first one has


def test_a_batch_that_cannot_be_dealt_out_is_refused(monkeypatch):
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
