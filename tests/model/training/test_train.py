"""Training runs, tiny but whole: what they write, that they learn, and that they go on exactly where they stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from cocoprep.cli.train_report import TrainReport
from cocoprep.errors import CocoprepError, ConfigError, RecordError
from cocoprep.model.run.best_step import score_of
from cocoprep.model.run.checkpoints import Checkpoint
from cocoprep.model.run.folder import PACKAGES
from cocoprep.pose.tables import named_table
from cocoprep.shards.manifest import read_manifest, records_digest
from cocoprep.shards.names import BASELINE, GROUND_TRUTH
from cocoprep.shards.tfrecord import read_record
from cocoprep.storage.local import LocalFiles
from tests.support.any_joints import write
from tests.support.building import build_folder
from tests.support.training import lines_of, open_tiny

tf = pytest.importorskip("tensorflow")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


@pytest.fixture(scope="module")
def val(people_folder):
    return people_folder(size=(32, 32), shards=3, images=3, seed=1)


# What a run has to keep besides weights: averages, and where the schedule stands.
KEPT = {"optimizer__ema": 0.9, "optimizer__clip_norm": 0.05}
KEPT_ARGUMENTS = [f"{name}={value}" for name, value in KEPT.items()]


@pytest.fixture(scope="module")
def whole(data, val, tmp_path_factory):
    """A run from start to end, never interrupted."""
    run = tmp_path_factory.mktemp("whole") / "run"
    training = open_tiny(data, val, run, **KEPT)
    training.go()
    return run, training


def curve(run, name="loss", phase="train"):
    return [(line["step"], line[name]) for line in lines_of(run, phase)]


@pytest.mark.slow
def test_a_run_leaves_what_it_promises(whole, data):
    run, training = whole
    assert {p.name for p in run.iterdir()} == {
        "config.json", "run.json", "run.lock", "log.jsonl", "tensorboard", "checkpoints", "best.keras", "curves.png",
        "pictures",
    }  # fmt: skip
    assert training.report.steps == list(range(1, 16))  # 20 people, 5 batches of 4, 3 epochs
    assert [epoch for epoch, _, _ in training.report.epochs] == [1, 2, 3]
    about = json.loads((run / "run.json").read_text())
    manifest = read_manifest(str(data), LocalFiles())
    assert about["shards"]["data"] == records_digest(manifest)
    assert set(about["versions"]) == {"python", "tensorflow", *PACKAGES}
    assert sorted(p.name for p in (run / "checkpoints").iterdir()) == [
        f"checkpoint-{step:08d}.npz" for step in (10, 12, 15)
    ]
    for picture in (run / "curves.png", run / "pictures" / "epoch-0003.png"):
        with Image.open(picture) as opened:
            assert min(opened.size) > 200


@pytest.mark.long
def test_a_run_made_longer_has_the_losses_of_the_longer_one(data, tmp_path):
    constant = {"optimizer__schedule": "constant", "network__stacks": 1}
    open_tiny(data, None, tmp_path / "long", epochs=3, **constant).go()
    open_tiny(data, None, tmp_path / "longer", epochs=2, **constant).go()
    longer = open_tiny(data, None, tmp_path / "longer", resume=True, epochs=3, **constant)
    longer.go()
    assert longer.report.begun["step"] == 10
    assert curve(tmp_path / "longer") == curve(tmp_path / "long")
    assert curve(tmp_path / "longer")[-1][0] == 15


@pytest.mark.slow
def test_a_finished_run_gone_on_with_shows_its_figures(whole):
    run, _ = whole
    last = lines_of(run, "val")[-1]
    said = TrainReport().summary(str(run))
    assert f"PCK@0.2 {last['pck@0.2']:.3f}  (the mean guess: {last['pck@0.2_guess']:.3f})" in said
    assert f"OKS AP {last['AP']:.3f}" in said


@pytest.mark.slow
def test_the_log_says_whether_it_learns(whole):
    run, _ = whole
    train, validation = lines_of(run)[-1], lines_of(run, "val")
    assert [line["step"] for line in validation] == [5, 10, 15]
    assert [line["epoch"] for line in validation] == [1, 2, 3]
    expected = {"loss", "loss1", "loss2", "skill", "skill1", "skill2", "guess_loss", "pck@0.2", "pck@0.2_guess"}
    expected |= {"pck@0.1_stack1", "pck@0.2_stack2", "pck@0.2_wrist", "pck@0.2_wrist_guess", "swapped", "people"}
    assert expected <= set(train)
    assert expected | {"AP", "AR"} <= set(validation[-1])
    assert {"gradient_stem", "gradient_stack1", "gradient_stack2", "learning_rate"} <= set(train)
    assert train["gradient_stem"] > 0
    assert validation[-1]["people"] == 6  # each once, though a batch holds 4


@pytest.mark.slow
def test_tensorboard_shows_the_same_curves_and_pictures(whole):
    from tensorflow.core.util.event_pb2 import Event

    run, _ = whole
    scalars, pictures = {}, []
    for path in (run / "tensorboard").iterdir():
        with path.open("rb") as stream:
            while (record := read_record(stream)) is not None:
                event = Event.FromString(record)
                for value in event.summary.value:
                    if value.metadata.plugin_data.plugin_name == "images":
                        pictures.append((value.tag, event.step))
                    else:
                        scalars.setdefault(value.tag, []).append((event.step, tf.make_ndarray(value.tensor).item()))
    assert pictures == [("predictions", 5), ("predictions", 10), ("predictions", 15)]
    groups = sorted({tag.split("/")[0] for tag in scalars})
    # As they are shown: what is learned, then the gradients, then stacks, guesses and families of joints.
    assert groups == ["train", "val", "weights", "within_train", "within_val"]
    first = {tag.split("/")[1] for tag in scalars if tag.startswith("val/")}
    assert {"loss", "skill", "pck@0.2", "AP"} <= first
    assert len(first) <= 12  # of a page
    assert {tag.split("/")[1] for tag in scalars if tag.startswith("weights/")} >= {"gradient_stem", "gradient_stack1"}
    for tag, phase in (("train/loss", "train"), ("val/loss", "val")):
        np.testing.assert_allclose(scalars[tag], curve(run, "loss", phase), rtol=1e-6)


@pytest.mark.slow
def test_the_best_network_is_kept_and_predicts(whole):
    run, training = whole
    network = keras.saving.load_model(run / "best.keras")
    images = np.zeros((2, 32, 32, 3), np.float32)
    assert [tuple(maps.shape) for maps in network(images)] == [(2, 8, 8, 17)] * 2
    scores = [score_of(line) for line in lines_of(run, "val")]
    assert training.now.best == max(scores)
    # A run that goes on knows it from the log: a checkpoint has the AP alone, which breaks no ties.
    assert [training._best_so_far(Checkpoint(step, {}, scores[0][0])) for step in (5, 15)] == [scores[0], max(scores)]


@pytest.mark.long
def test_it_learns_the_people_it_sees_over_and_over(data, tmp_path):
    """Random dots on noise can only be learnt by heart; without that, the loss stays at the guess's."""
    run = tmp_path / "run"
    training = open_tiny(
        data, None, run, augment="none", epochs=60, network__channels=32, network__stacks=1,
        optimizer__learning_rate=3e-3, log_steps=5,
    )  # fmt: skip
    training.go()
    first, last = lines_of(run)[0], lines_of(run)[-1]
    assert first["skill"] < 0.1
    assert last["skill"] > 0.5
    assert last["pck@0.2"] > 0.8 > last["pck@0.2_guess"]


@pytest.mark.long
@pytest.mark.parametrize("stop_at", [1, 3, 5, 8])
def test_a_stopped_run_goes_on_where_it_was(whole, data, val, tmp_path, stop_at):
    """Before the first checkpoint but one, at one, at an epoch's end, in the middle of a line of the log."""
    run = tmp_path / "run"
    training = open_tiny(data, val, run, **KEPT)
    with pytest.raises(KeyboardInterrupt):
        training.go(lambda: training.now.step == stop_at)
    again = open_tiny(data, val, run, resume=True)
    assert again.now.step == stop_at
    again.go()
    assert curve(run) == curve(whole[0])
    assert curve(run, phase="val") == curve(whole[0], phase="val")
    assert curve(run, "pck@0.2_guess") == curve(whole[0], "pck@0.2_guess")


@pytest.mark.long
@pytest.mark.parametrize("kind", ["rmsprop", "sgd"])
def test_moving_averages_and_clipping_go_on_too(data, val, tmp_path, kind):
    options = {
        "optimizer__kind": kind,
        "optimizer__ema": 0.9,
        "optimizer__clip_norm": 0.01,
        "optimizer__schedule": "steps",
    }
    whole, run = tmp_path / "whole", tmp_path / "run"
    open_tiny(data, val, whole, **options).go()
    training = open_tiny(data, val, run, **options)
    with pytest.raises(KeyboardInterrupt):
        training.go(lambda: training.now.step == 7)
    open_tiny(data, val, run, resume=True, **options).go()
    assert curve(run) == curve(whole)
    assert curve(run, phase="val") == curve(whole, phase="val")


@pytest.mark.long
def test_validation_uses_the_moving_average_and_training_does_not(data, val, tmp_path):
    training = open_tiny(data, val, tmp_path / "run", optimizer__ema=0.999, epochs=1, network__stacks=1)
    training.go()
    own = [v.numpy() for v in training.trainee.network.trainable_variables]
    with training.trainee.average.in_place():
        averaged = [v.numpy() for v in training.trainee.network.trainable_variables]
    after = [v.numpy() for v in training.trainee.network.trainable_variables]
    assert any(not np.array_equal(a, b) for a, b in zip(own, averaged, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(own, after, strict=True))
    saved = keras.saving.load_model(tmp_path / "run" / "best.keras")
    assert all(np.array_equal(a, b) for a, b in zip(averaged, saved.trainable_variables, strict=True))


@pytest.mark.long
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_learns_and_goes_on(data, val, tmp_path, precision):
    before = keras.config.dtype_policy()
    try:
        whole, run = tmp_path / "whole", tmp_path / "run"
        open_tiny(data, val, whole, precision=precision, epochs=2).go()
        training = open_tiny(data, val, run, precision=precision, epochs=2)
        with pytest.raises(KeyboardInterrupt):
            training.go(lambda: training.now.step == 4)
        open_tiny(data, val, run, resume=True, precision=precision, epochs=2).go()
    finally:
        keras.config.set_dtype_policy(before)
    assert curve(run) == curve(whole)
    assert np.isfinite([loss for _, loss in curve(whole)]).all()


@pytest.mark.long
def test_a_loss_that_is_not_finite_names_step_and_people(data, tmp_path):
    training = open_tiny(data, None, tmp_path / "run", augment="none", network__stacks=1)
    weights = next(v for v in training.trainee.network.trainable_variables if "stack1_head" in v.path)

    def spoil():
        if training.now.step == 3:
            weights.assign(np.full(weights.shape, np.nan))
        return False

    with pytest.raises(
        CocoprepError, match=r"the loss of step 4 is not finite .* annotations (\d+, ){3}\d+\. The last"
    ):
        training.go(spoil)
    assert training.checkpoints.steps() == [3]


@pytest.mark.slow
def test_a_folder_with_a_run_is_not_overwritten(whole, data, val):
    with pytest.raises(ConfigError, match="holds a run already: go on with it by --resume"):
        open_tiny(data, val, whole[0], **KEPT)
    with pytest.raises(ConfigError, match="seed was 0, now 5"):
        open_tiny(data, val, whole[0], resume=True, seed=5)


@pytest.mark.slow
def test_resuming_a_finished_run_changes_nothing(whole, data, val):
    run, _ = whole
    before = (run / "log.jsonl").read_bytes()
    open_tiny(data, val, run, resume=True).go()
    assert (run / "log.jsonl").read_bytes() == before


def test_folders_that_do_not_fit_each_other_are_refused(people_folder, data, tmp_path):
    with pytest.raises(
        ConfigError, match=r"expected the input size of --data, \(32, 32\), found \(64, 64\) .* same options\.$"
    ):
        open_tiny(data, people_folder(images=2, size=(64, 64)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_people_of_other_joints_to_watch_are_refused_with_the_command_that_scores_them(data, tmp_path):
    inputs = write(tmp_path / "files", named_table("lsp-14"))
    build_folder(tmp_path / "lsp", crop=read_manifest(str(data), LocalFiles()).crop.config(), **inputs)
    run, lsp = tmp_path / "run", tmp_path / "lsp"
    says = rf"the keypoints of --data, .* leave --val {lsp} away: `cocoprep evaluate --data {lsp} --run {run}` scores"
    with pytest.raises(ConfigError, match=says):
        open_tiny(data, lsp, run)
    assert not run.exists()


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: os.truncate(path, 100)])
def test_ground_truth_that_is_damaged_is_told_before_any_work(data, val, tmp_path, damage):
    shutil.copytree(val, tmp_path / "val")
    damage(tmp_path / "val" / GROUND_TRUTH)
    with pytest.raises(RecordError, match=rf"{GROUND_TRUTH}: cannot be read"):
        open_tiny(data, tmp_path / "val", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_baseline_of_other_maps_is_told_before_any_work(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    content = dict(np.load(data / BASELINE))
    np.savez(tmp_path / "data" / BASELINE, **{**content, "mean_heatmaps": np.zeros((4, 4, 17), np.float32)})
    with pytest.raises(RecordError, match=r"expected mean_heatmaps of .*\(8, 8, 17\)\), found .*\(4, 4, 17\)\)"):
        open_tiny(tmp_path / "data", None, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def flip_a_bit(folder, shard):
    """Damage the first record of a shard that has one, by its number; return the shard's name."""
    shards = (path for path in folder.iterdir() if "tfrecord" in path.name and path.suffix != ".json")
    path = sorted(path for path in shards if path.stat().st_size)[shard]
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    return path.name


@pytest.mark.long
def test_a_damaged_record_is_named(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    shard = flip_a_bit(tmp_path / "data", 0)
    with pytest.raises(RecordError, match=rf"{shard}, record 0, annotation \d+: the record's data fails its CRC"):
        open_tiny(tmp_path / "data", None, tmp_path / "run", network__stacks=1).go()
    skipping = open_tiny(tmp_path / "data", None, tmp_path / "other", on_bad_record="skip", epochs=1, network__stacks=1)
    skipping.go()
    assert skipping.steps_per_epoch == 4  # 19 people


def test_a_run_remembers_which_damaged_records_it_left_out(data, tmp_path):
    """Other people would give other losses, and no word of it."""
    shutil.copytree(data, tmp_path / "data")
    first = flip_a_bit(tmp_path / "data", 0)
    settings = {"on_bad_record": "skip", "network__stacks": 1}
    open_tiny(tmp_path / "data", None, tmp_path / "run", **settings)._lock.release()
    ((annotation, wrong),) = json.loads((tmp_path / "run" / "run.json").read_text())["skipped"].items()
    assert f"{first}, record 0, annotation {annotation}: the record's data fails its CRC" in wrong
    open_tiny(tmp_path / "data", None, tmp_path / "run", resume=True, **settings)._lock.release()
    second = flip_a_bit(tmp_path / "data", 1)
    with pytest.raises(ConfigError, match=rf"1 then, 2 now; they differ in 1, first: \S*{second}, record 0"):
        open_tiny(tmp_path / "data", None, tmp_path / "run", resume=True, **settings)
    flip_a_bit(tmp_path / "data", 0)
    flip_a_bit(tmp_path / "data", 1)  # both are whole again
    with pytest.raises(ConfigError, match=rf"1 then, 0 now; they differ in 1, first: annotation {annotation} is whole"):
        open_tiny(tmp_path / "data", None, tmp_path / "run", resume=True, **settings)


def run_until(step, data, val, run, *settings, send=signal.SIGKILL):
    """Start a run in a process of its own and end it once it says a step; with no step, let it end."""
    command = [sys.executable, "-m", "tests.support.training", str(data), str(val), str(run), *settings]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        said = []
        for line in process.stdout:
            said.append(int(line))
            if said[-1] == step:
                process.send_signal(send)
        log = process.stderr.read()
    assert step is not None or process.returncode == 0, log
    return said


@pytest.mark.parametrize(
    "kills", [pytest.param((11,), marks=pytest.mark.slow), pytest.param((5, 11), marks=pytest.mark.long)]
)
def test_a_killed_run_goes_on_with_the_same_losses(whole, data, val, tmp_path, kills):
    """SIGKILL, then to the end."""
    run = tmp_path / "run"
    for step in kills:
        run_until(step, data, val, run, *KEPT_ARGUMENTS)
    said = run_until(None, data, val, run, *KEPT_ARGUMENTS)
    assert said[-1] == 15
    assert 1 < said[0] <= 12
    assert curve(run) == curve(whole[0])
    assert curve(run, phase="val") == curve(whole[0], phase="val")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_killed_run_goes_on_with_the_same_losses_when_xla_compiles(whole, data, val, tmp_path):
    run_until(None, data, val, tmp_path / "whole", 'xla="pointwise"', *KEPT_ARGUMENTS)
    run_until(7, data, val, tmp_path / "run", 'xla="pointwise"', *KEPT_ARGUMENTS)
    said = run_until(None, data, val, tmp_path / "run", 'xla="pointwise"', *KEPT_ARGUMENTS)
    assert 1 < said[0] <= 8
    assert curve(tmp_path / "run") == curve(tmp_path / "whole")
    losses, plain = ([loss for _, loss in curve(folder)] for folder in (tmp_path / "whole", whole[0]))
    assert losses != plain  # else XLA has compiled nothing
    assert losses == pytest.approx(plain, rel=1e-2)


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_real_people_are_learnt_by_heart(coco_mini, tmp_path):
    """A small network overfits 86 real people: real photographs flow from annotation to joint."""
    from cocoprep.pose.crop_config import CropConfig
    from tests.support.building import build_folder

    build_folder(
        tmp_path / "out", annotations=coco_mini / "annotations" / "person_keypoints_train2017.json",
        images=coco_mini / "train2017", crop=CropConfig(input_size=(96, 96), sigma_px=1.5),
    )  # fmt: skip
    training = open_tiny(
        tmp_path / "out", None, tmp_path / "run", augment="none", batch_size=8, epochs=150, network__channels=64,
        network__depth=3, network__stacks=1, optimizer__learning_rate=3e-3, log_steps=10, checkpoint_steps=10_000,
    )  # fmt: skip
    training.go()
    _, figures, _ = training.report.epochs[-1]
    assert figures["people"] == 80  # 10 batches of 8; of 86 people others are left out each time
    assert figures["pck@0.1_guess"] < 0.35
    assert figures["pck@0.1"] > 0.95
