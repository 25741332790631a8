"""Figures to stand beside a result's on the same people: the best that stored heatmaps allow, and a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cocoprep.coco.truth import Truth
from cocoprep.evaluation.across import some_joints
from cocoprep.evaluation.baseline import guess_people, read_baseline
from cocoprep.evaluation.ceiling import read_ceiling
from cocoprep.evaluation.matching import match_people
from cocoprep.evaluation.oks import score_oks
from cocoprep.evaluation.pck import PCK_THRESHOLDS, measure_pck
from cocoprep.pose.joint_map import JointMap
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.dataset import ShardDataset
from cocoprep.storage.store import FileStore

BESIDE_CEILING, BESIDE_GUESS = "codec ceiling", "mean guess"
FiguresBeside = Mapping[str, Mapping[str, float]]  # whose they are -> names of `OKS_FIGURES`, `PCK@0.2`, `AUC`


def figures_beside(
    dataset: ShardDataset,
    truth: Truth,
    table: KeypointTable,
    files: FileStore,
    *,
    thresholds: Sequence[float] = PCK_THRESHOLDS,
    joint_map: JointMap | None = None,
) -> FiguresBeside:
    """Return what stands beside the figures of a built folder's people: its codec ceiling, and the mean guess.

    Args:
        dataset: the folder.
        truth: its ground truth, of the joints that are scored.
        table: these K joints.
        files: where it lies.
        thresholds: of PCK, fractions of the box.
        joint_map: where only some of the folder's joints are scored, from the predicted ones. The ceiling, which was
            measured of all, is then left out.
    """
    folder, manifest = dataset.folder, dataset.manifest
    beside: dict[str, Mapping[str, float]] = {}
    ceiling = read_ceiling(folder, manifest, files) if joint_map is None else None
    if ceiling is not None:
        beside[BESIDE_CEILING] = ceiling.full
    guess = guess_people(truth, read_baseline(folder, manifest, files), manifest.crop.config())
    guess = guess if joint_map is None else some_joints(guess, joint_map.shared)
    if len(guess):
        box = measure_pck(truth, guess, match_people(truth, guess, table), table, thresholds=thresholds)["box"]
        named = {f"PCK@{t:g}": float(value) for t, value in zip(thresholds, box.pck.total, strict=True)}
        beside[BESIDE_GUESS] = {**score_oks(truth, guess, table).figures, **named, "AUC": box.auc}
    return beside
