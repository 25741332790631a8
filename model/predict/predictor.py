"""The network of a run, ready to predict: crops in, heatmaps out.

B crops of (H, W), S stacks, K joints, heatmaps of (h, w).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from cocoprep.errors import RecordError
from cocoprep.model.backends.choice import compile_function
from cocoprep.model.network.fold_batch_norm import fold_normalisation
from cocoprep.model.network.preprocess import normalise_images
from cocoprep.model.predict.network_file import read_network
from cocoprep.model.run.folder import BEST, RunFolder
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.settings import CropRecord
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore


def stack_heatmaps(network: keras.Model, images: Any, flip_index: Sequence[int] | None = None) -> Any:
    """Return the heatmaps (S, B, h, w, K) float32 of every stack for crops (B, H, W, 3) uint8: operations of a graph.

    Args:
        network: as `build_hourglass` makes it.
        images: RGB.
        flip_index: for a flip test, the joint that each becomes in a mirror; None for none. The mirrored crops are
            predicted too, their maps mirrored back, left and right exchanged, and both averaged. A mirror takes x to
            width - x: a map's columns are read from the other end, and nothing has to be shifted.
    """
    maps = ops.stack(keras.tree.flatten(network(normalise_images(images), training=False)))
    if flip_index is None:
        return maps
    mirrored = ops.stack(keras.tree.flatten(network(normalise_images(ops.flip(images, axis=2)), training=False)))
    exchanged = ops.take(ops.flip(mirrored, axis=3), np.array(flip_index), axis=-1)
    return (maps + exchanged) / 2


class Predictor:
    """A network with the geometry of its crops and its joints. Make it with `open_predictor`."""

    def __init__(
        self, network: keras.Model, crop: CropRecord, table: KeypointTable, *, flip_test: bool = False
    ) -> None:
        """Take a network of `build_hourglass`, the geometry that its crops are made by, and its K joints."""
        self.network, self.crop, self.table, self.flip_test = network, crop, table, flip_test
        self.folded = fold_normalisation(network)  # what predicts
        self._compiled = compile_function(self.graph, self.folded.variables)

    @property
    def flip_index(self) -> tuple[int, ...] | None:
        """Return the joint that each becomes in the flip test's mirror; None without a flip test."""
        return self.table.flip_index if self.flip_test else None

    def graph(self, images: Any) -> Any:
        """Return the operations that take crops to heatmaps: see `heatmaps`."""
        return stack_heatmaps(self.folded, images, self.flip_index)

    def heatmaps(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return every stack's heatmaps (S, B, h, w, K) float32 of crops (B, H, W, 3) uint8; the last counts.

        A number of crops that is new costs the time of compiling for it.
        """
        maps: NDArray[np.float32] = self._compiled(np.asarray(images, np.uint8))
        return maps


def open_predictor(run_dir: str, *, flip_test: bool = False, files: FileStore = AnyFiles()) -> Predictor:
    """Open the best network of a run.

    `files` is where the folder lies; by default, on this machine or in a bucket, as its path says.

    Raises:
        RecordError: the folder holds no run or none with a network yet, or one of its files is damaged.
    """
    folder = RunFolder(run_dir, files)
    crop, table = folder.read_geometry()
    network = _load_network(folder.at(BEST), crop, table, files)
    return Predictor(network, crop, table, flip_test=flip_test)


def flip_warning(run_dir: str, files: FileStore = AnyFiles()) -> str | None:
    """Return what is to be said of a flip test with a run that has seen no mirrored people; None where it has."""
    folder = RunFolder(run_dir, files)
    why = "augment.flip_probability is 0"
    if folder.read_config().augment.flip_probability > 0:
        if folder.read_geometry()[1].has_pairs:
            return None
        why = "no joints are each other's in a mirror"
    return (
        f"--flip-test: the run was trained without mirrored people ({why}), so half of every "
        "prediction is of a picture such as it has never seen. It may well be worse."
    )


def _load_network(path: str, crop: CropRecord, table: KeypointTable, files: FileStore) -> keras.Model:
    """Load a network and hold it against the geometry it is to have."""
    network = read_network(path, files)
    shapes = [tuple(output.shape[1:]) for output in keras.tree.flatten(network.outputs)]
    expected = (*crop.input_size, 3), (*crop.heatmap_size, len(table))
    if tuple(network.inputs[0].shape[1:]) != expected[0] or not shapes or set(shapes) != {expected[1]}:
        raise RecordError(
            f"{path}: expected a network from {expected[0]} to {expected[1]}, as the run's run.json says, found one "
            f"from {tuple(network.inputs[0].shape[1:])} to {shapes}. Copy the run again, or train it again."
        )
    return _in_float32(network)


def _in_float32(network: keras.Model) -> keras.Model:
    """Return a network that computes in float32: one trained in 16 bits has weights in 32, and no need to hurry now."""
    if all(layer.compute_dtype == "float32" for layer in network.layers):
        return network

    def clone(layer: Any) -> Any:
        return type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    exact = keras.models.clone_model(network, clone_function=clone)
    exact.set_weights(network.get_weights())
    return exact
