"""How good the network is on people it does not learn from: the log's figures, and OKS.

N people, K joints, S stacks, heatmaps of (h, w).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import CATEGORY_ID, result_lines
from cocoprep.evaluation.oks import evaluate_oks
from cocoprep.model.backends.engine import SourceStep, ValidationStep
from cocoprep.model.predict.joints import joints_in_image
from cocoprep.model.training.metrics import Sums, add_sums, figures
from cocoprep.pose.heatmaps import Decoder
from cocoprep.shards.ground_truth import category_of, read_ground_truth
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.settings import table_of
from cocoprep.storage.store import FileStore


@dataclass(frozen=True)
class Validation:
    """What came of it.

    Attributes:
        figures: the log's.
        results: the COCO results line of every person.
        sources: (N,) the source of each of these people.
        by_source: what `figures` is made of, of each source by itself; none where it was not asked for.
    """

    figures: dict[str, float]
    results: list[dict[str, Any]]
    sources: NDArray[np.int32]
    by_source: list[Sums]


def validate(
    batches: Iterator[dict[str, Any]],
    step: ValidationStep,
    manifest: Manifest,
    *,
    decoder: Decoder = "taylor",
    by_source: SourceStep | None = None,
) -> Validation:
    """Run the network over a data set, each person once.

    Args:
        batches: of `eval_batches`.
        step: `validation_step` of an engine.
        manifest: of the folder.
        decoder: how heatmaps become joints for the results lines.
        by_source: `source_step` of an engine, where there are several sources.
    """
    sums, results, sources, parts = [], [], [], []
    for batch in batches:
        part, heatmaps = step(batch)
        sums.append(_arrays(part))
        known = _arrays({name: batch[name] for name in ("valid", "crop_window", "image_id", "source")})
        results += batch_results(np.asarray(heatmaps[-1]), known, manifest, decoder)
        sources.append(known["source"][known["valid"]])
        if by_source is not None:
            parts.append([_arrays(one) for one in by_source(heatmaps, batch)])
    return Validation(
        figures(add_sums(sums), table_of(manifest.keypoints)),
        results,
        np.concatenate(sources),
        [add_sums(one) for one in zip(*parts, strict=True)],
    )


def _arrays(values: dict[str, Any]) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(value) for name, value in values.items()}


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
