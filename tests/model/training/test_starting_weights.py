"""Weights to begin with: what is taken, by which names, and what is refused."""

from __future__ import annotations

import shutil

import keras
import numpy as np
import pytest

from cocoprep.errors import ConfigError, RecordError
from cocoprep.model.network.hourglass import build_hourglass
from cocoprep.model.training.starting_weights import StartingWeights, read_starting_weights, take_weights
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.storage.local import LocalFiles
from tests.support.training import lines_of, open_tiny

LSP_14 = named_table("lsp-14")
FILES = LocalFiles()


def network(table, *, seed=0, **changes):
    keras.utils.set_random_seed(seed)
    size = {"stacks": 2, "channels": 8, "depth": 1, "input_size": (32, 32)}
    return build_hourglass(joints=len(table), **{**size, **changes})


def start(table, known=True, **changes):
    weights = {one.path: one.numpy() for one in network(table, seed=1, **changes).variables}
    # Biases begin as zeros, in which nothing could be told from anything.
    rng = np.random.default_rng(0)
    weights = {path: value + rng.normal(0, 0.1, value.shape).astype(np.float32) for path, value in weights.items()}
    return StartingWeights("runs/first", weights, table if known else None, "--channels 8")


def weights_of(model):
    return {one.path: one.numpy() for one in model.variables}


def test_all_weights_of_a_network_alike():
    ours, theirs = network(COCO_17), start(COCO_17)
    assert take_weights(ours, theirs, COCO_17) == ("it begins with the weights of runs/first",)
    for path, value in weights_of(ours).items():
        np.testing.assert_array_equal(value, theirs.weights[path])


@pytest.mark.parametrize(("table", "of"), [(LSP_14, COCO_17), (COCO_17, LSP_14)])
def test_joints_go_by_their_names_and_new_ones_stay(table, of):
    ours, theirs = network(table), start(of)
    before = weights_of(ours)
    _, said = take_weights(ours, theirs, table)
    assert said.startswith(f"of the network that it begins with, 12 of the {len(table)} joints of {table.name} are in ")
    after = weights_of(ours)
    axes = {"stack1_head/kernel": -1, "stack2_head/bias": -1, "stack1_merge_heatmaps/kernel": -2}
    for path, axis in axes.items():
        for k, name in enumerate(table.names):
            source, place = (theirs.weights, of.names.index(name)) if name in of.names else (before, k)
            np.testing.assert_array_equal(np.take(after[path], k, axis), np.take(source[path], place, axis), name)
    np.testing.assert_array_equal(after["stem_conv/kernel"], theirs.weights["stem_conv/kernel"])


def test_what_the_other_lacks_or_has_besides_is_told():
    ours = network(COCO_17)
    before = weights_of(ours)
    said = take_weights(ours, start(COCO_17, stacks=1), COCO_17)
    assert said[1] == "4 weights of stack1, 98 weights of stack2 are not there: they begin as drawn"
    np.testing.assert_array_equal(ours.get_layer("stack2_head").kernel, before["stack2_head/kernel"])
    (_, besides) = take_weights(network(COCO_17, stacks=1), start(COCO_17), COCO_17)
    assert besides.endswith("weights that are there have no place here: left out")


def test_joints_of_which_nothing_is_known_go_by_their_place_or_not_at_all():
    ours, theirs = network(COCO_17), start(COCO_17, known=False)
    assert "each is taken for that in its place" in take_weights(ours, theirs, COCO_17)[1]
    np.testing.assert_array_equal(ours.get_layer("stack2_head").kernel, theirs.weights["stack2_head/kernel"])
    other = network(LSP_14)
    before = weights_of(other)
    assert "all joints begin as drawn" in take_weights(other, theirs, LSP_14)[1]
    np.testing.assert_array_equal(other.get_layer("stack2_head").kernel, before["stack2_head/kernel"])


def test_what_cannot_be_taken_is_refused_and_nothing_is_changed():
    ours = network(COCO_17, channels=16)
    before = weights_of(ours)
    with pytest.raises(ConfigError, match=r"network of runs/first has other widths, .*: stem_conv/kernel .*8"):
        take_weights(ours, start(COCO_17), COCO_17)
    with pytest.raises(ConfigError, match=r"of another kind: stem_residual1_conv2 has kernel, bias, here"):
        take_weights(network(COCO_17, convolution="separable"), start(COCO_17), COCO_17)
    odd = start(COCO_17, channels=16)
    odd.weights["stack1_merge_heatmaps/kernel"] = np.zeros((1, 1, 5, 16), np.float32)
    with pytest.raises(ConfigError, match=r"stack1_merge_heatmaps/kernel \(1, 1, 5, 16\), here \(1, 1, 17, 16\)"):
        take_weights(ours, odd, COCO_17)
    broken = start(COCO_17, channels=16)
    broken.weights["stem_conv/bias"][0] = np.nan
    with pytest.raises(ConfigError, match=r"stem_conv/bias of runs/first is not finite"):
        take_weights(ours, broken, COCO_17)
    with pytest.raises(ConfigError, match=r"expected a network of `cocoprep train`, found another"):
        take_weights(ours, StartingWeights("x.keras", {"dense/kernel": np.ones(3)}, None, ""), COCO_17)
    for path, value in weights_of(ours).items():
        np.testing.assert_array_equal(value, before[path])


@pytest.mark.slow
def test_a_run_begins_with_another_and_goes_on_without_it(people_folder, tmp_path):
    data, val = people_folder(size=(32, 32), shards=3), people_folder(size=(32, 32), shards=3, images=3, seed=1)
    open_tiny(data, val, tmp_path / "first", epochs=1).go()
    first = keras.saving.load_model(tmp_path / "first/best.keras")

    def begin(name, **changes):
        return open_tiny(data, val, tmp_path / name, init=str(tmp_path / "first"), seed=3, **changes)

    whole = begin("whole")
    for one, other in zip(whole.trainee.network.variables, first.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert whole.report.notes == [f"it begins with the weights of {tmp_path / 'first'}"]
    (line,) = lines_of(tmp_path / "whole", "begin")
    assert line["begun_with"] == whole.report.notes
    whole.go()
    assert lines_of(tmp_path / "whole", "begin") == [line]
    begin("stopped")  # killed before its first step
    from_file = open_tiny(data, val, tmp_path / "file", init=str(tmp_path / "first/best.keras"), seed=3)
    assert from_file.report.notes == [f"it begins with the weights of {tmp_path / 'first/best.keras'}"]
    shutil.copy(tmp_path / "first/best.keras", tmp_path / "first/other.keras")  # which may be any network
    assert read_starting_weights(str(tmp_path / "first/other.keras"), FILES).table is None
    shutil.rmtree(tmp_path / "first")
    begin("stopped", resume=True).go()
    assert lines_of(tmp_path / "stopped") == lines_of(tmp_path / "whole")
    with pytest.raises(RecordError, match=r"--init: expected a run, or a \.keras file, found none in .*first\."):
        begin("third")


def test_a_run_whose_parts_do_not_fit_is_told(tmp_path):
    with pytest.raises(RecordError, match=r"--init: expected a run, or a \.keras file, found none in .*nowhere\."):
        read_starting_weights(str(tmp_path / "nowhere"), FILES)
    tmp_path.joinpath("x.keras").write_bytes(b"PK\x03\x04")
    with pytest.raises(RecordError, match=r"x\.keras: not a network that can be read"):
        read_starting_weights(str(tmp_path / "x.keras"), FILES)
