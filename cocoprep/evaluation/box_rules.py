"""From a detector's boxes to people that are scored: the rules, and what they make of a photograph."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.checks import require_choice, require_number
from cocoprep.evaluation.oks_nms import soften, suppress
from cocoprep.evaluation.rescoring import RESCORINGS, Rescoring, rescore

Nms = Literal["hard", "soft", "none"]
NMS: tuple[Nms, ...] = get_args(Nms)
_SAID = {"product": "box times joints", "joints": "joints alone", "box": "box alone"}


@dataclass(frozen=True, kw_only=True)
class BoxRules:
    """How a detector's boxes are taken, and what becomes of who is found in them.

    The defaults are those of the published tables on COCO: `experiments/coco/*/*.yaml` of HRNet and Simple Baselines,
    IMAGE_THRE 0.0, OKS_THRE 0.9, hard suppression, and a score of box times joints; MMPose's `CocoMetric` has the same.

    Attributes:
        box_score: least score of a box.
        max_boxes: most boxes of a photograph, the surest; None for all.
        box_scale: of the crop relative to the box; None for that of the run's training data, 1.25 in the tables.
        rescore: what a person's score is made of.
        nms: what becomes of people found twice.
        oks: threshold of that.
    """

    box_score: float = 0.0
    max_boxes: int | None = None
    box_scale: float | None = None
    rescore: Rescoring = "product"
    nms: Nms = "hard"
    oks: float = 0.9

    def __post_init__(self) -> None:
        require_number("--box-score", self.box_score)
        if self.max_boxes is not None:
            require_number("--max-boxes", self.max_boxes, 1, whole=True)
        if self.box_scale is not None:
            require_number("--box-scale", self.box_scale, 0.1, 10)
        require_choice("--rescore", self.rescore, RESCORINGS)
        require_choice("--nms", self.nms, NMS)
        require_number("--oks", self.oks, 0.001, 1)

    @property
    def sentence(self) -> str:
        """Say them."""
        how = {"hard": f"OKS-NMS at {self.oks:g}", "soft": f"soft OKS-NMS at {self.oks:g}", "none": "no NMS"}[self.nms]
        most = "" if self.max_boxes is None else f", at most {self.max_boxes} an image"
        scale = "" if self.box_scale is None else f", grown by {self.box_scale:g}"
        return f"scored by {_SAID[self.rescore]}, {how}, boxes of a score from {self.box_score:g} up{most}{scale}"

    def as_json(self) -> dict[str, Any]:
        """Return them by name."""
        return asdict(self)


PUBLISHED = BoxRules()


def judge_people(
    rules: BoxRules,
    *,
    keypoints: ArrayLike,
    joint_scores: NDArray[np.float64],
    box_scores: NDArray[np.float64] | None,
    areas: ArrayLike,
    sigmas: ArrayLike,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Score the people of one photograph, and take each once.

    Args:
        rules: how.
        keypoints: (N, K, 2) found in N boxes.
        joint_scores: (N,) how sure of each one's joints.
        box_scores: (N,) how sure a detector was of the box.
        areas: (N,) of the crops, in square pixels of the photograph: HRNet's code takes these for a person's area.
        sigmas: (K,) of the joints.

    Returns:
        Places of those that are kept, in the order of the boxes, and their scores.
    """
    scores = rescore(joint_scores, box_scores, rules.rescore)
    if rules.nms == "none":
        return np.arange(len(scores)), scores
    if rules.nms == "soft":
        kept, scores = soften(keypoints, scores, areas, sigmas, rules.oks)
    else:
        kept = suppress(keypoints, scores, areas, sigmas, rules.oks)
    kept = np.sort(kept)
    return kept, scores[kept]
