"""Runs on several folders and sources: one network, one log, gone on with exactly; and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cocoprep.cli.train_report import TrainReport
from cocoprep.errors import ConfigError
from cocoprep.model.input.batches import train_batches
from cocoprep.shards.manifest import read_manifest, records_digest
from cocoprep.storage.local import LocalFiles
from tests.support.sourced import deal_to_sources
from tests.support.training import lines_of, open_several

pytest.importorskip("tensorflow")
SMALL = {"network__stacks": 1, "epochs": 2}


@pytest.fixture(scope="module")
def first(people_folder):
    return people_folder(size=(32, 32), shards=3)


@pytest.fixture(scope="module")
def second(people_folder):
    return people_folder(size=(32, 32), shards=2, images=6, seed=5)


@pytest.fixture(scope="module")
def dealt(people_folder, tmp_path_factory):
    """Return a folder to validate on, of two sources."""
    folder = people_folder(size=(32, 32), shards=3, images=4, seed=1)
    to = tmp_path_factory.mktemp("dealt") / "both"
    return deal_to_sources(folder, to, {"coco": None, "arms": ("left_elbow", "right_wrist")}, lambda n: n % 2)


@pytest.fixture(scope="module")
def whole(first, second, dealt, tmp_path_factory):
    """A run from start to end, never interrupted."""
    run = tmp_path_factory.mktemp("several") / "run"
    training = open_several([first, second], [dealt, first], run, weights={str(first): 0.7, str(second): 1.5}, **SMALL)
    training.go()
    return run, training


def curve(run, name="loss", phase="train"):
    return [(line["step"], line[name]) for line in lines_of(run, phase)]


@pytest.mark.slow
def test_a_run_on_two_folders_is_one_run(whole, first, second, dealt):
    run, training = whole
    assert training.steps_per_epoch == (20 * 0.7 + 12 * 1.5) // 4
    assert [epoch for epoch, _, _ in training.report.epochs] == [1, 2]
    about = json.loads((run / "run.json").read_text())
    digests = [records_digest(read_manifest(str(folder), LocalFiles())) for folder in (first, second, dealt, first)]
    assert about["shards"] == dict(zip(("data", "data 2", "val", "val 2"), digests, strict=True))
    assert about["weights"] == [[0.7], [1.5]]
    config = json.loads((run / "config.json").read_text())
    assert config["data"] == [str(first), str(second)]
    assert any("12 people of weight 1.5, 18 an epoch" in note for note in training.report.notes)


@pytest.mark.slow
def test_validation_has_figures_of_every_source_and_folder(whole, capsys):
    run, training = whole
    *_, line = lines_of(run, "val")
    names = training.watched.people.sources
    assert names == ("coco", "arms", "out")
    assert [line[f"{name}/people"] for name in (*names, "both")] == [4, 4, 20, 8]
    assert line["people"] == 28
    for figure in ("loss", "skill", "pck@0.2", "pck@0.1_guess"):
        assert all(line[f"{name}/{figure}"] is not None for name in (*names, "both"))
    assert {"AP", "both/AP", "out/AP"} <= line.keys()
    assert line["pck@0.2"] != line["out/pck@0.2"]
    said = TrainReport().summary(str(run)).splitlines()
    rows = {
        row.split()[0]: row.split()[1] for row in said if row.startswith("  ") and row.split()[0] in (*names, "both")
    }
    assert rows == {"coco": "4", "arms": "4", "out": "20", "both": "8"}


@pytest.mark.long
@pytest.mark.parametrize("stop_at", [3, 9])
def test_a_stopped_run_goes_on_where_it_was(whole, first, second, dealt, tmp_path, stop_at):
    run, weights = tmp_path / "run", {str(first): 0.7, str(second): 1.5}
    training = open_several([first, second], [dealt, first], run, weights=weights, **SMALL)
    with pytest.raises(KeyboardInterrupt):
        training.go(lambda: training.now.step == stop_at)
    open_several([first, second], [dealt, first], run, resume=True, **SMALL).go()
    assert curve(run) == curve(whole[0])
    assert curve(run, phase="val") == curve(whole[0], phase="val")
    assert curve(run, "arms/loss", "val") == curve(whole[0], "arms/loss", "val")


@pytest.mark.slow
def test_going_on_otherwise_is_refused(whole, first, second, dealt):
    run, _ = whole
    data, val = [first, second], [dealt, first]
    for folders, validation, changes, message in (
        ([second, first], val, {}, "the shards of --data, folder 1, are another build's"),
        ([first], val, {"weights": {}}, "was begun with 2 folders of --data, now there are 1"),
        (data, [dealt], {}, "was begun with 2 folders of --val, now there are 1"),
        (data, val, {"weights": {str(first): 0.7}}, r"was begun with 1\.5 as the weight of \S*, now it is 1\. Leave"),
        (data, val, {"weights": {"nobody": 0.7}}, "--weight 'nobody': nothing is called so"),
    ):
        with pytest.raises(ConfigError, match=message):
            open_several(folders, validation, run, resume=True, **SMALL, **changes)


@pytest.mark.slow
def test_weights_that_come_to_the_same_are_the_same(whole, first, second, dealt):
    """By another name, as after a folder has moved."""
    run, training = whole
    called = dict(zip(training.people.folders, (0.7, 1.5), strict=True))
    open_several([first, second], [dealt, first], run, resume=True, weights=called, **SMALL)._lock.release()


def test_a_folder_named_twice_is_refused_before_any_work(first, second, tmp_path):
    with pytest.raises(ConfigError, match=r"--data: .* holds the same records as"):
        open_several([first, first], [], tmp_path / "run")
    with pytest.raises(ConfigError, match=r"--val: .* holds the same records as"):
        open_several([first], [second, second], tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_what_a_source_does_not_label_is_not_taught_as_absent(people_folder, tmp_path):
    """Everybody has a nose; of a source that labels nothing else, nothing is left to be taught as absent."""
    folder = people_folder(size=(32, 32), shards=3)
    losses = {}
    for name, joints in (("all", None), ("nose", ("nose",))):
        data = deal_to_sources(folder, tmp_path / name, {"only": joints}, lambda n: 0)
        for unlabelled in ("mask", "background"):
            run = tmp_path / f"run-{name}-{unlabelled}"
            training = open_several([data], [], run, loss__unlabelled=unlabelled, network__stacks=1, augment="heavy")
            batch = next(train_batches(training.people, training.config.read))
            said = np.full(batch["heatmaps"].shape, 0.5, np.float32)
            losses[name, unlabelled] = np.hstack(training.trainee.measure.losses([said], batch)).tolist()
            training._lock.release()
    assert losses["nose", "mask"] == losses["nose", "background"]
    assert losses["all", "background"][1] > losses["all", "mask"][1] > losses["nose", "mask"][1] > 0
