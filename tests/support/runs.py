"""Runs for tests of prediction: written in a moment, not trained."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from benchmarks.keras_step import draw_weights
from cocoprep.model.network.hourglass import build_hourglass
from cocoprep.model.network.preprocess import MEAN_RGB, STDDEV_RGB
from cocoprep.model.run.folder import RunFolder
from cocoprep.model.run.resolve import resolve_config
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.settings import CropRecord
from cocoprep.storage.local import LocalFiles
from tests.support.training import TINY


def write_run(run: Path, data: Path, network: keras.Model | None = None, **changes) -> Path:
    """Write the folder of a run that has learned from `data`, with `network` or a random one as its best; return it."""
    settings = {**TINY, **{name.replace("__", "."): value for name, value in changes.items()}, "data": str(data)}
    config = resolve_config(str(run), None, settings, resume=False)
    manifest = read_manifest(str(data), LocalFiles())
    RunFolder(str(run), LocalFiles()).begin(config, {"data": manifest})
    (network or random_network(manifest.crop, stacks=config.network.stacks)).save(run / "best.keras")
    return run


def random_network(crop: CropRecord, *, stacks: int = 2, joints: int = 17, seed: int = 0) -> keras.Model:
    """Return a small hourglass whose heatmaps are of peak about 1: a fresh head's are near zero."""
    network = build_hourglass(
        stacks=stacks, channels=8, depth=1, joints=joints,
        input_size=crop.input_size, heatmap_stride=crop.heatmap_stride,
    )  # fmt: skip
    draw_weights(network, seed)
    return network


def brightness_network(crop: CropRecord, joints: int = len(COCO_17)) -> keras.Model:
    """Return a network whose every heatmap is the picture's brightness, 0 to 1: it finds the brightest spot."""
    image = keras.Input((*crop.input_size, 3), name="image")
    kernel = np.repeat(np.array(STDDEV_RGB)[:, None] / 3, joints, axis=1)[None, None]
    undo = keras.layers.Conv2D(joints, 1, name="stack1_head")
    maps = undo(keras.layers.AveragePooling2D(crop.heatmap_stride)(image))
    undo.set_weights([kernel, np.full(joints, np.mean(MEAN_RGB))])
    return keras.Model(image, [[maps]])


def spot(width: int, height: int, at: tuple[float, float], *, sigma_px: float = 6.0) -> np.ndarray:
    """Return (H, W, 3) uint8, black with a bright round spot at a point: pixel centres at .5."""
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    light = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * sigma_px**2))
    return np.repeat(np.rint(255 * light).astype(np.uint8)[..., None], 3, axis=2)
