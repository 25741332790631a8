"""Settings: defaults, files, options, and what is said of wrong ones."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys

import pytest

from cocoprep.builder.config import SelectConfig
from cocoprep.builder.fingerprint import select_record
from cocoprep.errors import ConfigError, RecordError
from cocoprep.model.augment.config import STRENGTHS
from cocoprep.model.network.config import LossConfig, NetworkConfig
from cocoprep.model.run.config import OptimizerConfig, TrainConfig, flat_settings, from_builtins, to_builtins
from cocoprep.model.run.folder import RunFolder
from cocoprep.model.run.resolve import read_settings, resolve_config
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.manifest import Counts, Manifest
from cocoprep.shards.settings import crop_record, keypoint_record
from cocoprep.storage.local import LocalFiles
from tests.support.rooms import ROOT

RECIPES = [path for path in sorted((ROOT / "model/configs").iterdir()) if not path.name.startswith("sweep-")]


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


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_every_recipe_is_a_config(tmp_path, path):
    config = to_builtins(resolve(tmp_path, {}, config_file=str(path)))
    said = read_settings(str(path), LocalFiles())
    if isinstance(said.get("augment"), str):
        said["augment"] = to_builtins(STRENGTHS[said["augment"]])
    assert flat_settings(said).items() <= flat_settings(config).items()
    assert config != to_builtins(TrainConfig(data="shards"))


def manifest_with(fingerprint):
    return Manifest(
        format="cocoprep", schema_version=1, split="a", fingerprint=fingerprint, counts=Counts(1, 1, {}, 1),
        crop=crop_record(CropConfig()), select=select_record(SelectConfig(), 16), keypoints=keypoint_record(COCO_17),
        features=(), versions={}, shards=(), files={}, source={},
    )  # fmt: skip


def test_a_runs_own_config_is_a_file_of_settings(tmp_path):
    config = TrainConfig(data="a", val="b", loss=LossConfig(kind="mse"), augment=STRENGTHS["heavy"])
    path = tmp_path / "config.json"
    path.write_text(json.dumps(to_builtins(config)))
    assert resolve_config(str(tmp_path / "run"), str(path), {}, resume=False) == config


def test_a_resumed_run_needs_no_settings(tmp_path):
    config = TrainConfig(data="a", epochs=3)
    RunFolder(str(tmp_path / "run"), LocalFiles()).begin(config, {"data": manifest_with("f")})
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
        ({"subset": 2.0}, "--subset: expected a share above 0 and up to 1, found 2.0"),
        ({"subset": 0.0}, "--subset: expected a share above 0 and up to 1, found 0.0"),
        ({"optimizer.learning_rate": math.inf}, "--learning-rate: expected a number from 0 up, found inf"),
        ({"optimizer.decay": 3.0}, "optimizer.decay: expected a number from 0 to 1, found 3.0"),
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
        ("a.json", "{", "expected a JSON file of settings, found something else"),
        ("a.toml", "epochs = ", "expected a TOML file of settings, found something else"),
        ("a.json", "[1]", "expected a table of settings, found list"),
        ("b.json", None, "expected a JSON file of settings, found nothing"),
        ("a.toml", "epochs = 'x'", "Expected `int`, got `str` - at `$.epochs`"),
        ("a.toml", "freeze = 'stem'", "Expected `array`, got `str` - at `$.freeze`"),
        ("a.toml", "[optimizer.rates]\nstem = 0", "--rate stem: expected a number above 0, found 0. --freeze stem"),
        ("a.toml", "[optimizer.rates]\nstem = -1", "--rate stem: expected a number above 0 and up to 1000, found -1.0"),
        ("a.toml", "[optimizer.rates]\nstem = nan", "--rate stem: expected a number, found nan"),
        ("a.toml", "[optimizer]\ndecay = 3.0", "optimizer.decay: expected a number from 0 to 1, found 3.0"),
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
    same, other = {"data": manifest_with("f")}, {"data": manifest_with("g")}
    folder.begin(config, same)
    folder.check_resumable(dataclasses.replace(config, data="moved", checkpoint_steps=7), same)
    with pytest.raises(ConfigError, match="epochs was 100, now 3"):
        folder.check_resumable(dataclasses.replace(config, epochs=3), same)
    with pytest.raises(ConfigError, match="Only with --schedule constant may --epochs be raised"):
        folder.check_resumable(dataclasses.replace(config, epochs=101), same)
    optimizer = dataclasses.replace(config.optimizer, learning_rate=0.01)
    with pytest.raises(ConfigError, match=r"other settings: optimizer\.learning_rate was 0\.1, now 0\.01\. Leave"):
        folder.check_resumable(dataclasses.replace(config, optimizer=optimizer), same)
    with pytest.raises(ConfigError, match="another build's"):
        folder.check_resumable(config, other)


def test_groups_are_kept_and_others_are_refused_on_going_on(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('freeze = ["stem", "stack1"]\n[optimizer.rates]\nstack2 = 0.5\n')
    config = resolve(tmp_path, {"init": "first"}, config_file=str(path))  # a file may leave that to the command line
    assert (config.freeze, config.optimizer.rates) == (("stem", "stack1"), {"stack2": 0.5})
    changes = {"init": "first", "freeze": ("stem",), "optimizer.rates": {"stack1": 2}}
    other = resolve(tmp_path, changes, config_file=str(path))
    assert (other.freeze, other.optimizer.rates) == (("stem",), {"stack1": 2.0})
    folder, same = RunFolder(str(tmp_path / "run"), LocalFiles()), {"data": manifest_with("f")}
    folder.begin(config, same)
    assert folder.read_config() == config
    folder.check_resumable(dataclasses.replace(config, freeze=("stack1", "stem")), same)
    with pytest.raises(ConfigError, match=r"freeze was \['stack1', 'stem'\], now \[\]; optimizer"):
        folder.check_resumable(TrainConfig(data="shards", init="first"), same)
    rates = dataclasses.replace(config.optimizer, rates={"stack2": 0.5, "stem": 2.0})
    with pytest.raises(ConfigError, match=r"optimizer\.rates was \{'stack2': 0\.5\}, now \{'stack2': 0\.5, 'stem'"):
        folder.check_resumable(dataclasses.replace(config, optimizer=rates), same)


def test_a_config_of_before_there_were_groups_freezes_none(tmp_path):
    before = to_builtins(TrainConfig(data="a"))
    del before["freeze"], before["optimizer"]["rates"]
    folder, same = RunFolder(str(tmp_path / "run"), LocalFiles()), {"data": manifest_with("f")}
    folder.begin(TrainConfig(data="a"), same)
    (tmp_path / "run" / "config.json").write_text(json.dumps(before))
    assert folder.read_config() == TrainConfig(data="a")
    folder.check_resumable(resolve_config(folder.path, None, {}, resume=True), same)


def test_epochs_may_be_raised_where_the_learning_rate_stays(tmp_path):
    folder = RunFolder(str(tmp_path / "run"), LocalFiles())
    config = TrainConfig(data="a", epochs=5, optimizer=OptimizerConfig(schedule="constant"))
    same = {"data": manifest_with("f")}
    folder.begin(config, same)
    longer = dataclasses.replace(config, epochs=8)
    folder.check_resumable(longer, same)
    folder.go_on(longer, same)
    assert folder.read_config().epochs == 8
    with pytest.raises(ConfigError, match="epochs was 8, now 5"):
        folder.check_resumable(config, same)


def test_settings_that_cannot_be_together_are_told_of_the_whole_alone(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('devices = "hosts"\nfreeze = ["stem"]\n')
    with pytest.raises(ConfigError, match="--devices hosts: expected --backend jax, found auto"):
        resolve(tmp_path, {}, config_file=str(path))
    with pytest.raises(ConfigError, match="--freeze stem: without --init its weights are random numbers"):
        resolve(tmp_path, {"backend": "jax"}, config_file=str(path))
    whole = resolve(tmp_path, {"backend": "jax", "init": "first"}, config_file=str(path))
    assert (whole.devices, whole.freeze) == ("hosts", ("stem",))


@pytest.mark.parametrize(
    ("before", "now", "refused"),
    [
        (("tensorflow", "one"), ("jax", "one"), ""),
        (("tensorflow", "one"), ("jax", "all"), ""),
        (("jax", "all"), ("jax", "one"), ""),
        (("jax", "all"), ("jax", "hosts"), ""),
        (("tensorflow", "one"), ("tensorflow", "all"), "devices was 'one', now 'all'"),
        (("tensorflow", "all"), ("jax", "one"), "devices was 'all', now 'one'"),
        (("tensorflow", "all"), ("jax", "all"), "the backend was tensorflow, now jax, which with --devices all"),
        (("tensorflow", "cores"), ("jax", "one"), "devices was 'cores', now 'one'"),
        (("tensorflow", "one"), ("tensorflow", "cores"), "devices was 'one', now 'cores'"),
        (("jax", "all"), ("tensorflow", "all"), "the backend was jax, now tensorflow, which with --devices all"),
    ],
)
def test_devices_are_others_only_where_batches_are_normalised_as_before(before, now, refused, tmp_path):
    folder, same = RunFolder(str(tmp_path / "run"), LocalFiles()), {"data": manifest_with("f")}
    folder.begin(TrainConfig(data="a", devices=before[1]), same, backend=before[0])  # `auto`: run.json says what it was
    config = TrainConfig(data="a", backend=now[0], devices=now[1])
    if not refused:
        folder.check_resumable(config, same, backend=now[0])
        return
    with pytest.raises(ConfigError, match=refused):
        folder.check_resumable(config, same, backend=now[0])


def test_a_validation_folder_may_be_added_but_not_exchanged(tmp_path):
    folder = RunFolder(str(tmp_path / "run"), LocalFiles())
    config = TrainConfig(data="a")
    folder.begin(config, {"data": manifest_with("f")})
    both = {"data": manifest_with("f"), "val": manifest_with("v")}
    folder.check_resumable(config, both)
    assert folder.go_on(config, both) == []
    with pytest.raises(ConfigError, match="the shards of --val are another build's"):
        folder.check_resumable(config, {**both, "val": manifest_with("w")})


def test_a_run_tells_what_crops_its_network_takes(tmp_path):
    folder = RunFolder(str(tmp_path / "run"), LocalFiles())
    with pytest.raises(RecordError, match="no run"):
        folder.read_geometry()
    manifest = manifest_with("f")
    folder.begin(TrainConfig(data="a"), {"data": manifest})
    crop, table = folder.read_geometry()
    assert crop == manifest.crop
    assert table == COCO_17
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "crop": {}}))
    with pytest.raises(RecordError, match="does not say of the run what it should"):
        folder.read_geometry()


def test_going_on_with_other_versions_is_told(tmp_path):
    folder = RunFolder(str(tmp_path / "run"), LocalFiles())
    config, manifests = TrainConfig(data="a"), {"data": manifest_with("f")}
    folder.begin(config, manifests)
    path = tmp_path / "run" / "run.json"
    what = json.loads(path.read_text())
    before = {**what["versions"], "keras": "2.0"}
    path.write_text(json.dumps({**what, "versions": before}))
    assert folder.go_on(config, manifests) == [f"keras 2.0, now {what['versions']['keras']}"]
    assert json.loads(path.read_text())["versions"] == what["versions"]
    assert json.loads(path.read_text())["earlier_versions"] == [before]


def test_one_process_at_a_time_trains_in_a_folder(tmp_path):
    folder = RunFolder(str(tmp_path / "run"), LocalFiles())
    code = (
        "import sys\nfrom cocoprep.storage.local import LocalFiles\nfrom cocoprep.model.run.folder import RunFolder\n"
        "lock = RunFolder(sys.argv[1], LocalFiles()).hold()\nprint('held', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, folder.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match="another process is training in"):
            folder.hold()
        other.kill()
    folder.hold().release()


def test_a_config_comes_back_from_json():
    config = TrainConfig(data="a", optimizer=OptimizerConfig(decay_at=(0.1, 0.2)), cache=True)
    assert from_builtins(json.loads(json.dumps(to_builtins(config))), where="here") == config


def test_one_folder_stays_a_text_and_several_are_a_list(tmp_path):
    for data, stored in (("a", "a"), (("a", "b"), ["a", "b"])):
        config = TrainConfig(data=data, val=data, weights={"b": 2})
        written = json.loads(json.dumps(to_builtins(config)))
        assert (written["data"], written["val"]) == (stored, stored)
        assert from_builtins(written, where="here") == config
        assert config.folders == config.val_folders == tuple(data)
    assert TrainConfig(data="a").val_folders == ()


def test_a_file_lists_folders_and_weights_and_options_take_their_place(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('data = ["a", "b"]\nval = "c"\n[weights]\na = 2\n"b:mpii" = 0.5\n')
    config = resolve_config(str(tmp_path / "run"), str(path), {}, resume=False)
    assert (config.folders, config.val_folders) == (("a", "b"), ("c",))
    assert config.read.weights == {"a": 2.0, "b:mpii": 0.5}
    other = resolve_config(str(tmp_path / "run"), str(path), {"data": ("d",), "weights": {"d": 3.0}}, resume=False)
    assert (other.folders, other.weights) == (("d",), {"d": 3.0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": ()}, "--data: expected a folder"),
        ({"data": ("a", "")}, "--data: expected a folder"),
        ({"data": ("a",) * 101}, "--data: expected at most 100 folders, found 101"),
        ({"val": ("a", "b\0")}, "--val: expected the path of a folder"),
        ({"weights": 3}, "weights"),
        ({"weights": {"a": "much"}}, "weights"),
    ],
)
def test_a_wrong_list_of_folders_or_weights_is_named(tmp_path, changes, message):
    with pytest.raises(ConfigError) as error:
        resolve(tmp_path, changes)
    assert message in str(error.value)


def test_a_run_on_several_folders_goes_on_with_the_same_in_the_same_order(tmp_path):
    folder = RunFolder(str(tmp_path / "run"), LocalFiles())
    config = TrainConfig(data=("a", "b"))
    first, second = manifest_with("f"), manifest_with("g")
    both = {"data": first, "data 2": second}
    folder.begin(config, both, {"7 of folder 2": "damaged"}, ((1.0,), (0.5, 2.0)))
    folder.check_resumable(dataclasses.replace(config, data=("c", "d")), both)
    folder.check_same_people({"7 of folder 2": "damaged"})
    folder.check_same_weights(((1.0,), (0.5, 2.0)), ("a", "x", "y"))
    assert folder.has_learned_from(first)
    assert folder.has_learned_from(second)
    assert folder.validation() == []
    with pytest.raises(ConfigError, match="the shards of --data, folder 1, are another build's"):
        folder.check_resumable(config, {"data": second, "data 2": first})
    with pytest.raises(ConfigError, match="was begun with 2 folders of --data, now there are 3"):
        folder.check_resumable(config, {**both, "data 3": manifest_with("h")})
    with pytest.raises(ConfigError, match=r"begun with 2 as the weight of y, now it is 3\. Leave --weight out"):
        folder.check_same_weights(((1.0,), (0.5, 3.0)), ("a", "x", "y"))
    with pytest.raises(RecordError, match="weights of 3 sources, where there are 1"):
        folder.check_same_weights(((1.0,),), ("a",))
    folder.go_on(config, both)
    folder.check_same_weights(((1.0,), (0.5, 2.0)), ("a", "x", "y"))


def test_a_run_without_weights_says_nothing_of_them_and_goes_on_without(tmp_path):
    folder = RunFolder(str(tmp_path / "run"), LocalFiles())
    folder.begin(TrainConfig(data="a"), {"data": manifest_with("f")}, weights=((1.0, 1.0),))
    assert json.loads((tmp_path / "run" / "run.json").read_text())["weights"] == []
    folder.check_same_weights(((1.0, 1.0),), ("x", "y"))
    with pytest.raises(ConfigError, match="begun with 1 as the weight of y, now it is 2"):
        folder.check_same_weights(((1.0, 2.0),), ("x", "y"))
