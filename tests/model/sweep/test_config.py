"""The file of a sweep: what it says, and what is said of one that cannot be."""

from __future__ import annotations

import json
import re

import pytest

pytest.importorskip("optuna")

from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.model.augment.config import STRENGTHS
from cocoprep.model.backends.choice import default_backend
from cocoprep.model.network.config import NetworkConfig
from cocoprep.model.run.config import TrainConfig, to_builtins
from cocoprep.model.run.folder import RunFolder
from cocoprep.model.sweep.config import differences, read_sweep
from cocoprep.model.sweep.methods import (
    DEFAULT_PRUNER,
    DEFAULT_SAMPLER,
    PRUNERS,
    SAMPLERS,
    make_pruner,
    make_sampler,
    parse_pruner,
    parse_sampler,
)
from cocoprep.model.sweep.searchable import NOT_SEARCHED, SEARCHABLE
from cocoprep.model.sweep.space import Choices, Range
from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.support.rooms import ROOT
from tests.support.sweeps import BASE, sweep_config

LEARNING_RATE = "[search]\noptimizer.learning_rate = {}\n"


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


@pytest.fixture
def read(data, tmp_path):
    def read(search, **parts):
        parts = {"base": "batch_size = 4\n" + BASE, "methods": "", **parts}
        return sweep_config(tmp_path / "s.toml", data, search=search, **parts)

    return read


def test_every_setting_is_searched_or_has_a_reason():
    names = set()
    for name, value in to_builtins(TrainConfig(data="")).items():
        names |= {f"{name}.{inner}" for inner in value} if isinstance(value, dict) and value else {name}
    assert names | {"augment"} == set(SEARCHABLE) | set(NOT_SEARCHED)


def test_names_are_dotted_or_tables(read):
    augment = 'augment = { choices = ["light", "none"] }\n'
    dotted = read('[search]\n"optimizer.learning_rate" = { low = 1e-4, high = 1, log = true }\n' + augment)
    rate = "[search.optimizer]\nlearning_rate = { low = 1e-4, high = 1.0, log = true }\n"
    tables = read('[search.augment]\nchoices = ["light", "none"]\n' + rate)
    assert dotted == tables
    assert dict(dotted.space) == {
        "augment": Choices(("light", "none")), "optimizer.learning_rate": Range(low=1e-4, high=1.0, log=True),
    }  # fmt: skip
    one = dotted.of_trial({"augment": "light", "optimizer.learning_rate": 0.5})
    assert one.augment == STRENGTHS["light"]
    assert one.optimizer.learning_rate == 0.5
    assert one.network == dotted.base.network


def test_settings_come_from_a_file_of_their_own_too(read, tmp_path):
    (tmp_path / "base.toml").write_text("epochs = 9\nseed = 4\nnetwork = { stacks = 1, depth = 1 }\n")
    config = read(
        LEARNING_RATE.format("{ low = 0.1, high = 0.2 }"),
        base=f'config = "{tmp_path}/base.toml"\nepochs = 3\nbatch_size = 4\n',
    )
    assert (config.base.epochs, config.base.seed, config.base.network.depth) == (3, 4, 1)


def test_the_samples_file_is_one(people_folder, tmp_path, monkeypatch):
    data = people_folder(images=110, size=(128, 128), shards=2)  # of whom the file takes a quarter
    (path,) = (str(one.relative_to(ROOT)) for one in (ROOT / "model/configs").glob("sweep-*"))  # others need a test too
    for name in ("train2017", "val2017"):
        (tmp_path / "data/sample/shards" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data/sample/shards" / name).symlink_to(data)
    (tmp_path / "model").symlink_to(ROOT / "model")
    monkeypatch.chdir(tmp_path)
    config = read_sweep(path, LocalFiles())
    assert config.base.augment.flip_probability == 0
    assert list(config.space) == ["batch_size", "network.channels", "optimizer.learning_rate"]


def test_the_guides_file_is_one(people_folder, tmp_path):
    data = people_folder(images=20, size=(128, 128), shards=2)
    (text,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/tuning.md").read_text(), re.DOTALL)
    for name in ("train2017", "val2017"):
        text = text.replace(f"data/shards/{name}", str(data))
    (tmp_path / "s.toml").write_text(text)
    config = read_sweep(str(tmp_path / "s.toml"), LocalFiles())
    assert (config.sampler, config.pruner) == (DEFAULT_SAMPLER, DEFAULT_PRUNER)
    assert len(config.space) == 4


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("", "[search]: expected names of settings, each with a table such as { low = 1e-4"),
        ("[search]\n", "found nothing"),
        ("search = 3\n", "found 3"),
        ("[search]\nlearning_rate = { low = 1, high = 2 }\n", "Nearest in name: optimizer.learning_rate"),
        (
            "[search]\nnetwork.chanels = { choices = [2, 4] }\n",
            "is called 'network.chanels'; expected one of batch_size",
        ),
        ("[search]\ndata = { choices = ['a', 'b'] }\n", "data cannot be searched: it says what is learned from"),
        ("[search]\nseed = { low = 1, high = 9 }\n", "a seed that came out best says nothing of the settings"),
        ("[search]\nepochs = { low = 1, high = 9 }\n", "epochs cannot be searched: trials of other lengths"),
        ("[search]\nkeep = { low = 1, high = 9 }\n", "it says how a run is carried out, not what it learns"),
        ("[search]\nrun_dir = { choices = ['a', 'b'] }\n", "no setting that can be searched is called 'run_dir'"),
        ("[search]\nbatch_size = 4\n", "batch_size: expected a table such as { low = 1e-4"),
        ("[search]\nbatch_size = {}\n", "found nothing"),
        (
            "[search]\nbatch_size = { low = 2, hihg = 4 }\n",
            "no part is called 'hihg'; expected of low, high, log, step",
        ),
        ("[search]\nbatch_size = { low = 2 }\n", "batch_size: expected low and high, found no high"),
        ("[search]\nbatch_size = { low = 4, high = 2 }\n", "found low 4 and high 2. Exchange them."),
        ("[search]\nbatch_size = { low = 4, high = 4 }\n", "For one value, set it above the tables."),
        ("[search]\nbatch_size = { low = 2, high = 4.0 }\n", "batch_size: high: expected a whole number, found 4.0"),
        ("[search]\nbatch_size = { low = true, high = 4 }\n", "batch_size: low: expected a whole number, found True"),
        ("[search]\nbatch_size = { low = 2, high = 10, step = 3 }\n", "found 10. The last before it is 8."),
        ("[search]\nbatch_size = { low = 2, high = 10, step = 0 }\n", "step: expected a number above 0 and up to 8"),
        ("[search]\nbatch_size = { low = 2, high = 10, log = 1 }\n", "log: expected true or false, found 1"),
        ("[search]\nbatch_size = { low = 2, high = 8, step = 2, log = true }\n", "expected log or step, found both"),
        (
            "[search]\nbatch_size = { low = 0, high = 8 }\n",
            "cannot be trained: --batch-size: expected a whole number from 1",
        ),
        ("[search]\nbatch_size = { low = 2, high = 64 }\n", "expected at least one batch of 64 people, found 20"),
        ("[search]\nbatch_size = { low = 1, high = 99999999999999999999 }\n", "a whole number that is not too large"),
        (LEARNING_RATE.format("{ low = 0, high = 1, log = true }"), "low above 0, where log = true, found 0"),
        (LEARNING_RATE.format("{ low = -1, high = 1 }"), "--learning-rate: expected a number from 0 up, found -1.0"),
        (LEARNING_RATE.format("{ low = nan, high = 1 }"), "low: expected a number that is finite, found nan"),
        (LEARNING_RATE.format("{ low = 0.1, high = inf }"), "high: expected a number that is finite, found inf"),
        (LEARNING_RATE.format("{ low = 0.1, high = 0.4, step = 0.2 }"), "found 0.4. The last before it is 0.3."),
        (LEARNING_RATE.format("{ choices = [0.1] }"), "choices: expected a list of 2 to 100 values, found [0.1]"),
        (LEARNING_RATE.format("{ choices = [1, 1.0] }"), "choices: expected each value once"),
        (LEARNING_RATE.format("{ choices = [1, 'x'] }"), "choices: expected a number, found 'x'"),
        (LEARNING_RATE.format("{ choices = [1, 2], low = 1 }"), "expected choices alone, without a range"),
        (
            "[search]\naugment = { choices = ['light', 'wild'] }\n",
            "expected of none, light, medium, heavy, found 'wild'",
        ),
        ("[search]\naugment = { low = 1, high = 2 }\n", "augment: expected choices among none, light"),
        (
            "[search]\naugment.shift = { low = 0.0, high = 0.5 }\n'augment' = { choices = ['none', 'light'] }\n",
            "Cannot overwrite a value",
        ),
        (
            "[search]\n'augment.shift' = { low = 0.0, high = 0.5 }\naugment = { choices = ['none', 'light'] }\n",
            "augment chooses all of its numbers, augment.shift among them",
        ),
        (
            "[search]\nbatch_size.low = 2\n'batch_size.low' = 3\n",
            "batch_size: expected low and high, found no high",
        ),
        ("[search]\nnetwork.channels = { low = 8, high = 16 }\n", "--channels: expected an even number, found 9"),
        (
            "[search]\nnetwork.depth = { low = 1, high = 4 }\n",
            "divisible by 64 (heatmap stride 4 times 2 to the depth 4)",
        ),
        ("[search]\nnetwork.stacks = { choices = [1, 9] }\n", "--stacks: expected a whole number from 1 to 8, found 9"),
        (
            "[search.augment]\nwindow_min = { low = 1.0, high = 1.3 }\nwindow_max = { low = 1.2, high = 1.5 }\n",
            "augment.window_max 1.2, augment.window_min 1.3, cannot be trained: window_max: expected a number from 1.3",
        ),
    ],
)  # fmt: skip
def test_a_space_that_cannot_be_is_told(read, search, message):
    with pytest.raises(ConfigError) as error:
        read(search)
    assert message in str(error.value)
    assert "s.toml" in str(error.value)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("[sweep]\ntrials = 3\n", "[sweep]: expected of sampler, pruner, found 'trials'"),
        ("[sweep]\nsampler = 'TPESampler'\n", "sampler: expected a table such as { name = 'TPESampler' }"),
        ("[sweep]\nsampler = { name = 'TPE' }\n", "sampler: expected one of TPESampler, RandomSampler, found 'TPE'."),
        ("[sweep]\nsampler = { name = '__init__' }\n", "found '__init__'."),
        ("[sweep]\nsampler = { name = 'CmaEsSampler' }\n", "it reads pickles from the study's database"),
        (
            "[sweep]\nsampler = { name = 'TPESampler', gamma = 1 }\n",
            "TPESampler takes no argument 'gamma' here; expected",
        ),
        ("[sweep]\nsampler = { name = 'TPESampler', seed = -1 }\n", "sampler: seed: expected a whole number from 0"),
        (
            "[sweep]\nsampler = { name = 'TPESampler', multivariate = 1 }\n",
            "multivariate: expected true or false, found 1",
        ),
        (
            "[sweep]\npruner = { name = 'MedianPruner', n_warmup_steps = 0.5 }\n",
            "n_warmup_steps: expected a whole number",
        ),
        ("[sweep]\npruner = { name = 'PercentilePruner' }\n", "PercentilePruner needs percentile"),
        ("[sweep]\npruner = { name = 'ThresholdPruner' }\n", "ThresholdPruner needs lower"),
        (
            "[sweep]\npruner = { name = 'HyperbandPruner', max_resource = 'much' }\n",
            "from 1 up or 'auto', found 'much'",
        ),
        (
            "[sweep]\npruner = { name = 'HyperbandPruner', bootstrap_count = 2 }\n",
            "goes with a number for max_resource",
        ),
        (
            "[sweep]\npruner = { name = 'NopPruner', x = 2 }\n",
            "NopPruner takes no argument 'x' here; expected of: none",
        ),
    ],
)  # fmt: skip
def test_a_method_that_cannot_be_is_told(read, methods, message):
    with pytest.raises(ConfigError) as error:
        read(LEARNING_RATE.format("{ low = 0.1, high = 0.2 }"), methods=methods)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("epoch = 3\n", "nothing is called 'epoch'; expected of config, search, sweep, augment"),
        ("epochs = 0\n", "--epochs: expected a whole number from 1 up, found 0"),
        ("config = 3\n", "config: expected the path of a file of settings, found 3"),
        ("config = 'no.toml'\n", "config: no.toml: expected a TOML file of settings, found nothing"),
    ],
)
def test_settings_that_cannot_be_are_told(read, base, message):
    with pytest.raises(ConfigError) as error:
        read(LEARNING_RATE.format("{ low = 0.1, high = 0.2 }"), base=base)
    assert message in str(error.value)


RATE = LEARNING_RATE.format("{ low = 0.1, high = 0.2 }")


@pytest.mark.parametrize(
    ("base", "search", "message"),
    [
        ('freeze = ["stem"]\n', RATE, "s.toml: --freeze stem: without --init its weights are random"),
        ('optimizer.rates = { stak1 = 0.5 }\n', RATE, "--rate: expected one of stem, stack1, found 'stak1'"),
        (
            "optimizer.rates = { stack2 = 0.5 }\n", "[search]\nnetwork.stacks = { choices = [1, 2] }\n",
            "network.stacks 1, cannot be trained: --rate: expected one of stem, stack1, found 'stack2'",
        ),
        ('devices = "hosts"\nbackend = "jax"\n', RATE, "devices: a trial runs on one host. Expected one or all"),
        ("weights = { mpi = 0.5 }\n", RATE, "--weight 'mpi': nothing is called so"),
        ("subset = 0.5\nbatch_size = 12\n", RATE, "expected at least one batch of 12 people, found 9"),
        ('init = "nowhere"\n', RATE, "init: expected a run, or a .keras file, found none in nowhere."),
        ('init = "/dev/null/x.keras"\n', RATE, "init: expected a run with a network, or a .keras file; /dev/null/x"),
        ('init = "nowhere.keras"\n', RATE, "init: expected a run with a network, or a .keras file; nowhere.keras is"),
    ],
)  # fmt: skip
def test_what_no_trial_could_train_is_told_before_the_first(read, base, search, message):
    with pytest.raises(CocoprepError) as error:
        read(search, base=("" if "batch_size" in base else "batch_size = 4\n") + base + BASE)
    assert message in str(error.value)


def test_trials_begin_with_one_network_that_fits(read, data, tmp_path):
    first, base = RunFolder(str(tmp_path / "first"), LocalFiles()), f'batch_size = 4\ninit = "{tmp_path}/first"\n{BASE}'
    for channels in (16, 8):
        config = TrainConfig(data="x", network=NetworkConfig(channels=channels))
        first.begin(config, {"data": read_manifest(str(data), LocalFiles())})
        if channels != 8:
            with pytest.raises(ConfigError, match=r"network\.channels: expected 16, as .*first' has it, found 8"):
                read(RATE, base=base)
    with pytest.raises(ConfigError, match=r"init: expected a run with a network, .*best\.keras is not there"):
        read(RATE, base=base)
    (tmp_path / "first/best.keras").mkdir()
    with pytest.raises(ConfigError, match=r"init: .*best\.keras cannot be read \("):
        read(RATE, base=base)
    (tmp_path / "first/best.keras").rmdir()
    (tmp_path / "first/best.keras").write_bytes(b"one")
    before = read(RATE, base=base).as_record()
    assert differences(before, read(RATE, base=base).as_record()) == []
    (tmp_path / "first/best.keras").write_bytes(b"two")
    (said,) = differences(before, read(RATE, base=base).as_record())
    assert said.startswith("the network of init was '")


def test_a_study_stays_on_its_backend(data, tmp_path):
    auto, other = (
        sweep_config(tmp_path / "s.toml", data, base=f"{line}{BASE}").as_record() for line in ("", 'backend = "jax"\n')
    )
    assert auto["settings"]["backend"] == default_backend()
    if default_backend() != "jax":
        assert differences(auto, other) == [f"settings.backend was '{default_backend()}', now 'jax'"]


def test_a_sweep_needs_people_to_validate_on(data, tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(f'data = "{data}"\n' + LEARNING_RATE.format("{ low = 0.1, high = 0.2 }"))
    with pytest.raises(ConfigError, match=r"val: expected a built folder to validate on, found nothing"):
        read_sweep(str(path), LocalFiles())
    path.write_text(LEARNING_RATE.format("{ low = 0.1, high = 0.2 }"))
    with pytest.raises(ConfigError, match=r"data: expected a folder that `cocoprep build` has made"):
        read_sweep(str(path), LocalFiles())


def test_every_method_is_made_by_optuna_with_all_its_arguments():
    values = {"percentile": 30.0, "lower": 0.1, "multivariate": True, "constant_liar": False}
    for known, parse in ((SAMPLERS, parse_sampler), (PRUNERS, parse_pruner)):
        for name, arguments in known.items():
            table = {"name": name, **{key: values.get(key, 3) for key in arguments}}
            method = parse(table, "here")
            made = make_sampler(method, 2) if known is SAMPLERS else make_pruner(method)
            assert type(made).__name__ == name
            least = {"percentile", "lower"} & set(arguments)
            make = parse({"name": name, **{key: values[key] for key in least}}, "here")
            assert make.arguments.get("seed", 0) == 0


def test_differences_are_told_of_whatever_was_there():
    now = {"a": {"b": 1, "c": [1]}}
    assert differences({"a": {"b": 1, "c": [1]}}, now) == []
    assert differences({"a": {"b": 2}}, now) == ["a.b was 2, now 1", "a.c was not there, now [1]"]
    assert differences("\x1b[2J", now) == [r"the study says '\x1b[2J' of its settings"]
    assert differences({"\x1b": 1, "a": 3}, now)[0] == r"\x1b was 1, now not there"


def test_a_setting_that_is_new_is_as_it_was_before_there_was_one(data, tmp_path):
    now = sweep_config(tmp_path / "s.toml", data).as_record()
    older = {**now, "settings": {name: one for name, one in now["settings"].items() if name != "freeze"}}
    assert "freeze" in now["settings"]
    assert differences(json.loads(json.dumps(older)), now) == []
    del older["settings"]["backend"]  # which was free
    assert differences(older, {**now, "the network of init": "12ab"}) == []
    other = {**now, "settings": {**now["settings"], "freeze": ["stem"]}}
    assert differences(older, other) == ["settings.freeze was [], now ['stem']"]


@pytest.mark.parametrize(
    ("setting", "choices"),
    [("network.channels", "[8, 12]"), ("network.convolution", '["standard", "separable"]')],
)
def test_what_a_start_decides_is_not_searched(data, tmp_path, setting, choices):
    search = f'[search]\n"{setting}" = {{ choices = {choices} }}\n'
    with pytest.raises(ConfigError, match=rf"{setting} cannot be searched where trials begin with .*runs/other"):
        sweep_config(tmp_path / "s.toml", data, base=f'init = "runs/other"\n{BASE}', search=search)
