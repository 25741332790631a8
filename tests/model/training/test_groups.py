"""Frozen groups: what stays to the bit, what is still trained, and what is refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cocoprep.errors import ConfigError
from cocoprep.model.backends.tensorflow.steps import compile_learning
from cocoprep.model.network.config import NetworkConfig
from cocoprep.model.network.hourglass import build_hourglass, group_of
from cocoprep.model.predict.network_file import read_network
from cocoprep.model.run.config import OptimizerConfig, TrainConfig
from cocoprep.model.training.groups import freeze, frozen_as_drawn
from cocoprep.model.training.starting_weights import StartingWeights
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.storage.local import LocalFiles
from tests.support.training import lines_of, open_tiny

tf = pytest.importorskip("tensorflow")
# All that could move a weight, or what is kept of it.
MOVERS = {"optimizer__ema": 0.9, "optimizer__clip_norm": 0.05, "optimizer__weight_decay": 0.1}


def network(stacks=2, joints=17, seed=0):
    keras.utils.set_random_seed(seed)
    return build_hourglass(stacks=stacks, channels=8, depth=1, joints=joints, input_size=(32, 32))


def weights_of(model):
    return {one.path: np.asarray(one) for one in model.variables}


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A network's file, of which no weight and no statistic is what a fresh one has."""
    model, rng = network(seed=1), np.random.default_rng(0)
    for variable in model.variables:
        variable.assign(np.asarray(variable) + rng.uniform(0.01, 0.1, variable.shape))
    path = tmp_path_factory.mktemp("learned") / "learned.keras"
    model.save(path)
    return path


def held(before, after, frozen):
    """Hold that no bit of the frozen groups has moved, and that every weight and statistic of the others has."""
    for path, value in before.items():
        if group_of(path) in frozen:
            np.testing.assert_array_equal(after[path], value, path)
        else:
            assert not np.array_equal(after[path], value), path


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
def test_a_step_moves_all_that_is_not_frozen(data, learned, tmp_path, kind):
    training = open_tiny(
        data, None, tmp_path / "run", init=str(learned), freeze=("stem",), network__stacks=1, optimizer__kind=kind,
        augment="none", **MOVERS,
    )  # fmt: skip
    model, before = training.trainee.network, weights_of(training.trainee.network)
    learn = compile_learning(training.trainee, training.engine.strategy)
    sums = learn(next(training._batches()))
    held(before, weights_of(model), {"stem"})
    assert sums["gradient"].shape == (1,)  # of stack1
    # Keras's frozen variables are TensorFlow's trainable ones: no gradient of theirs is so much as in the graph.
    ops = [op.type for op in learn.get_concrete_function(next(training._batches())).graph.get_operations()]
    trained = [path for path in before if path.startswith("stack1") and path.endswith("kernel")]
    assert ops.count("Conv2DBackpropFilter") == len(trained)
    assert ops.count("Conv2D") > len(trained)


@pytest.mark.long
def test_a_run_keeps_what_is_frozen_and_goes_on_after_a_kill(data, learned, tmp_path):
    settings = {
        "init": str(learned), "freeze": ("stack1", "stem"), "optimizer__rates": {"stack2": 0.5}, **MOVERS,
    }  # fmt: skip
    whole = open_tiny(data, None, tmp_path / "whole", **settings)
    whole.go()
    before = weights_of(read_network(str(learned), LocalFiles()))
    held(before, weights_of(whole.trainee.network), {"stem", "stack1"})
    saved = read_network(str(tmp_path / "whole/best.keras"), LocalFiles())
    held(before, weights_of(saved), {"stem", "stack1"})  # averages
    assert len(saved.trainable_variables) == len(network().trainable_variables)
    lines = lines_of(tmp_path / "whole")
    assert {name for name in lines[-1] if name.startswith("gradient_")} == {"gradient_stack2"}
    assert lines[0]["learning_rate"] == pytest.approx(1e-3 * 2 / 5)  # the base one: of the second of 5 steps of warm-up
    trained = sum(value.size for path, value in before.items() if "stack2" in path and "moving" not in path)
    assert whole.report.notes[-2:] == [
        f"stem, stack1 are frozen: {trained:,} of {sum(v.size for v in before.values()):,} parameters are trained",
        "factors of the learning rate: stack2 0.5, 1 elsewhere",
    ]
    arrays = whole.checkpoints.latest().arrays
    slots = {name.split("/", 2)[2] for name in arrays if name.startswith("optimizer/")}
    assert any(name.startswith("stack2_") for name in slots)
    assert not any(name.startswith(("stem_", "stack1_")) for name in slots)
    moving = [path for path in before if path.startswith("stack2_")]
    assert sum(name.startswith("average/") for name in arrays) == len(moving)

    def kill():
        if killed.now.step == 7:
            raise SystemExit  # nothing is saved on the way out
        return False

    killed = open_tiny(data, None, tmp_path / "killed", **settings)
    with pytest.raises(SystemExit):
        killed.go(kill)
    killed._lock.release()
    with pytest.raises(ConfigError, match=r"freeze was \['stack1', 'stem'\], now \['stem'\]"):
        open_tiny(data, None, tmp_path / "killed", resume=True, **{**settings, "freeze": ("stem",)})
    with pytest.raises(ConfigError, match=r"optimizer\.rates was \{'stack2': 0\.5\}, now \{'stack2': 0\.1\}"):
        open_tiny(data, None, tmp_path / "killed", resume=True, **{**settings, "optimizer__rates": {"stack2": 0.1}})
    again = open_tiny(data, None, tmp_path / "killed", resume=True)
    assert again.now.step == 6
    again.go()
    assert lines_of(tmp_path / "killed") == lines_of(tmp_path / "whole")
    for path, value in weights_of(whole.trainee.network).items():
        np.testing.assert_array_equal(weights_of(again.trainee.network)[path], value, path)


def config_with(*, init="runs/first", rates=(), **changes):
    optimizer = OptimizerConfig(rates=dict(rates))
    return TrainConfig(data="x", init=init, network=NetworkConfig(stacks=2), optimizer=optimizer, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"freeze": ("stack3",)}, r"--freeze: expected one of stem, stack1, stack2, found 'stack3'\.$"),
        ({"freeze": ("stem,stack1",)}, r"found 'stem,stack1'\. Several groups: --freeze once for each\."),
        ({"rates": {"head": 0.1}}, r"--rate: expected one of stem, stack1, stack2, found 'head'\.$"),
        ({"freeze": ("stack2", "stem", "stack1")}, "all of stem, stack1, stack2 are frozen, and nothing is left"),
        ({"freeze": ("stem",), "rates": {"stem": 0.1}}, "--rate stem: --freeze stem leaves nothing of it to train"),
        ({"freeze": ("stem",), "init": None}, "--freeze stem: without --init its weights are random numbers"),
    ],
)
def test_groups_that_cannot_be_are_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        config_with(**changes).check_together()


def test_groups_that_can_be_are_taken():
    config_with(freeze=("stem", "stem", "stack2"), rates={"stack1": 0.1}).check_together()
    config_with(init=None, rates={"stem": 0.1}).check_together()


def test_what_is_frozen_as_drawn_is_told_or_refused():
    model = network()
    first = StartingWeights("runs/first", weights_of(network(stacks=1, seed=1)), COCO_17, "")
    assert list(frozen_as_drawn(model, ["stem"], first, COCO_17)) == []
    (said,) = frozen_as_drawn(model, ["stem", "stack1"], first, COCO_17)
    assert said.startswith("4 weights of stack1 are frozen as drawn, at random: to train them, leave --freeze stack1")
    with pytest.raises(ConfigError, match=r"--freeze stack2: runs/first has no weights of it: they are random"):
        list(frozen_as_drawn(model, ["stack2"], first, COCO_17))
    lsp = named_table("lsp-14")
    other = network(joints=14)
    assert list(frozen_as_drawn(other, ["stem"], first, lsp)) == []
    *_, said = frozen_as_drawn(other, ["stack1"], first, lsp)
    assert said.startswith("2 of 14 joints are frozen as drawn in stack1, at random")


def test_nothing_frozen_leaves_everything_as_it_was():
    model = network()
    before = [variable.path for variable in model.trainable_variables]
    freeze(model, ())
    assert [variable.path for variable in model.trainable_variables] == before
    freeze(model, ("stack1",))
    assert [variable.path for variable in model.trainable_variables] == [p for p in before if group_of(p) != "stack1"]
