"""All that is measured of predictions, in one go. N annotations, K joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.confidence import JointThresholds, choose_thresholds
from cocoprep.evaluation.end_point import EndPointErrors, measure_end_point_errors
from cocoprep.evaluation.error_kinds import ErrorAnalysis, analyse_errors
from cocoprep.evaluation.matching import match_people
from cocoprep.evaluation.oks import OksScore, oks_of_pairs, score_oks
from cocoprep.evaluation.pck import PCK_THRESHOLDS, PckFigures, measure_pck
from cocoprep.pose.keypoints import KeypointTable


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        truth: the ground truth.
        predictions: what was scored.
        matches: (N,) int64, the place in `predictions` of each person; see `match_people`.
        oks: average precision and recall.
        person_oks: (N,) of each person and the matched prediction; NaN where there is none.
        pck: by unit: box, torso, head.
        end_point: distances.
        errors: kinds of errors.
        joints: thresholds of confidence; None where all confidences are equal, or nobody was predicted.
    """

    truth: Truth
    predictions: Predictions
    matches: NDArray[np.int64]
    oks: OksScore
    person_oks: NDArray[np.float64]
    pck: dict[str, PckFigures]
    end_point: EndPointErrors
    errors: ErrorAnalysis
    joints: JointThresholds | None


def evaluate(
    truth: Truth, predictions: Predictions, table: KeypointTable, *, thresholds: Sequence[float] = PCK_THRESHOLDS
) -> Evaluation:
    """Measure predictions against a ground truth.

    Args:
        truth: the ground truth.
        predictions: of any number, for any of its images.
        table: the K joints.
        thresholds: of PCK, fractions of its units.

    Raises:
        CocoprepError: there are no predictions, or one is not finite.
    """
    oks = score_oks(truth, predictions, table)
    matches = match_people(truth, predictions, table)
    return Evaluation(
        truth=truth,
        predictions=predictions,
        matches=matches,
        oks=oks,
        person_oks=_person_oks(truth, predictions, matches, table),
        pck=measure_pck(truth, predictions, matches, table, thresholds=thresholds),
        end_point=measure_end_point_errors(truth, predictions, matches),
        errors=analyse_errors(truth, predictions, matches, table),
        joints=_joint_thresholds(truth, predictions, matches),
    )


def _person_oks(
    truth: Truth, predictions: Predictions, matches: NDArray[np.int64], table: KeypointTable
) -> NDArray[np.float64]:
    found = matches >= 0
    person_oks = np.full(len(matches), np.nan)
    person_oks[found] = oks_of_pairs(
        predictions.keypoints[matches[found]],
        truth.keypoints[found],
        truth.visibility[found],
        truth.area[found],
        table.oks_sigmas,
    )
    return person_oks


def _joint_thresholds(truth: Truth, predictions: Predictions, matches: NDArray[np.int64]) -> JointThresholds | None:
    found = matches >= 0
    confidence = predictions.confidence[matches[found]]
    if not found.any() or (confidence == confidence.flat[0]).all():
        return None
    return choose_thresholds(confidence, truth.visibility[found] > 0)
