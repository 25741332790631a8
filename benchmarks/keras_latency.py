"""Our side of the latency benchmark: `python -m benchmarks.keras_latency REFERENCE`.

A process for itself. It writes the reference that the other side is held against, then serves predictions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.keras_step import draw_weights
from benchmarks.steps import serve_steps
from cocoprep.model.network.hourglass import build_hourglass
from cocoprep.model.predict.predictor import Predictor
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import decode_heatmaps
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.settings import crop_record


def main() -> None:
    """Write the reference and serve predictions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--flip-test", action="store_true")
    chosen = parser.parse_args()
    network = build_hourglass()
    draw_weights(network)
    images = np.random.default_rng(1).integers(0, 256, (chosen.batch_size, 256, 256, 3), dtype=np.uint8)
    predictor = Predictor(network, crop_record(CropConfig()), COCO_17, flip_test=chosen.flip_test)
    arrays = {f"weights:{weight.path}": weight.numpy() for weight in network.weights}
    np.savez(chosen.reference, images=images, predicted=predictor.heatmaps(images), **arrays)

    def step() -> float:
        points, _ = decode_heatmaps(predictor.heatmaps(images)[-1])
        return float(points.mean())

    parameters = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    serve_steps(step, parameters=parameters, version=tf.__version__)


if __name__ == "__main__":
    main()
