"""What a sweep leaves: the best config, which is read back as it was, the table, the picture, what matters."""

from __future__ import annotations

import csv
import io

import pytest
from PIL import Image

pytest.importorskip("optuna")
pytest.importorskip("matplotlib")

from cocoprep.model.augment.config import STRENGTHS, AugmentConfig
from cocoprep.model.run.config import OptimizerConfig, TrainConfig
from cocoprep.model.run.resolve import resolve_config
from cocoprep.model.sweep.results import trials_csv, write_results
from cocoprep.model.sweep.toml import config_toml
from cocoprep.model.sweep.trials import State, Trial
from tests.support.sweeps import BASE, Formula, open_study, sweep, sweep_config

TRIALS = 20


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


def read_back(path, text):
    path.write_text(text)
    return resolve_config(str(path.parent / "run"), str(path), {}, resume=False)


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(data="a"),
        TrainConfig(data="a", augment=STRENGTHS["none"]),
        TrainConfig(data=("a", 'b "c"\n\x7f\U0001f600'), val=("v",), weights={"x y": 0.5, "é": 3.0}, cache=True),
        TrainConfig(data="a", init="x", optimizer=OptimizerConfig(rates={"stack1": 0.1, "stem": 2.0})),
        TrainConfig(data="a\\b", init="x.keras", optimizer=OptimizerConfig(learning_rate=1e-07, decay_at=())),
    ],
)
def test_a_config_is_read_back_as_it_was(config, tmp_path):
    assert read_back(tmp_path / "c.toml", config_toml(config, ["of\ntwo lines"])) == config


def test_what_toml_cannot_say_is_json():
    assert config_toml(TrainConfig(data="a", augment=AugmentConfig(shift=0.1))) is None


def test_what_a_sweep_leaves(data, tmp_path):
    config = sweep_config(tmp_path / "s.toml", data, methods="[sweep]\npruner = { name = 'NopPruner' }\n")
    study, _ = sweep(tmp_path, config, TRIALS)
    results = write_results(study)
    assert [path.rpartition("/")[2] for path in results.written] == ["trials.csv", "best.toml", "sweep.png"]
    best = max((trial for trial in study.trials() if trial.value), key=lambda trial: trial.value)
    assert results.best == best
    text = (tmp_path / "s/best.toml").read_text()
    assert read_back(tmp_path / "best.toml", text) == config.of_trial(best.params)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "s/trials.csv").read_text())))
    assert [int(row["trial"]) for row in rows] == list(range(TRIALS))
    assert float(rows[best.number]["pck@0.2"]) == best.value
    assert float(rows[best.number]["optimizer.learning_rate"]) == best.params["optimizer.learning_rate"]
    assert results.importance.shares.keys() == config.space.keys()
    assert sum(results.importance.shares.values()) == pytest.approx(1)
    assert next(iter(results.importance.shares)) == "optimizer.learning_rate"  # as the formula has it
    with Image.open(tmp_path / "s/sweep.png") as picture:
        assert picture.size[0] > 1500
    before = {path: (tmp_path / "s" / path).read_bytes() for path in ("trials.csv", "best.toml", "sweep.png")}
    write_results(open_study(tmp_path, config))
    assert before == {path: (tmp_path / "s" / path).read_bytes() for path in before}


def test_importance_says_why_there_is_none(data, tmp_path):
    config = sweep_config(tmp_path / "s.toml", data)
    results = write_results(sweep(tmp_path, config, 2)[0])
    assert results.importance.unknown_because.startswith("it needs 10 complete trials, found ")
    one = sweep_config(
        tmp_path / "t.toml", data, search="[search]\nnetwork.channels = { choices = [8, 16] }\n",
        base="epochs = 4\nbatch_size = 4\nnetwork.depth = 1\noptimizer.learning_rate = 0.01\n",
    )  # fmt: skip
    results = write_results(sweep(tmp_path, one, 2, name="t")[0])
    assert results.importance.unknown_because == "one setting alone is searched"
    equal = sweep_config(
        tmp_path / "u.toml", data, search="[search]\nloss.foreground = { low = 1, high = 2 }\nloss.kind = { choices = "
        '["mse", "weighted_mse"] }\n', base="epochs = 4\nbatch_size = 4\nnetwork.depth = 1\n", methods=
        '[sweep]\npruner = { name = "NopPruner" }\n',
    )  # fmt: skip
    results = write_results(sweep(tmp_path, equal, 10, name="u")[0])
    assert results.importance.unknown_because == "all complete trials have the same value"


def test_of_the_best_config_there_is_one_file(data, tmp_path):
    class Mirrors(Formula):
        def value(self, epoch):
            return 0.5 + self._config.augment.flip_probability / 10

    (tmp_path / "base.json").write_text('{"augment": "none"}')
    parts = {
        "base": f'config = "{tmp_path}/base.json"\nbatch_size = 4\n{BASE}',
        "search": '[search]\n"augment.flip_probability" = { choices = [0.0, 0.5] }\n',
        "methods": "[sweep]\nsampler = { name = 'RandomSampler' }\npruner = { name = 'NopPruner' }\n",
    }
    config, found = sweep_config(tmp_path / "s.toml", data, **parts), []
    for trials in range(1, 6):
        results = write_results(sweep(tmp_path, config, trials, train=Mirrors)[0])
        found.append([path.name for path in (tmp_path / "s").glob("best.*")])
        assert [results.best_config] == [str(tmp_path / "s" / name) for name in found[-1]]
    assert found[0] == ["best.toml"]
    assert found[-1] == ["best.json"]


def test_without_a_complete_trial_there_is_no_best(data, tmp_path):
    study = open_study(tmp_path, sweep_config(tmp_path / "s.toml", data))
    results = write_results(study)
    assert results.best is None
    assert [path.rpartition("/")[2] for path in results.written] == ["trials.csv", "sweep.png"]


def test_no_cell_of_the_table_is_a_formula():
    trial = Trial(id=1, number=0, state=State.FAILED, params={}, epochs={}, reason="=1+1\n\x1b[2J", place={})
    (row,) = csv.DictReader(io.StringIO(trials_csv([trial], ["seed"])))
    assert row["reason"] == "'=1+1 \\x1b[2J"
