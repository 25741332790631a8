"""Object keypoint similarity, and average precision and recall by it: pycocotools does the counting.

P pairs of a prediction and a person, K joints; points are (x, y).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.errors import CocoprepError
from cocoprep.pose.affine import distances
from cocoprep.pose.keypoints import KeypointTable

OKS_FIGURES = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OksScore:
    """What pycocotools counts.

    Attributes:
        figures: the ten of `OKS_FIGURES`; -1 where no person stands behind one.
        precision: (T, R) over people of all sizes, the 20 best predictions an image; -1 where undefined.
        thresholds: (T,) OKS from which a prediction is right, 0.5 to 0.95.
        recalls: (R,) 0 to 1.
    """

    figures: dict[str, float]
    precision: Floats
    thresholds: Floats
    recalls: Floats


def score_oks(
    truth: Truth, predictions: Predictions, table: KeypointTable, *, images: Sequence[int] | None = None
) -> OksScore:
    """Score predictions against the full ground truth.

    Every image counts, those without a prediction too, or those alone whose ids are in `images`; crowds and people
    without labelled keypoints are ignored, as COCO says.

    Raises:
        CocoprepError: there are no predictions, or one is not finite; pycocotools has no guard against either.
    """
    if not len(predictions):
        raise CocoprepError("there are no predictions to score: expected at least one results line.")
    finite = np.isfinite(predictions.keypoints).all(axis=(1, 2)) & np.isfinite(predictions.scores)
    if not finite.all():
        line = int(finite.argmin())
        raise CocoprepError(f"results line {line}, image_id {predictions.image_ids[line]}: a value is NaN or infinite.")
    lines = predictions.lines(truth.category_id)
    return _score(truth.document, lines, table, [truth.category_id], images=images)


def evaluate_oks(
    ground_truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]], table: KeypointTable
) -> dict[str, float]:
    """Score results lines against a COCO keypoints ground truth, as `score_oks` does; neither is changed.

    Returns:
        The ten figures of `OKS_FIGURES`; -1 where no person stands behind one.

    Raises:
        CocoprepError: there are no results, one is not finite, or one is of an image that is not listed;
            pycocotools has no guard against any of it.
    """
    if not results:
        raise CocoprepError("there are no predictions to score: expected at least one results line.")
    for line, result in enumerate(results):
        if not np.isfinite([*result["keypoints"], result["score"]]).all():
            raise CocoprepError(f"results line {line}, image_id {result['image_id']}: a value is NaN or infinite.")
    return _score(ground_truth, [dict(result) for result in results], table, None).figures


def _score(
    document: Mapping[str, Any],
    lines: list[dict[str, Any]],
    table: KeypointTable,
    categories: list[int] | None,
    *,
    images: Sequence[int] | None = None,
) -> OksScore:
    """Run pycocotools. It writes into the lines, and into the annotations, which are therefore copied."""
    known = {image["id"] for image in document["images"]}
    odd = [line["image_id"] for line in lines if line["image_id"] not in known]
    if odd:
        raise CocoprepError(
            f"{len(odd)} of {len(lines)} predictions are of images that the ground truth does not list, the first of "
            f"image_id {odd[0]}. Are they of another data set? A built folder is checked by `cocoprep verify`."
        )
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints as it goes
        truth = COCO()
        truth.dataset = {**document, "annotations": [dict(annotation) for annotation in document["annotations"]]}
        truth.createIndex()
        # Far predictions may overflow: they are infinitely wrong, and pycocotools would warn.
        with np.errstate(over="ignore", invalid="ignore"):
            evaluation = COCOeval(truth, truth.loadRes(lines), "keypoints")
            evaluation.params.kpt_oks_sigmas = table.oks_sigmas
            if categories is not None:
                evaluation.params.catIds = categories
            if images is not None:
                evaluation.params.imgIds = list(images)
            evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    figures = dict(zip(OKS_FIGURES, map(float, evaluation.stats), strict=True))
    precision = evaluation.eval["precision"][:, :, 0, 0, 0]
    return OksScore(figures, precision, evaluation.params.iouThrs, evaluation.params.recThrs)


def joint_similarity(distance_px: ArrayLike, area: ArrayLike, sigmas: ArrayLike) -> Floats:
    """Return exp(-d^2 / (2 area (2 sigma)^2)), the similarity of one joint, as pycocotools writes it.

    Args:
        distance_px: (...) from the joint's true place, in image pixels.
        area: of the person, in square pixels; broadcasts against (...).
        sigmas: of the joint; broadcasts against (...).
    """
    variance = np.square(2 * np.asarray(sigmas, np.float64)) * (np.asarray(area, np.float64) + np.spacing(1))
    with np.errstate(over="ignore"):
        similarity: Floats = np.exp(-np.square(np.asarray(distance_px, np.float64)) / variance / 2)
    return similarity


def oks_of_pairs(
    predicted: ArrayLike, truth: ArrayLike, visibility: ArrayLike, area: ArrayLike, sigmas: ArrayLike
) -> Floats:
    """Return (P,) the OKS of each pair: the mean similarity over labelled joints; NaN where none is labelled.

    Args:
        predicted: (P, K, 2) points.
        truth: (P, K, 2) points of the same frame.
        visibility: (P, K), 0 not labelled.
        area: (P,) of the people, in square pixels.
        sigmas: (K,) of the joints.
    """
    similarity = joint_similarity(distances(predicted, truth), np.asarray(area, np.float64)[:, None], sigmas)
    labelled = np.asarray(visibility) > 0
    count = labelled.sum(axis=1)
    total = (similarity * labelled).sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return mean
