"""Predict the people of a built folder: what an evaluation scores.

S stacks, K joints, crops of (H, W), heatmaps of (h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import Predictions, join_predictions
from cocoprep.errors import ConfigError
from cocoprep.evaluation.stack_maps import StackMaps
from cocoprep.model.input.batches import eval_batches
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.predict.joints import joints_in_image
from cocoprep.model.predict.predictor import Predictor
from cocoprep.pose.heatmaps import Decoder
from cocoprep.shards.geometry import crop_differences, geometry_differences
from cocoprep.shards.manifest import Manifest, read_manifest
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore


def predict_folder(
    predictor: Predictor,
    folder: str,
    *,
    decoder: Decoder = "taylor",
    batch_size: int = 32,
    on_people: Callable[[int, int], None] = lambda done, total: None,
    keep_maps: Iterable[int] = (),
    files: FileStore = AnyFiles(),
) -> tuple[Predictions, list[StackMaps]]:
    """Predict every person of a built folder once, in stored order, from the boxes of its ground truth.

    Annotations that the build has dropped get no prediction.

    Args:
        predictor: of a run.
        folder: as `cocoprep build` made it, with the crops that the run was trained with; its joints may be others.
        decoder: how heatmaps become joints.
        batch_size: people at a time.
        on_people: told after every batch how many are done, of how many.
        keep_maps: annotation ids of a few people whose heatmaps are wanted; those without a record are left out.
        files: where the folder lies; by default, on this machine or in a bucket, as its path says.

    Returns:
        The predictions, of the network's own joints, and what it made of the people in `keep_maps`, in stored order:
        their true heatmaps are of the folder's joints.

    Raises:
        ConfigError: the folder was built with another geometry.
        RecordError: it is incomplete or damaged.
    """
    manifest = read_manifest(folder, files)
    _refuse(crop_differences(predictor.crop, manifest), folder)
    wanted, kept, parts = frozenset(keep_maps), list[StackMaps](), list[Predictions]()
    done, people = 0, manifest.counts.people
    batches = eval_batches(folder, ReadConfig(batch_size=min(batch_size, people), cache=False), files=files)
    on_people(done, people)
    for batch in batches:
        maps = predictor.heatmaps(batch["image"])
        parts.append(_predictions(batch, maps[-1], predictor, decoder))
        kept += _stack_maps(batch, maps, wanted)
        done += len(parts[-1])
        on_people(done, people)
    return join_predictions(parts), kept


def _predictions(
    batch: Mapping[str, NDArray[Any]], maps: NDArray[np.float32], predictor: Predictor, decoder: Decoder
) -> Predictions:
    """Return the people of a batch from the last stack's heatmaps (N, h, w, K)."""
    valid = batch["valid"]
    joints = joints_in_image(maps[valid], batch["crop_window"][valid], predictor.crop, decoder=decoder)
    return Predictions(
        image_ids=batch["image_id"][valid],
        keypoints=joints.keypoints,
        confidence=joints.confidence,
        scores=joints.scores,
        annotation_ids=batch["annotation_id"][valid],
    )


def _stack_maps(
    batch: Mapping[str, NDArray[Any]], maps: NDArray[np.float32], wanted: frozenset[int]
) -> Iterator[StackMaps]:
    """Yield those people of a batch that are wanted; `maps` (S, N, h, w, K) are every stack's."""
    for n in np.flatnonzero(batch["valid"]):
        annotation_id = int(batch["annotation_id"][n])
        if annotation_id in wanted:  # copies, or each would hold its whole batch
            yield StackMaps(annotation_id, batch["image"][n].copy(), maps[:, n].copy(), batch["heatmaps"][n].copy())


def check_geometry(predictor: Predictor, manifest: Manifest, folder: str) -> None:
    """Refuse a folder whose crops are made otherwise than those that the run has learned from, or of other joints.

    Raises:
        ConfigError: naming what differs.
    """
    _refuse(geometry_differences(predictor.crop, predictor.table, manifest), folder)


def _refuse(differences: Iterator[tuple[str, Any, Any]], folder: str) -> None:
    for name, trained, found in differences:
        raise ConfigError(
            f"--data: the {name} of {folder} is {found}, that of the run's training data {trained}. Build the "
            "folder with the options that the training data were built with."
        )
