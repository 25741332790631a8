"""Predict the people of a built folder: what an evaluation scores.

S stacks, K joints, crops of (H, W), heatmaps of (h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from cocoprep.coco.results import Predictions
from cocoprep.errors import ConfigError
from cocoprep.evaluation.stack_maps import StackMaps
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.dataset import eval_dataset
from cocoprep.model.input.failures import readable_errors
from cocoprep.model.predict.joints import joints_in_image
from cocoprep.model.predict.predictor import Predictor
from cocoprep.pose.heatmaps import Decoder
from cocoprep.shards.geometry import geometry_differences
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
        folder: as `cocoprep build` made it, with the geometry that the run was trained with.
        decoder: how heatmaps become joints.
        batch_size: people at a time.
        on_people: told after every batch how many are done, of how many.
        keep_maps: annotation ids of a few people whose heatmaps are wanted; those without a record are left out.
        files: where the folder lies; by default, on this machine or in a bucket, as its path says.

    Returns:
        The predictions, and what the network made of the people in `keep_maps`, in stored order.

    Raises:
        ConfigError: the folder was built with another geometry or other joints.
        RecordError: it is incomplete or damaged.
    """
    manifest = read_manifest(folder, files)
    check_geometry(predictor, manifest, folder)
    wanted, kept = frozenset(keep_maps), list[StackMaps]()
    annotation_ids, image_ids, joints = [], [], []
    done, people = 0, manifest.counts.people
    batches = eval_dataset(folder, ReadConfig(batch_size=min(batch_size, people), cache=False), files=files)
    on_people(done, people)
    with readable_errors():
        for batch in batches.as_numpy_iterator():
            valid = batch["valid"]
            maps = predictor.heatmaps(batch["image"])
            joints.append(
                joints_in_image(maps[-1][valid], batch["crop_window"][valid], predictor.crop, decoder=decoder)
            )
            annotation_ids.append(batch["annotation_id"][valid])
            image_ids.append(batch["image_id"][valid])
            for n, annotation_id in enumerate(annotation_ids[-1].tolist()):
                if annotation_id in wanted:  # copies, or each would hold its whole batch
                    kept.append(
                        StackMaps(
                            annotation_id, batch["image"][n].copy(), maps[:, n].copy(), batch["heatmaps"][n].copy()
                        )
                    )
            done += int(valid.sum())
            on_people(done, people)
    predictions = Predictions(
        image_ids=np.concatenate(image_ids),
        keypoints=np.concatenate([part.keypoints for part in joints]),
        confidence=np.concatenate([part.confidence for part in joints]),
        scores=np.concatenate([part.scores for part in joints]),
        annotation_ids=np.concatenate(annotation_ids),
    )
    return predictions, kept


def check_geometry(predictor: Predictor, manifest: Manifest, folder: str) -> None:
    """Refuse a folder whose crops are made otherwise than those that the run has learned from.

    Raises:
        ConfigError: naming what differs.
    """
    for name, trained, found in geometry_differences(predictor.crop, predictor.table, manifest):
        raise ConfigError(
            f"--data: the {name} of {folder} is {found}, that of the run's training data {trained}. Build the "
            "folder with the options that the training data were built with."
        )
