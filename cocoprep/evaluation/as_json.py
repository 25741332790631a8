"""An evaluation as what JSON can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.evaluation.by_crowding import CrowdedOks
from cocoprep.evaluation.by_source import SourceFigures
from cocoprep.evaluation.confidence import JointThresholds
from cocoprep.evaluation.end_point import EndPointErrors
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.oks import OksScore
from cocoprep.evaluation.pck import Pck, PckFigures
from cocoprep.evaluation.pckh import THRESHOLD, Pckh
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.json_file import as_builtins


def evaluation_as_json(evaluation: Evaluation, table: KeypointTable, *, context: dict[str, Any]) -> dict[str, Any]:
    """Return every figure, not rounded, as what JSON can hold: NaN as None.

    Args:
        evaluation: of `evaluate`.
        table: names the joints.
        context: what the figures are of and what stands beside them; comes first.
    """
    truth, joints = evaluation.truth, evaluation.joints
    content = {
        **context,
        **({} if evaluation.across is None else evaluation.across.as_json()),
        "counts": {
            "images": len(truth.images),
            "annotations": len(truth.annotation_ids),
            "people": int(truth.counts.sum()),
            "predictions": len(evaluation.predictions),
            "people_predicted": int((evaluation.matches >= 0).sum()),
        },
        "oks": evaluation.oks.figures,
        **({} if table.uniform_sigma is None else {"oks_sigma_of_all_joints": table.uniform_sigma}),
        "oks_precision": _precision(evaluation.oks),
        **({} if evaluation.by_crowding is None else {"oks_by_crowding": _crowding(evaluation.by_crowding)}),
        **({} if evaluation.by_source is None else {"by_source": _by_source(evaluation.by_source)}),
        "pck": {unit: _pck(figures, table) for unit, figures in evaluation.pck.items()},
        **({} if evaluation.pckh is None else {"pckh": _pckh(evaluation.pckh)}),
        "end_point_error": _end_point(evaluation.end_point, table),
        "errors": evaluation.errors.tables,
        "confidence": None if joints is None else thresholds_as_json(joints, table),
    }
    return {key: as_builtins(value) for key, value in content.items()}


def thresholds_as_json(joints: JointThresholds, table: KeypointTable) -> dict[str, Any]:
    """Return thresholds and their figures as what JSON can hold: NaN as None."""
    content = {
        "people": joints.people,
        "precision": joints.total_precision,
        "recall": joints.total_recall,
        "joints_reported_a_person": joints.reported,
        "per_joint": {
            name: {
                "threshold": joints.thresholds[k],
                "precision": joints.precision[k],
                "recall": joints.recall[k],
                "f1": joints.f1[k],
                "labelled": joints.labelled[k],
            }
            for k, name in enumerate(table.names)
        },
    }
    return {key: as_builtins(value) for key, value in content.items()}


def _precision(oks: OksScore) -> dict[str, Any]:
    precision = np.where(oks.precision < 0, np.nan, oks.precision)  # -1: no person stands behind it
    at = {f"{threshold:.2f}": curve for threshold, curve in zip(oks.thresholds, precision, strict=True)}
    return {"recalls": oks.recalls, "at": at}


def _crowding(by_crowding: dict[str, CrowdedOks]) -> dict[str, Any]:
    return {name: {**one.figures, "images": one.images, "people": one.people} for name, one in by_crowding.items()}


def _by_source(by_source: dict[str, SourceFigures]) -> dict[str, Any]:
    return {
        name: {
            "images": one.images,
            "people": one.people,
            "people_predicted": one.predicted,
            "oks": one.oks,
            "pck_by_box": {
                "people_without_unit": one.pck.without_unit,
                "joints": one.pck.pck.joints.sum(),
                "at": {f"{t:g}": value for t, value in zip(one.pck.pck.thresholds, one.pck.pck.total, strict=True)},
                "auc": one.pck.auc,
            },
        }
        for name, one in by_source.items()
    }


def _pckh(figures: Pckh) -> dict[str, Any]:
    return {
        "threshold": THRESHOLD,
        **figures.parts,
        "Total": figures.total,
        **{f"Total@{threshold:g}": value for threshold, value in figures.fine.items()},
        "joints": figures.joints,
        "people": figures.people,
        "people_whose_head_size_is_stated": figures.stated,
    }


def _pck(figures: PckFigures, table: KeypointTable) -> dict[str, Any]:
    return {
        "people": figures.people,
        "people_without_unit": figures.without_unit,
        **({"people_whose_unit_is_stated": figures.stated} if figures.stated else {}),
        "joints": figures.pck.joints.sum(),
        "joints_per_joint": _by_name(figures.pck.joints, table),
        "at": _at_thresholds(figures.pck, table),
        "auc": figures.auc,
        "auc_per_joint": _by_name(figures.auc_per_joint, table),
        "curve": {
            "thresholds": figures.curve.thresholds,
            "pck": figures.curve.total,
            "pck_per_joint": _by_name(figures.curve.per_joint.T, table),
        },
    }


def _at_thresholds(pck: Pck, table: KeypointTable) -> dict[str, Any]:
    return {
        f"{threshold:g}": {"total": total, "per_joint": _by_name(per_joint, table)}
        for threshold, total, per_joint in zip(pck.thresholds, pck.total, pck.per_joint, strict=True)
    }


def _end_point(errors: EndPointErrors, table: KeypointTable) -> dict[str, Any]:
    return {
        "people": errors.people,
        "people_undetected": errors.undetected,
        "joints": errors.joints.sum(),
        "mean_px": errors.mean_px,
        "median_px": errors.median_px,
        "mean_of_box": errors.mean_of_box,
        "median_of_box": errors.median_of_box,
        "per_joint": {
            name: {
                "mean_px": errors.mean_px_per_joint[k],
                "median_px": errors.median_px_per_joint[k],
                "joints": errors.joints[k],
            }
            for k, name in enumerate(table.names)
        },
    }


def _by_name(values: NDArray[Any], table: KeypointTable) -> dict[str, Any]:
    return dict(zip(table.names, values, strict=True))
