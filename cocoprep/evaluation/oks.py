"""Object keypoint similarity, and average precision and recall by it, equal to the bit to pycocotools'.

P pairs of a prediction and a person, K joints; points are (x, y).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.errors import CocoprepError
from cocoprep.evaluation.average_precision import OKS_FIGURES, RECALLS, measure_precision
from cocoprep.evaluation.oks_pairs import People
from cocoprep.evaluation.people_found import THRESHOLDS, PeopleFound, find_people
from cocoprep.pose.affine import distances
from cocoprep.pose.keypoints import KeypointTable

__all__ = [
    "OKS_FIGURES", "OksScore", "evaluate_oks", "joint_similarity", "match_predictions", "oks_of_pairs", "people_of",
    "score_lines", "score_oks",
]  # fmt: skip

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OksScore:
    """What is counted, as pycocotools counts it.

    Attributes:
        figures: the ten of `OKS_FIGURES`; -1 where no person stands behind one.
        precision: (T, R) over people of all sizes, the 20 best predictions an image; -1 where undefined.
        thresholds: (T,) OKS from which a prediction is right, 0.5 to 0.95.
        recalls: (R,) 0 to 1.
        found: who is found by which prediction, of which the figures are made.
    """

    figures: dict[str, float]
    precision: Floats
    thresholds: Floats
    recalls: Floats
    found: PeopleFound


def score_oks(
    truth: Truth, predictions: Predictions, table: KeypointTable, *, images: Sequence[int] | None = None
) -> OksScore:
    """Score predictions against the full ground truth.

    Every image counts, those without a prediction too, or those alone whose ids are in `images`; crowds and people
    without labelled keypoints are ignored, as COCO says.

    Raises:
        CocoprepError: there are no predictions, or one is not finite or of an image that is not listed.
    """
    return _score(people_of(truth), truth.images, predictions, table, images=images)


def people_of(truth: Truth) -> People:
    """Return the people of a ground truth by COCO's rules: whom OKS looks for, and how large they are."""
    return People(
        image_ids=truth.image_ids,
        keypoints=truth.keypoints,
        labelled=truth.visibility > 0,
        bbox=truth.bbox,
        area=truth.area,
        ignored=~truth.counts,
        crowd=truth.crowd,
    )


def evaluate_oks(
    ground_truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]], table: KeypointTable
) -> dict[str, float]:
    """Return the ten figures of `score_lines`; -1 where no person stands behind one."""
    return score_lines(ground_truth, results, table).figures


def score_lines(
    ground_truth: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    table: KeypointTable,
    *,
    images: Sequence[int] | None = None,
) -> OksScore:
    """Score results lines against a COCO keypoints ground truth, as `score_oks` does; all are of one category.

    Raises:
        CocoprepError: there are no results, one is not finite, or one is of an image that is not listed.
    """
    annotations = ground_truth["annotations"]
    triples = np.array([one["keypoints"] for one in annotations], np.float64).reshape(len(annotations), len(table), 3)
    crowd = np.array([one["iscrowd"] for one in annotations], bool)
    people = People(
        image_ids=np.array([one["image_id"] for one in annotations], np.int64),
        keypoints=triples[..., :2],
        labelled=triples[..., 2] > 0,
        bbox=np.array([one["bbox"] for one in annotations], np.float64).reshape(len(annotations), 4),
        area=np.array([one["area"] for one in annotations], np.float64),
        ignored=crowd | (np.array([one["num_keypoints"] for one in annotations]) == 0),
        crowd=crowd,
    )
    return _score(people, ground_truth["images"], _as_predictions(results, table), table, images=images)


def _as_predictions(results: Sequence[Mapping[str, Any]], table: KeypointTable) -> Predictions:
    triples = np.array([line["keypoints"] for line in results], np.float64).reshape(len(results), len(table), 3)
    boxed = bool(results) and bool(results[0].get("bbox"))  # pycocotools looks at the first line alone
    return Predictions(
        image_ids=np.array([line["image_id"] for line in results], np.int64),
        keypoints=triples[..., :2],
        confidence=triples[..., 2],
        scores=np.array([line["score"] for line in results], np.float64),
        bbox=np.array([line["bbox"] for line in results], np.float64) if boxed else None,
    )


def _score(
    people: People,
    listed_images: Sequence[Mapping[str, Any]],
    predictions: Predictions,
    table: KeypointTable,
    *,
    images: Sequence[int] | None = None,
) -> OksScore:
    found = match_predictions(people, listed_images, predictions, table, images=images)
    measured = measure_precision(found)
    figures = {name: float(values[0]) for name, values in measured.figures.items()}
    return OksScore(figures, measured.precision[0, 0], THRESHOLDS, RECALLS, found)


def match_predictions(
    people: People,
    listed_images: Sequence[Mapping[str, Any]],
    predictions: Predictions,
    table: KeypointTable,
    *,
    images: Sequence[int] | None = None,
) -> PeopleFound:
    """Return who is found by which prediction.

    Args:
        people: of a ground truth, by whatever rules.
        listed_images: those of the ground truth.
        predictions: what is scored.
        table: the joints.
        images: ids of those that count; all where None.

    Raises:
        CocoprepError: as `score_oks`.
    """
    listed = np.array([image["id"] for image in listed_images], np.int64)
    _check(predictions, listed)
    return find_people(
        people,
        listed if images is None else np.array(images, np.int64),
        image_ids=predictions.image_ids,
        keypoints=predictions.keypoints,
        scores=predictions.scores,
        area=_sizes(predictions),
        sigmas=table.oks_sigmas,
    )


def _check(predictions: Predictions, listed: NDArray[np.int64]) -> None:
    if not len(predictions):
        raise CocoprepError("there are no predictions to score: expected at least one results line.")
    finite = np.isfinite(predictions.keypoints).all(axis=(1, 2)) & np.isfinite(predictions.scores)
    if not finite.all():
        line = int(finite.argmin())
        raise CocoprepError(f"results line {line}, image_id {predictions.image_ids[line]}: a value is NaN or infinite.")
    odd = predictions.image_ids[~np.isin(predictions.image_ids, listed)]
    if len(odd):
        raise CocoprepError(
            f"{len(odd)} of {len(predictions)} predictions are of images that the ground truth does not list, the "
            f"first of image_id {odd[0]}. Are they of another data set? A built folder is checked by `cocoprep verify`."
        )


def _sizes(predictions: Predictions) -> Floats:
    """Return (M,) square pixels of the predictions' boxes, or else of their joints' extent, as pycocotools has it."""
    sides = predictions.keypoints.max(axis=1) - predictions.keypoints.min(axis=1)
    if predictions.bbox is not None:
        sides = predictions.bbox[:, 2:]
    with np.errstate(over="ignore", invalid="ignore"):
        area: Floats = sides[:, 0] * sides[:, 1]
    return area


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
