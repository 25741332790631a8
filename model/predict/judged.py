"""Who is kept of the people that were found in a detector's boxes, and with which score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cocoprep.evaluation.box_rules import BoxRules, judge_people
from cocoprep.model.predict.joints import Joints
from cocoprep.model.predict.photographs import PredictedPhotograph
from cocoprep.pose.keypoints import KeypointTable


def judge(seen: PredictedPhotograph, rules: BoxRules, table: KeypointTable) -> PredictedPhotograph:
    """Return a photograph with those people alone whom the rules keep, and the scores that these give them."""
    kept, scores = kept_people(seen, seen.box_scores, rules, table)
    some = only(seen, kept.tolist())
    return replace(some, joints=replace(some.joints, scores=scores))


def kept_people(
    seen: PredictedPhotograph, box_scores: NDArray[np.float64] | None, rules: BoxRules, table: KeypointTable
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the places of those whom the rules keep, and their scores; `box_scores` (N,) are a detector's."""
    return judge_people(
        rules,
        keypoints=seen.joints.keypoints,
        joint_scores=seen.joints.scores,
        box_scores=box_scores,
        areas=np.array([window.width * window.height for window in seen.windows]),
        sigmas=table.oks_sigmas,
    )


def only(seen: PredictedPhotograph, places: Sequence[int]) -> PredictedPhotograph:
    """Return a photograph with the people at some places alone."""
    chosen, joints = list(places), seen.joints
    return replace(
        seen,
        boxes=[seen.boxes[n] for n in chosen],
        places=[seen.places[n] for n in chosen],
        windows=[seen.windows[n] for n in chosen],
        joints=Joints(joints.keypoints[chosen], joints.confidence[chosen], joints.scores[chosen]),
    )
