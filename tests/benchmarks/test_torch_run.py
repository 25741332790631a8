"""Trainings in PyTorch on a CPU: what they are shown against `cocoprep train`, and that they learn."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install '.[bench]')")

from benchmarks.ablation_draws import draw_training  # noqa: E402
from benchmarks.ablation_variants import Variant  # noqa: E402
from benchmarks.torch_hourglass import keras_name, load_keras  # noqa: E402
from benchmarks.torch_pictures import Crops  # noqa: E402
from benchmarks.torch_run import TorchRun  # noqa: E402
from cocoprep.model.input.batches import train_batches  # noqa: E402
from cocoprep.model.input.config import ReadConfig  # noqa: E402
from tests.support.rooms import ROOT  # noqa: E402

TINY = {"stacks": 2, "channels": 8, "depth": 1, "input_size": 64, "batch_size": 4, "learning_rate": 0.01, "ema": 0.9}
CPU = torch.device("cpu")
torch.set_num_threads(1)  # several would wait for each other beside other tests
VARIANTS = """
epochs = 2
[plain]
stacks = 1
channels = 8
depth = 1
input_size = 32
batch_size = 4
[variants]
cheap = { augment = "none", hard_joints = 3, cost = 0.5 }
sure = { exclude = true }
"""


def open_run(sample, *, epochs, device=CPU, **changes):
    variant, people = Variant(**{**TINY, **changes}), sample.people["train"]
    drawn = draw_training(variant, people, np.arange(len(people)), epochs=epochs, seed=3)
    return TorchRun(variant, drawn, Crops(people, device), people.table.flip_index, 3)


def train(run, steps=None):
    """Take some steps, or all; return the mean loss of these."""
    before, until = run.loss * run.done, run.steps if steps is None else run.done + steps
    taken = run.done
    run.train(is_late=lambda: run.done >= until, tick=lambda: None)
    return (run.loss * run.done - before) / (run.done - taken)


@pytest.mark.parametrize("augment", ["light", "heavy"])
def test_it_sees_what_training_sees(sample, augment):
    run = open_run(sample, epochs=1, augment=augment)
    config = ReadConfig(batch_size=4, seed=3, augment=run.variant.augmentation)
    batch = next(iter(train_batches(str(sample.train), config)))
    images, heatmaps, weights = run.batch()
    mean, stddev = (np.array(values) * 255 for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    levels = images.permute(0, 2, 3, 1).numpy() * stddev + mean
    difference = np.abs(levels - batch["image"])
    # OpenCV rounds places to 1/32 of a pixel, and levels after each change.
    assert difference.max() < 6
    assert difference.mean() < 0.6
    np.testing.assert_allclose(heatmaps.permute(0, 2, 3, 1), batch["heatmaps"] / 255, atol=0.51 / 255 + 1e-4)
    np.testing.assert_array_equal(weights, batch["weights"])


def test_a_smaller_input_sees_the_same_smaller(sample):
    large, small = (open_run(sample, epochs=1, input_size=size).batch() for size in (64, 32))
    halved = torch.nn.functional.avg_pool2d(large[0], 2)
    assert float((halved - small[0]).abs().mean()) < 0.1  # of a standard deviation
    np.testing.assert_array_equal(large[2], small[2])


@pytest.mark.parametrize("changes", [{}, {"loss": "adaptive_wing", "half_body": 0.5, "trim": 0.1, "augment": "heavy"}])
def test_the_loss_falls(sample, changes):
    run = open_run(sample, epochs=8, **changes)
    run.capture()
    first = train(run, steps=run.steps // 8)
    train(run, steps=run.steps // 2)
    assert train(run) < 0.8 * first
    assert run.done == run.steps
    assert np.isfinite(run.loss)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that PyTorch can use")
def test_a_graph_learns_as_single_steps_do(sample):
    captured, single = (open_run(sample, epochs=2, device=torch.device("cuda"), augment="heavy") for _ in range(2))
    before = captured.flat.values.clone()
    captured.capture()
    assert torch.equal(captured.flat.values, before)
    found, expected = ([train(run, steps=1) for _ in range(run.steps)] for run in (captured, single))
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_predictions_are_of_the_average(sample):
    run = open_run(sample, epochs=2)
    run.capture()
    train(run)
    scored = Crops(sample.people["score"], CPU)
    values = run.flat.values.clone()
    maps, flipped = (np.concatenate(some) for some in zip(*run.predict(scored), strict=True))
    assert torch.equal(run.flat.values, values)
    assert maps.shape == flipped.shape == (len(sample.people["score"]), 16, 16, 17)
    run.flat.values.copy_(run.flat.average)
    np.testing.assert_allclose(np.concatenate([some for some, _ in run.predict(scored)]), maps, atol=1e-6)
    assert not np.allclose(flipped, maps)


def ablations(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.ablations", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.slow
def test_variants_are_trained_compared_and_not_trained_twice(sample, tmp_path):
    (tmp_path / "variants.toml").write_text(VARIANTS)
    packed, out = tmp_path / "people.npz", tmp_path / "results.jsonl"
    assert ablations(*sample.paths, "--pack", packed).returncode == 0
    common = (packed, "--variants", tmp_path / "variants.toml", "--out", out)
    done = ablations(*common, "--at-once", 2)
    assert done.returncode == 0, done.stderr
    plain, cheap = sorted(map(json.loads, out.read_text().splitlines()), key=lambda one: one["variant"] != "plain")
    assert (plain["epochs"], cheap["epochs"]) == (2, 4)
    assert cheap["of"] == cheap["steps"] == 2 * plain["steps"] > 0
    table = done.stdout.partition("PCK, %")[2].splitlines()
    assert [line.split()[0] for line in table[1:]] == ["plain", "cheap"]
    assert "for want of --exclude: sure" in done.stdout
    again = ablations(*common)
    assert "0 trainings" in again.stdout
    assert again.stdout.partition("PCK, %")[2].splitlines() == table

    leave_out = tmp_path / "exclude.txt"
    leave_out.write_text(f"{sample.people['train'].names[0]}\tim.jpg\tlegs\n")
    late = ablations(*common, "--exclude", leave_out, "--minutes", 0)
    assert late.returncode == 0, late.stderr
    assert "not begun: sure (seed 0)" in late.stdout
    wrong = ablations(*common, "--only", "nothing")
    assert wrong.returncode == 2
    assert "--only" in wrong.stderr


@pytest.mark.slow
def test_it_learns_step_by_step_as_training_does(sample, tmp_path):
    pytest.importorskip("tensorflow")
    from tests.support.training import lines_of, open_tiny

    optimizer = {"optimizer__learning_rate": 0.002, "optimizer__ema": 0.9}
    settings = {"network__stacks": 2, "network__channels": 8, "network__depth": 1, "batch_size": 4, "log_steps": 1}
    training = open_tiny(
        sample.train, None, tmp_path / "run", epochs=2, seed=3, augment="light", **settings, **optimizer
    )
    run = open_run(sample, epochs=2, learning_rate=0.002)
    weights = {weight.path: torch.tensor(np.array(weight)) for weight in training.trainee.network.weights}
    used = map(keras_name, run.flat.network.state_dict())
    load_keras(run.flat.network, {path: weights[path] for path in used if path})
    training.go()
    expected = [line["loss"] for line in lines_of(tmp_path / "run")]
    assert len(expected) == run.steps
    found = [train(run, steps=1) for _ in expected]
    np.testing.assert_allclose(found, expected, rtol=0.02)
