"""A small hourglass that predicts and learns, on the backend that KERAS_BACKEND names.

A test runs `python -m tests.model.network.hourglass_step FOLDER` in a fresh process. It reads network.keras and
expected.npz, what another backend saved, and prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np


def worst_difference(folder: Path) -> float:
    """Load the saved network, without a word about its classes, and hold its heatmaps against the expected ones."""
    expected = np.load(folder / "expected.npz")
    loaded = keras.saving.load_model(folder / "network.keras")
    found = loaded.predict_on_batch(expected["images"])
    return max(
        float(np.abs(maps - expected[name]).max()) for name, maps in zip(loaded.output_names, found, strict=True)
    )


def losses_of_steps(steps: int = 6) -> list[float]:
    """Take some steps on one fixed batch and return the loss before each."""
    from cocoprep.model.network.hourglass import build_hourglass

    keras.utils.set_random_seed(0)
    network = build_hourglass(stacks=2, channels=8, depth=1, joints=3, input_size=(16, 16))
    eager = keras.backend.backend() == "tensorflow"  # for so few steps a graph takes longer than it saves
    network.compile(optimizer=keras.optimizers.Adam(1e-2), loss=["mse", "mse"], run_eagerly=eager)
    images = np.random.default_rng(0).normal(size=(4, 16, 16, 3)).astype(np.float32)
    truth = [np.random.default_rng(1).uniform(size=(4, 4, 4, 3)).astype(np.float32)] * 2
    return [float(network.train_on_batch(images, truth, return_dict=True)["loss"]) for _ in range(steps)]


if __name__ == "__main__":
    report = {"worst": worst_difference(Path(sys.argv[1])), "losses": losses_of_steps()}
    print(json.dumps({"backend": keras.backend.backend(), **report}))
