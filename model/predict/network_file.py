"""The file of a network, `.keras`: read, whoever has made it.

Keras would build whatever such a file describes, of any size, before it looks at a weight. So of one of ours nothing is
built: it is asked which network of `build_hourglass` it is, by the names of its layers; that is built, and given its
weights. Another network, which a run may have been given by hand, is Keras's to build.
Source of the format: https://keras.io/guides/serialization_and_saving, config.json and model.weights.h5 in a zip.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import h5py
import keras

from cocoprep.errors import RecordError
from cocoprep.model.network.bounds import check_numbers
from cocoprep.model.network.config import Activation, Convolution
from cocoprep.model.network.hourglass import build_hourglass
from cocoprep.storage.disk_errors import no_temporary
from cocoprep.storage.held_folder import held_folder
from cocoprep.storage.store import FileStore

LARGEST_UNPACKED = 2**26  # bytes that are never too many
MOST_PACKED = 20  # times the size of the file, that more may be
WEIGHTS, CONFIG = "model.weights.h5", "config.json"


@dataclass(frozen=True)
class _Shape:
    """What `build_hourglass` takes."""

    stacks: int
    channels: int
    depth: int
    joints: int
    input_size: tuple[int, int]
    heatmap_stride: int
    convolution: Convolution
    activation: Activation

    @property
    def least_bytes(self) -> int:
        """Return what its weights take at least: those of the residuals of its hourglasses, and of its heads."""
        residual = self.channels**2 * 5 // 4  # 1x1 to half the width, at least as much as 1x1 there, and 1x1 back
        return 4 * self.stacks * ((3 * self.depth + 2) * residual + self.channels * self.joints)


def read_network(path: str, files: FileStore, *, ours_alone: bool = False) -> keras.Model:
    """Read a network's file; nothing in it is run.

    Args:
        path: of the file.
        files: where it lies.
        ours_alone: refuse networks of other layers than `build_hourglass` makes. One of ours computes in float32.

    Raises:
        RecordError: there is none, or it cannot be read.
    """
    if not files.exists(path):
        raise RecordError(
            f"{path}: not there. Expected a network of `cocoprep train`, which it writes after its first epoch."
        )
    with _on_this_machine(path, files) as local:
        try:
            shape = _read_shape(local)
            if shape is None and ours_alone:
                raise RecordError(f"its {CONFIG} describes another network")
            if shape is None:
                return keras.saving.load_model(local, compile=False)  # in safe mode: a file's own code is not run
            network = _build(shape)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what it lacks: that is an error in the end
                network.load_weights(local)
        except Exception as error:  # a damaged file provokes whatever there is
            cut = isinstance(error, zipfile.BadZipFile) or not zipfile.is_zipfile(local)  # Keras would say "not found"
            reason = "it is no .keras file, or cut short" if cut else str(error).strip().partition("\n")[0]
            if "safe_mode" in reason:  # which Keras recommends to switch off
                reason = "it has code of its own, which is never run"
            raise RecordError(
                f"{path}: not a network that can be read ({reason:.300}). Expected one that `cocoprep train` has "
                "written: copy it again, or train it again."
            ) from error
    return network


def _build(shape: _Shape) -> keras.Model:
    """Build a network that computes in float32, in which weights always are, whatever is trained in this process."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        return build_hourglass(**asdict(shape))
    finally:
        keras.config.set_dtype_policy(policy)


def _read_shape(local: str) -> _Shape | None:
    """Return which network a file is of, once it is known to have the weights of that; None for another one.

    Raises:
        CocoprepError: it takes more memory than it has bytes, or cannot be built.
    """
    with zipfile.ZipFile(local) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > LARGEST_UNPACKED and unpacked > MOST_PACKED * os.path.getsize(local):
            raise RecordError(f"unpacked it would be {unpacked:,} bytes, more than {MOST_PACKED} times its size")
        config, weights = archive.read(CONFIG), archive.read(WEIGHTS)
    _check_arrays(weights)
    try:
        shape = _shape_of(json.loads(config))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    check_numbers(stacks=shape.stacks, channels=shape.channels, depth=shape.depth, joints=shape.joints)
    if shape.least_bytes > len(weights):
        raise RecordError(f"it describes weights of {shape.least_bytes:,} bytes and more, and has {len(weights):,}")
    return shape


def _check_arrays(weights: bytes) -> None:
    """Refuse an HDF5 file whose arrays lie elsewhere, or are larger than what it has stored. Raises RecordError."""
    links, found = list[Any](), list[Any]()
    with h5py.File(io.BytesIO(weights), "r") as store:
        store.visititems_links(lambda _, link: links.append(link))
        store.visititems(lambda _, one: found.append(one))
        arrays = [one for one in found if isinstance(one, h5py.Dataset)]
        elsewhere = any(one.external or one.is_virtual for one in arrays)
        if elsewhere or not all(isinstance(link, h5py.HardLink) for link in links):
            raise RecordError("it says that weights lie in another place")
        declared = sum(math.prod(one.shape) * one.dtype.itemsize for one in arrays)
        if declared > len(weights):
            raise RecordError(f"its weights are {declared:,} bytes, in {len(weights):,}")


def _shape_of(config: dict[str, Any]) -> _Shape:
    """Tell by its layers which network it is."""
    layers = {layer["config"]["name"]: layer for layer in config["config"]["layers"]}
    stacks = sum(re.fullmatch(r"stack\d+_head", name) is not None for name in layers)
    depth = sum(re.fullmatch(r"stack1_down\d+_pool", name) is not None for name in layers)
    is_separable = layers["stem_residual1_conv2"]["class_name"] == "SeparableConv2D"
    _, height, width, _ = layers["image"]["config"]["batch_shape"]
    return _Shape(
        stacks=stacks,
        channels=layers["stack1_features_conv"]["config"]["filters"],
        depth=depth,
        joints=layers["stack1_head"]["config"]["filters"],
        input_size=(height, width),
        heatmap_stride=2 ** (1 + ("stem_pool1" in layers) + ("stem_pool2" in layers)),
        convolution="separable" if is_separable else "standard",
        activation=layers["stack1_heatmaps"]["config"]["activation"],
    )


@contextmanager
def _on_this_machine(path: str, files: FileStore) -> Iterator[str]:
    """Give a file that Keras can open: the one named, or a copy of it for as long as it is needed."""
    if "://" not in path:
        try:
            files.open_read(path).close()  # of a pipe, Keras would wait for the end
        except OSError as error:
            raise RecordError(f"{path}: cannot be read ({error.strerror or error}). Copy the run again.") from error
        yield path
        return
    content = files.read_bytes(path)
    with held_folder() as folder:
        copy = os.path.join(folder, os.path.basename(path))
        try:
            with open(copy, "wb") as stream:
                stream.write(content)
        except OSError as error:
            raise no_temporary(error) from error
        yield copy
