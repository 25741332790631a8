"""The file of a network, `.keras`: read, whoever has made it.

Keras builds whatever such a file describes before it looks at a weight, so what it describes is bounded first: layers
such as `build_hourglass` makes, no wider than its own weights and no larger than its input. Source of the format:
https://keras.io/guides/serialization_and_saving, config.json and model.weights.h5 in a zip.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras

from cocoprep.errors import RecordError
from cocoprep.model.network.bounds import MAX_CHANNELS
from cocoprep.storage.disk_errors import no_temporary
from cocoprep.storage.held_folder import held_folder
from cocoprep.storage.store import FileStore

LARGEST_UNPACKED = 2**26  # bytes that are never too many
MOST_PACKED = 20  # times the size of the file, that more may be
LARGEST_CONFIG = 2**24  # bytes; eight stacks of depth 10 take a third of it
LAYERS = frozenset(
    {
        "InputLayer", "ZeroPadding2D", "Conv2D", "SeparableConv2D", "BatchNormalization", "ReLU", "Activation",
        "MaxPooling2D", "UpSampling2D", "Add",
    }
)  # fmt: skip
SIZES = ("kernel_size", "strides", "pool_size", "size", "padding", "dilation_rate", "depth_multiplier")
LARGEST_SIZE = 7  # of a kernel; all others are smaller
MOST_OVER = 8  # times what the weights are reckoned to take at most; three times is usual
EDGE = 8  # pixels that a layer may add to its input; the stem adds six


def read_network(path: str, files: FileStore) -> keras.Model:
    """Read a network's file; nothing in it is run.

    Raises:
        RecordError: there is none, or it cannot be read.
    """
    if not files.exists(path):
        raise RecordError(
            f"{path}: not there. Expected a network of `cocoprep train`, which it writes after its first epoch."
        )
    with _on_this_machine(path, files) as local:
        if (odd := _find_odd(local)) is not None:
            raise RecordError(
                f"{path}: not a network that can be read ({odd}). Name a file that `cocoprep train` has written."
            )
        try:
            # In safe mode: a file's own code is not run.
            return _of_its_size(keras.saving.load_model(local, compile=False))
        except Exception as error:  # Keras raises whatever a damaged file provokes
            cut = isinstance(error, zipfile.BadZipFile) or not zipfile.is_zipfile(local)  # Keras would say "not found"
            innermost = str(error).rpartition("Exception encountered: ")[2]
            reason = "it is no .keras file, or cut short" if cut else innermost.strip().partition("\n")[0]
            if "safe_mode" in innermost:  # which Keras recommends to switch off
                reason = "it has code of its own, which is never run"
            raise RecordError(
                f"{path}: not a network that can be read ({reason}). Copy the run again, or train it again."
            ) from error


def _find_odd(local: str) -> str | None:
    """Say what would fill the memory when Keras builds what a file describes, or unpacks it: it packs nothing."""
    try:
        with zipfile.ZipFile(local) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > LARGEST_UNPACKED and unpacked > MOST_PACKED * os.path.getsize(local):
                return f"unpacked it would be {unpacked:,} bytes, more than {MOST_PACKED} times its size"
            if archive.getinfo("config.json").file_size > LARGEST_CONFIG:
                return f"its config.json is longer than {LARGEST_CONFIG:,} bytes"
            config = json.loads(archive.read("config.json"))
    except Exception:  # whatever a damaged file provokes; what is wrong with it, Keras finds too
        return None
    try:
        return _find_odd_layer(config, most_bytes=MOST_OVER * max(unpacked, LARGEST_UNPACKED))
    except Exception:  # a name that is none, a list in a list in a list
        return "its config.json describes no network"


def _find_odd_layer(config: Mapping[str, Any], most_bytes: int) -> str | None:
    """Say which layer of a config no network of `build_hourglass` has, or that all weights together are too many.

    Raises whatever it provokes that it is no config of layers.
    """
    if config["class_name"] != "Functional":
        return f"it is of the class {config['class_name']!s:.100}, expected Functional"
    convolutions = []
    for layer in config["config"]["layers"]:
        name, of_layer = layer["class_name"], layer["config"]
        if name not in LAYERS:
            return f"it has a layer of the class {name!s:.100}, expected of {', '.join(sorted(LAYERS))}"
        for size in SIZES:
            if any(number > LARGEST_SIZE for number in _numbers(of_layer.get(size))):
                return f"its layer {of_layer['name']!s:.100} has a {size} over {LARGEST_SIZE}"
        if name in ("Conv2D", "SeparableConv2D"):
            filters, sides = of_layer["filters"], [*_numbers(of_layer["kernel_size"])]
            if not (isinstance(filters, int) and 0 < filters <= MAX_CHANNELS):
                return f"its layer {of_layer['name']!s:.100} has not 1 to {MAX_CHANNELS} filters"
            convolutions.append((filters, max(sides) ** 2))
    widest = max((filters for filters, _ in convolutions), default=0)  # nothing but them changes the width
    weights = sum(filters * area * widest for filters, area in convolutions)
    return f"it may have {weights:,} weights, more than its file" if 4 * weights > most_bytes else None


def _numbers(value: object) -> Iterator[int]:
    """Yield the whole numbers of a size: of one, of lists, of lists of lists."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _numbers(one)


def _of_its_size(network: keras.Model) -> keras.Model:
    """Return a network if no layer's output is larger than its input. Raises ValueError."""
    (image,) = network.inputs
    for layer in network.layers:
        for output in keras.tree.flatten(layer.output):
            sides = zip(output.shape[1:3], image.shape[1:3], strict=True)
            if not all(isinstance(ours, int) and isinstance(own, int) and ours <= own + EDGE for ours, own in sides):
                raise ValueError(f"its layer {layer.name:.100} is larger than its input")
    return network


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
