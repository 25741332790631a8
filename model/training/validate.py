"""How good the network is on people it does not learn from: the log's figures, and OKS by pycocotools.

N people, K joints, S stacks, heatmaps of (h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import CATEGORY_ID, result_lines
from cocoprep.evaluation.oks import evaluate_oks
from cocoprep.model.predict.joints import joints_in_image
from cocoprep.model.training.metrics import Sums, add_sums, figures
from cocoprep.pose.heatmaps import Decoder
from cocoprep.shards.ground_truth import category_of, read_ground_truth
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.settings import table_of
from cocoprep.storage.store import FileStore

BatchStep = Callable[[dict[str, Any]], tuple[Sums, Any]]


@dataclass(frozen=True)
class Validation:
    """What came of it: the log's figures, and the COCO results lines of every person."""

    figures: dict[str, float]
    results: list[dict[str, Any]]


def validate(
    batches: Iterator[dict[str, Any]], step: BatchStep, manifest: Manifest, *, decoder: Decoder = "taylor"
) -> Validation:
    """Run the network over a data set, each person once.

    Args:
        batches: of `eval_dataset`.
        step: of `validation_step`.
        manifest: of the folder.
        decoder: how heatmaps become joints for the results lines.
    """
    sums, results = [], []
    for batch in batches:
        part, heatmaps = step(batch)
        sums.append({name: np.asarray(value) for name, value in part.items()})
        results += batch_results(np.asarray(heatmaps[-1]), _as_arrays(batch), manifest, decoder)
    return Validation(figures(add_sums(sums), table_of(manifest.keypoints)), results)


def _as_arrays(batch: dict[str, Any]) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(batch[name]) for name in ("valid", "crop_window", "image_id")}


def batch_results(
    heatmaps: NDArray[np.float32], batch: dict[str, NDArray[Any]], manifest: Manifest, decoder: Decoder
) -> list[dict[str, Any]]:
    """Return the results lines of a batch: heatmaps (N, h, w, K) taken back to the photographs."""
    valid = batch["valid"]
    found = joints_in_image(heatmaps[valid], batch["crop_window"][valid], manifest.crop, decoder=decoder)
    return result_lines(batch["image_id"][valid], found.keypoints, found.scores, CATEGORY_ID)


def measure_oks(results: list[dict[str, Any]], folder: str, manifest: Manifest, files: FileStore) -> dict[str, float]:
    """Return the ten OKS figures of results lines against the ground truth beside the shards."""
    truth = read_ground_truth(folder, files)
    lines = [{**line, "category_id": category_of(truth)} for line in results]
    return evaluate_oks(truth, lines, table_of(manifest.keypoints))
