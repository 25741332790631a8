"""OKS average precision and recall, by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cocoprep.errors import CocoprepError
from cocoprep.keypoints import KeypointTable

OKS_FIGURES = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")


def evaluate_oks(
    ground_truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]], table: KeypointTable
) -> dict[str, float]:
    """Score results lines against a COCO keypoints ground truth.

    Every image of the ground truth counts, those without a prediction too; crowds and people without labelled
    keypoints are ignored, as COCO says.

    Returns:
        The ten figures of `OKS_FIGURES`; -1 where no person stands behind one.

    Raises:
        CocoprepError: there are no results, or one is not finite; pycocotools has no guard against either.
    """
    if not results:
        raise CocoprepError("there are no predictions to score: expected at least one results line.")
    for line, result in enumerate(results):
        if not np.isfinite([*result["keypoints"], result["score"]]).all():
            raise CocoprepError(f"results line {line}, image_id {result['image_id']}: a value is NaN or infinite.")
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints as it goes
        truth = COCO()
        truth.dataset = dict(ground_truth)
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(list(results)), "keypoints")
        evaluation.params.kpt_oks_sigmas = table.oks_sigmas
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(OKS_FIGURES, map(float, evaluation.stats), strict=True))
