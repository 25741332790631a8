"""The file of a network, whoever has made it: what is read, and what is refused before anything is built of it."""

from __future__ import annotations

import io
import json
import zipfile

import h5py
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
    """Return why a file is not read."""
    with pytest.raises(RecordError) as error:
        read_network(str(path), FILES, ours_alone=True)
    before, told, after = str(error.value).partition("not a network that can be read (")
    assert before == f"{path}: "
    assert told
    return after.rpartition("). Expected one that `cocoprep train` has written")[0]


def change(path, edit, name="config.json"):
    """Save a network, of whose file one member is what a function makes of it."""
    network().save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in {**members, name: edit(members[name])}.items():
            archive.writestr(member, content)


def change_layer(path, layer, **changes):
    def edit(content):
        config = json.loads(content)
        (one,) = (one for one in config["config"]["layers"] if one["config"]["name"] == layer)
        one["config"].update(changes)
        return json.dumps(config)

    change(path, edit)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stacks": 2, "heatmap_stride": 8, "joints": 133},
        {"convolution": "separable", "heatmap_stride": 2, "input_size": (32, 64)},
        {"activation": "sigmoid", "depth": 3},
    ],
)
def test_every_network_that_is_trained_is_read(changes, path):
    ours = network(**changes)
    ours.save(path)
    theirs = read_network(str(path), FILES)
    assert [one.path for one in theirs.variables] == [one.path for one in ours.variables]
    for one, other in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    size = changes.get("input_size", (32, 32))
    images = np.random.default_rng(0).normal(size=(1, *size, 3)).astype(np.float32)
    for one, other in zip(keras.tree.flatten(ours(images)), keras.tree.flatten(theirs(images)), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_one_of_16_bits_is_read_in_32_and_what_trains_here_stays(path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network().save(path)
        theirs = read_network(str(path), FILES)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in theirs.layers} == {"float32"}


def test_a_file_that_is_no_network_is_told(path):
    with pytest.raises(RecordError, match=r"x\.keras: not there\. Expected a network of `cocoprep train`, which"):
        read_network(str(path), FILES)
    path.write_bytes(b"PK\x03\x04")
    assert "it is no .keras file, or cut short" in refused(path)
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    assert refused(path) == "its config.json describes another network"


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")  # as it should
def test_code_of_its_own_is_not_run(path, tmp_path):
    image = keras.Input((32, 32, 3), name="image")
    keras.Model(image, keras.layers.Lambda(lambda x: x)(image)).save(path)
    assert refused(path) == "its config.json describes another network"
    code = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
    change_layer(path, "stack1_heatmaps", activation=code)
    assert "--activation: expected one of linear, sigmoid, relu, tanh, found {" in refused(path)
    change_layer(path, "stem_relu", class_name="Lambda")  # nothing but a few names and numbers is looked at
    read_network(str(path), FILES, ours_alone=True)


def test_another_network_is_keras_to_read(path):
    image = keras.Input((32, 32, 3), name="image")
    ours = keras.Model(image, keras.layers.Conv2D(2, 1)(image))
    ours.save(path)
    for one, other in zip(ours.weights, read_network(str(path), FILES).weights, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_what_unpacks_to_much_more_is_not_unpacked(path):
    network().save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("padding", bytes(2**27))
    assert "unpacked it would be 134," in refused(path)


@pytest.mark.parametrize(
    ("layer", "changes", "message"),
    [
        ("stack1_features_conv", {"filters": 2**30}, "--channels: expected a whole number from 2 to 4096, found 10"),
        ("stack1_features_conv", {"filters": 2048}, "it describes weights of 104,9"),
        ("stack1_features_conv", {"filters": "many"}, "--channels: expected a whole number from 2 to 4096, found"),
        ("stack1_features_conv", {"filters": 10}, "could not be loaded"),
        ("stack1_head", {"filters": 2**20}, "it describes weights of 33,55"),
        ("stack1_head", {"filters": 18}, "could not be loaded"),
        ("image", {"batch_shape": [None, 2**33, None, 3]}, "input size: expected a height and a width in pixels"),
        ("image", {"batch_shape": [None, 31, 32, 3]}, "input size: expected a height and a width divisible by 8"),
        ("image", {"batch_shape": [3]}, "its config.json describes another network"),
    ],
)  # fmt: skip
def test_what_it_has_no_weights_for_is_not_built(layer, changes, message, path):
    change_layer(path, layer, **changes)
    assert message in refused(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"config": {"layers": [{}]}}'])
def test_a_config_that_is_none_is_told(content, path):
    change(path, lambda _: content)
    assert refused(path) == "its config.json describes another network"


def store_with(make):
    """Return an HDF5 file that a function has written."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as store:
        make(store)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda store: store.create_dataset("a", (2**20, 2**20), "f4", chunks=(1, 2**10)), "its weights are 4,398,"),
        (lambda store: store.create_dataset("a", (9,), "u1", external=[("/etc/passwd", 0, 9)]), "lie in another place"),
        (lambda store: store.__setitem__("a", h5py.ExternalLink("/tmp/x.h5", "/a")), "lie in another place"),
        (lambda store: store.__setitem__("a", h5py.SoftLink("/b")), "lie in another place"),
        (lambda store: store.create_dataset("other", data=np.zeros(900)), "could not be loaded"),
    ],
)
def test_weights_that_are_not_there_are_refused(make, message, path):
    change(path, lambda _: store_with(make), "model.weights.h5")
    assert message in refused(path)
