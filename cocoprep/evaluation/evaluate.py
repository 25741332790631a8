"""All that is measured of predictions, in one go. N annotations, K joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.errors import CocoprepError
from cocoprep.evaluation.across import Across, measure_across, shared_truth, some_joints
from cocoprep.evaluation.by_crowding import CrowdedOks, measure_by_crowding
from cocoprep.evaluation.by_source import SourceFigures, measure_by_source
from cocoprep.evaluation.confidence import JointThresholds, choose_thresholds
from cocoprep.evaluation.end_point import EndPointErrors, measure_end_point_errors
from cocoprep.evaluation.error_kinds import ErrorAnalysis, analyse_errors
from cocoprep.evaluation.matching import match_people
from cocoprep.evaluation.oks import OksScore, oks_of_pairs, score_oks
from cocoprep.evaluation.pck import PCK_THRESHOLDS, PckFigures, measure_pck
from cocoprep.evaluation.pckh import Pckh, measure_pckh
from cocoprep.pose.joint_map import JointMap
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
        pckh: as papers on MPII print it; None where the people have no such joints.
        by_crowding: OKS as CrowdPose counts it; None where no photograph says how crowded it is.
        across: where the predictions' joints are other ones than the truth's, what is scored as what. Then `truth` and
            `predictions` are of the shared joints.
        by_source: figures of each source of a folder that was built of several; None of any other.
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
    pckh: Pckh | None = None
    by_crowding: dict[str, CrowdedOks] | None = None
    across: Across | None = None
    by_source: dict[str, SourceFigures] | None = None


def evaluate(
    truth: Truth,
    predictions: Predictions,
    table: KeypointTable,
    *,
    thresholds: Sequence[float] = PCK_THRESHOLDS,
    across: Across | None = None,
    looked_for: NDArray[np.bool_] | None = None,
    sources: Sequence[str] = (),
) -> Evaluation:
    """Measure predictions against a ground truth.

    Args:
        truth: the ground truth.
        predictions: of any number, for any of its images.
        table: the K joints.
        thresholds: of PCK, fractions of its units.
        across: of `evaluate_across`.
        looked_for: (N, K) false where a joint is one that the person's source labels of nobody; None where there is no
            such joint.
        sources: names of those that the folder of the ground truth was built of.

    Raises:
        CocoprepError: there are no predictions, or one is not finite.
    """
    oks = score_oks(truth, predictions, table)
    matches = match_people(truth, predictions, table)
    pck = measure_pck(truth, predictions, matches, table, thresholds=thresholds)
    return Evaluation(
        truth=truth,
        predictions=predictions,
        matches=matches,
        oks=oks,
        person_oks=_person_oks(truth, predictions, matches, table),
        pck=pck,
        end_point=measure_end_point_errors(truth, predictions, matches),
        errors=analyse_errors(truth, predictions, matches, table),
        joints=_joint_thresholds(truth, predictions, matches, looked_for),
        pckh=measure_pckh(pck["head"], table, table if truth.whole is None else truth.whole.table),
        by_crowding=measure_by_crowding(truth, predictions, table),
        across=across,
        by_source=measure_by_source(truth, predictions, matches, table, sources=sources, thresholds=thresholds),
    )


def evaluate_across(
    truth: Truth,
    predictions: Predictions,
    joint_map: JointMap,
    *,
    thresholds: Sequence[float] = PCK_THRESHOLDS,
    sources: Sequence[str] = (),
) -> Evaluation:
    """Measure predictions of other joints than the ground truth's, over those that both have.

    Args:
        truth: of all its joints.
        predictions: of all theirs.
        joint_map: from theirs to the truth's.
        thresholds: of PCK, fractions of its units, which are those of the truth's own joints.
        sources: as of `evaluate`.

    Raises:
        CocoprepError: as `evaluate`; or none of the people has a shared joint labelled.
    """
    across = measure_across(truth, joint_map)
    if across.passed_over == across.people:
        raise CocoprepError(f"there is nothing to score: {across.sentence}.")
    shared = shared_truth(truth, joint_map)
    found = some_joints(predictions, joint_map.shared_in_source)
    return evaluate(shared, found, shared.table, thresholds=thresholds, across=across, sources=sources)


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


def _joint_thresholds(
    truth: Truth, predictions: Predictions, matches: NDArray[np.int64], looked_for: NDArray[np.bool_] | None
) -> JointThresholds | None:
    found = matches >= 0
    confidence = predictions.confidence[matches[found]]
    if not found.any() or (confidence == confidence.flat[0]).all():
        return None
    return choose_thresholds(confidence, truth.visibility[found] > 0, None if looked_for is None else looked_for[found])
