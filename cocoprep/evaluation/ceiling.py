"""The codec ceiling: what a network would score that predicts the stored, quantised heatmaps perfectly."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from cocoprep.coco.results import result_lines
from cocoprep.coco.truth import lacks_scale
from cocoprep.errors import RecordError
from cocoprep.evaluation.oks import OKS_FIGURES, evaluate_oks
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.ground_truth import CATEGORY_ID, read_ground_truth
from cocoprep.shards.manifest import Manifest, ceiling_basis
from cocoprep.shards.names import CEILING, GROUND_TRUTH
from cocoprep.shards.seal import seal, unseal
from cocoprep.shards.sidecar import DECODED_STEP_PX, Sidecar, read_sidecar, unpack_array
from cocoprep.storage.store import FileStore


class Ceiling(msgspec.Struct, frozen=True):
    """The ten OKS figures of perfect predictions.

    Attributes:
        fingerprint: of the build they are for.
        kept: over the people kept, all others ignored: what the codec costs.
        full: over the full ground truth: what filtering costs as well.
        basis: digest of what it was measured on, by `ceiling_basis`; None of version 0.1.
        without_scale: people whose area is next to nothing of their box, so that OKS has no scale for them.
    """

    fingerprint: str
    kept: dict[str, float]
    full: dict[str, float]
    basis: str | None = None
    without_scale: int = 0


def measure_ceiling(folder: str, manifest: Manifest, table: KeypointTable, files: FileStore) -> Ceiling:
    """Score what the stored heatmaps decode to, and write it beside the manifest."""
    truth = read_ground_truth(folder, files)
    image_of = {annotation["id"]: annotation["image_id"] for annotation in truth["annotations"]}
    kept: set[int] = set()
    results: list[dict[str, Any]] = []
    for shard in manifest.shards:
        sidecar = read_sidecar(folder, shard.name, files)
        if sidecar is not None and sidecar.examples:
            decoded = unpack_array(sidecar.decoded, np.int32, (sidecar.examples, len(table), 2))
            images = _images(sidecar, image_of, folder)
            results += result_lines(images, decoded * DECODED_STEP_PX, np.ones(len(images)), CATEGORY_ID)
            kept.update(sidecar.annotation_ids)
    full = evaluate_oks(truth, results, table)
    for annotation in truth["annotations"]:
        if annotation["id"] not in kept:
            annotation["num_keypoints"] = 0  # which makes pycocotools ignore it
    people = [a for a in truth["annotations"] if a["num_keypoints"] and not a["iscrowd"]]
    ceiling = Ceiling(
        fingerprint=manifest.fingerprint,
        kept=evaluate_oks(truth, results, table),
        full=full,
        basis=ceiling_basis(manifest),
        without_scale=_count_without_scale(people),
    )
    with files.create(files.join(folder, CEILING)) as stream:
        stream.write(seal(ceiling))
    return ceiling


def _count_without_scale(people: list[dict[str, Any]]) -> int:
    area = np.array([person["area"] for person in people], np.float64)
    return int(lacks_scale(area, np.array([person["bbox"] for person in people], np.float64).reshape(-1, 4)).sum())


def _images(sidecar: Sidecar, image_of: dict[int, int], folder: str) -> list[int]:
    try:
        return [image_of[annotation_id] for annotation_id in sidecar.annotation_ids]
    except KeyError as error:
        raise RecordError(
            f"{folder}: expected annotation {error} of {sidecar.shard} in {GROUND_TRUTH}, found nothing; another build "
            "may have written into this folder. Build it again."
        ) from error


def read_ceiling(folder: str, manifest: Manifest, files: FileStore) -> Ceiling | None:
    """Return the ceiling that was measured for this build; None where none was."""
    path = files.join(folder, CEILING)
    if not files.exists(path):
        return None
    try:
        ceiling = msgspec.convert(unseal(files.read_bytes(path), path), Ceiling)
    except (OSError, msgspec.ValidationError) as error:
        raise RecordError(f"{path}: cannot be read ({error}). Build the folder again.") from error
    if any(set(scores) != set(OKS_FIGURES) for scores in (ceiling.kept, ceiling.full)):
        raise RecordError(f"{path}: expected {', '.join(OKS_FIGURES)}, found other figures. Build the folder again.")
    if ceiling.fingerprint != manifest.fingerprint or ceiling.basis not in (None, ceiling_basis(manifest)):
        return None
    return ceiling
