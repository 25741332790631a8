"""The file of a network, whoever has made it: what is read, and what is refused before anything is built of it."""

from __future__ import annotations

import json
import zipfile

import keras
import numpy as np
import pytest

from cocoprep.errors import RecordError
from cocoprep.model.network.hourglass import build_hourglass
from cocoprep.model.predict.network_file import read_network
from cocoprep.storage.local import LocalFiles

FILES = LocalFiles()


def network(**changes):
    return build_hourglass(**{"stacks": 1, "channels": 8, "depth": 1, "input_size": (32, 32), **changes})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.keras"


def refused(path):
    with pytest.raises(RecordError) as error:
        read_network(str(path), FILES)
    assert str(error.value).startswith(f"{path}: not a network that can be read (")
    return str(error.value)


def change(path, edit):
    """Save a network whose config.json is another, by a function that changes it in place."""
    network().save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    edit(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, "config.json": json.dumps(config).encode()}.items():
            archive.writestr(name, content)


def layer(config, kind):
    return next(one["config"] for one in config["config"]["layers"] if one["class_name"] == kind)


@pytest.mark.parametrize(
    "changes",
    [{}, {"stacks": 2, "heatmap_stride": 8}, {"convolution": "separable"}, {"activation": "sigmoid", "depth": 3}],
)
def test_every_network_that_is_trained_is_read(changes, path):
    ours = network(**changes)
    ours.save(path)
    for one, other in zip(ours.variables, read_network(str(path), FILES).variables, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_a_file_that_is_no_network_is_told(path):
    with pytest.raises(RecordError, match=r"x\.keras: not there\. Expected a network of `cocoprep train`, which"):
        read_network(str(path), FILES)
    path.write_bytes(b"PK\x03\x04")
    assert "it is cut short" in refused(path)


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")  # as it should
def test_code_of_its_own_is_not_run(path):
    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)]).save(path)
    assert "of the class Sequential, expected Functional" in refused(path)
    image = keras.Input((32, 32, 3))
    keras.Model(image, keras.layers.Lambda(lambda x: x)(image)).save(path)
    assert "it has a layer of the class Lambda" in refused(path)
    code = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
    change(path, lambda config: layer(config, "Activation").update(activation=code))
    assert "code of its own, which is never run" in refused(path)


def test_what_unpacks_to_much_more_is_not_unpacked(path):
    network().save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("padding", bytes(2**27))
    assert "unpacked it would be 134," in refused(path)


def dense(config):
    """Give it a layer of 34 GB, of which the file has not a byte."""
    config["config"]["layers"][1] = {"class_name": "Dense", "config": {"name": "dense", "units": 2**33}}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (dense, "it has a layer of the class Dense, expected of Activation, Add, BatchNormalization, Conv2D"),
        (lambda config: layer(config, "Conv2D").update(filters=2**30), "has not 1 to 4096 filters"),
        (lambda config: layer(config, "Conv2D").update(filters=-1), "has not 1 to 4096 filters"),
        (lambda config: layer(config, "Conv2D").update(filters="many"), "has not 1 to 4096 filters"),
        (lambda config: layer(config, "Conv2D").update(kernel_size=[9000, 1]), "has a kernel_size over 7"),
        (lambda config: layer(config, "UpSampling2D").update(size=[2**20, 2**20]), "has a size over 7"),
        (lambda config: layer(config, "ZeroPadding2D").update(padding=[[3, 9999], [3, 3]]), "has a padding over 7"),
        (lambda config: layer(config, "UpSampling2D").update(size=[7, 7]), "it|shape|Inputs"),
        (lambda config: layer(config, "Conv2D").update(kernel_size=[]), "its config.json describes no network"),
        (lambda config: config.update(config=None), "its config.json describes no network"),
        (
            lambda config: [
                one["config"].update(filters=4096)
                for one in config["config"]["layers"]
                if one["class_name"] == "Conv2D"
            ],
            r"it may have [\d,]+ weights, more than its file",
        ),
    ],
)  # fmt: skip
def test_what_would_fill_the_memory_is_refused_before_it_is_built(edit, message, path):
    import re

    change(path, edit)
    assert re.search(message, refused(path))


def test_a_layer_larger_than_its_input_is_refused(path):
    image = keras.Input((32, 32, 3))
    larger = keras.layers.UpSampling2D(7, name="larger")(image)
    keras.Model(image, keras.layers.MaxPooling2D(7)(larger)).save(path)
    assert "its layer larger is larger than its input" in refused(path)
