"""Settings: defaults, files, options, and what is said of wrong ones."""

from __future__ import annotations

import dataclasses
import json

import pytest

from cocoprep.errors import ConfigError
from cocoprep.files import LocalFiles
from model.augment_config import STRENGTHS
from model.config import LossConfig, NetworkConfig, OptimizerConfig, TrainConfig, from_builtins, to_builtins
from model.run_config import resolve_config
from model.run_folder import RunFolder


def resolve(tmp_path, changes, *, config_file=None, resume=False):
    return resolve_config(str(tmp_path / "run"), config_file, {"data": "shards", **changes}, resume=resume)


def test_options_come_after_a_file_and_a_file_after_defaults(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('epochs = 7\naugment = "light"\n[network]\nstacks = 4\nchannels = 64\n')
    config = resolve(tmp_path, {"network.stacks": 1}, config_file=str(path))
    assert config.epochs == 7
    assert config.network == NetworkConfig(stacks=1, channels=64)
    assert config.augment == STRENGTHS["light"]
    assert config.batch_size == TrainConfig(data="x").batch_size


def test_a_runs_own_config_is_a_file_of_settings(tmp_path):
    config = TrainConfig(data="a", val="b", loss=LossConfig(kind="mse"), augment=STRENGTHS["heavy"])
    path = tmp_path / "config.json"
    path.write_text(json.dumps(to_builtins(config)))
    assert resolve_config(str(tmp_path / "run"), str(path), {}, resume=False) == config


def test_a_resumed_run_needs_no_settings(tmp_path):
    config = TrainConfig(data="a", epochs=3)
    RunFolder(str(tmp_path / "run"), LocalFiles()).begin(config, {"data": "f"})
    assert resolve_config(str(tmp_path / "run"), None, {}, resume=True) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "--epochs: expected a whole number from 1 up, found 0"),
        ({"epochs": 1.5}, "epochs"),
        ({"nothing": 1}, "no setting is called 'nothing'"),
        ({"network.stocks": 1}, "no setting is called 'stocks'; expected one of"),
        ({"augment": "wild"}, "augment: expected one of none, light, medium, heavy, found 'wild'"),
        ({"loss.kind": "l1"}, "loss.kind"),
        ({"optimizer.ema": 1.0}, "--ema"),
        ({"subset": 2.0}, "--subset: expected a number from 0 to 1, found 2.0"),
        ({"precision": "half"}, "precision"),
        ({"network": 3}, "network: expected a table of settings, found 3"),
        ({"data": ""}, "--data: expected a folder"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, changes, message):
    with pytest.raises(ConfigError) as error:
        resolve(tmp_path, changes)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "cannot read"),
        ("a.toml", "epochs = ", "cannot read"),
        ("a.json", "[1]", "expected a table of settings, found list"),
        ("b.json", None, "No such file"),
    ],
)
def test_a_file_that_holds_no_settings_is_named(tmp_path, name, text, message):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as error:
        resolve(tmp_path, {}, config_file=str(path))
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_going_on_with_other_settings_is_refused(tmp_path):
    folder = RunFolder(str(tmp_path / "run"), LocalFiles())
    config = TrainConfig(data="a", optimizer=OptimizerConfig(learning_rate=0.1))
    folder.begin(config, {"data": "f"})
    folder.check_resumable(dataclasses.replace(config, data="moved", checkpoint_steps=7), {"data": "f"})
    with pytest.raises(ConfigError, match="epochs was 100, now 3"):
        folder.check_resumable(dataclasses.replace(config, epochs=3), {"data": "f"})
    with pytest.raises(ConfigError, match="another build's"):
        folder.check_resumable(config, {"data": "g"})


def test_a_config_comes_back_from_json():
    config = TrainConfig(data="a", optimizer=OptimizerConfig(decay_at=(0.1, 0.2)), cache=True)
    assert from_builtins(json.loads(json.dumps(to_builtins(config))), where="here") == config
