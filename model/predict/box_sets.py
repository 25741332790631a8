"""Predict the people of a ground truth from its photographs, in boxes of whatever origin: what an evaluation scores.

Several sets of boxes are looked at in one go: each photograph is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.annotations import ImageInfo
from cocoprep.coco.detections import Detections
from cocoprep.coco.results import Predictions, join_predictions
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.box_rules import BoxRules
from cocoprep.model.predict.judged import kept_people, only
from cocoprep.model.predict.listing import OnFault
from cocoprep.model.predict.named import Boxes, Photographs, list_named
from cocoprep.model.predict.photographs import PredictedPhotograph, predict_photographs
from cocoprep.model.predict.predictor import Predictor
from cocoprep.pose.heatmaps import Decoder
from cocoprep.shards.settings import CropRecord


@dataclass(frozen=True)
class BoxSet:
    """B boxes to look for people in.

    Attributes:
        image_ids: (B,) int64.
        bbox: (B, 4) float64, x, y, width, height in pixels of the photograph.
        scores: (B,) how sure a detector is of each; None of the ground truth's.
        annotation_ids: (B,) whose box each is, where that is known.
        rules: what becomes of who is found; None to take everybody.
    """

    image_ids: NDArray[np.int64]
    bbox: NDArray[np.float64]
    scores: NDArray[np.float64] | None = None
    annotation_ids: NDArray[np.int64] | None = None
    rules: BoxRules | None = None

    def __len__(self) -> int:
        """Return B."""
        return len(self.image_ids)


@dataclass(frozen=True)
class Looked:
    """What came of a set of boxes: the predictions; how many boxes were looked at; how many people were found twice."""

    predictions: Predictions
    boxes: int
    twice: int


def truth_boxes(truth: Truth) -> BoxSet:
    """Return the boxes of the people whom a ground truth counts, but for those of which no crop can be made."""
    rows = np.setdiff1d(np.flatnonzero(truth.counts), list(truth.without_crop))
    return BoxSet(truth.image_ids[rows], truth.bbox[rows], annotation_ids=truth.annotation_ids[rows])


def detected_boxes(found: Detections, rules: BoxRules) -> BoxSet:
    """Return a detector's boxes with what is to become of them."""
    return BoxSet(found.image_ids, found.bbox, found.scores, rules=rules)


def predict_box_sets(
    predictor: Predictor,
    truth: Truth,
    sets: Sequence[BoxSet],
    photographs: Photographs,
    on_fault: OnFault,
    *,
    decoder: Decoder = "taylor",
    batch_size: int = 32,
    coded: CropRecord | None = None,
    on_people: Callable[[int, int], None] = lambda done, total: None,
    on_note: Callable[[str], None] = lambda note: None,
) -> list[Looked]:
    """Predict people in sets of boxes on the photographs of a ground truth.

    Each photograph is read once, or twice where sets have boxes of two scales.

    Args:
        predictor: of a run; its joints may be others than the truth's.
        truth: whose photographs these are.
        sets: of boxes on them.
        photographs: where they lie.
        on_fault: told of photographs and boxes that cannot be used; they are left out.
        decoder: how heatmaps become joints.
        batch_size: people at a time.
        coded: the crops of a built folder, to be repeated: see `predict_photographs`.
        on_people: told after every batch how many are done, of how many.
        on_note: told what was guessed of the photographs' names.

    Returns:
        What came of each set, in order of the photographs' ids, and on each in order of the set.

    Raises:
        ConfigError: no photographs are there.
    """
    looked: dict[int, Looked] = {}
    total, before = sum(map(len, sets)), 0
    on_people(0, total)
    for scale in dict.fromkeys(map(_scale, sets)):
        places = [n for n, one in enumerate(sets) if _scale(one) == scale]
        chosen = [sets[n] for n in places]
        rows = _rows_by_image(chosen)
        boxes = {number: Boxes([_box(chosen[s].bbox[n]) for s, n in pairs]) for number, pairs in rows.items()}
        listed = list_named(_images_of(truth), boxes, photographs, on_note=on_note)
        tally = _Tally(before, total, on_people)
        seen = predict_photographs(
            predictor, listed, on_fault, decoder=decoder, batch_size=batch_size, on_batch=tally, box_scale=scale,
            coded=coded,
        )  # fmt: skip
        looked |= zip(places, _sort_out(seen, rows, chosen, predictor), strict=True)
        before = tally.done
    return [looked[n] for n in range(len(sets))]


def _scale(boxes: BoxSet) -> float | None:
    return None if boxes.rules is None else boxes.rules.box_scale


class _Tally:
    """Counts people who are done, behind those of other photographs."""

    def __init__(self, done: int, total: int, on_people: Callable[[int, int], None]) -> None:
        self.done, self._total, self._on_people = done, total, on_people

    def __call__(self, people: int, seconds: float) -> None:
        del seconds
        self.done += people
        self._on_people(self.done, self._total)


def _sort_out(
    photographs: Iterable[PredictedPhotograph],
    rows: Mapping[int, Sequence[tuple[int, int]]],
    sets: Sequence[BoxSet],
    predictor: Predictor,
) -> list[Looked]:
    """Return what came of each set, of photographs of which each has boxes of several."""
    parts: list[list[Predictions]] = [[] for _ in sets]
    boxes = [0] * len(sets)
    for seen in photographs:
        whose = [rows[seen.listed.image_id][place] for place in seen.places]
        for s, one in enumerate(sets):
            here = [n for n, (of, _) in enumerate(whose) if of == s]
            if here:
                parts[s].append(_people(only(seen, here), one, [whose[n][1] for n in here], predictor))
                boxes[s] += len(here)
    joined = [join_predictions(part) if part else _nobody(len(predictor.table)) for part in parts]
    return [Looked(found, count, count - len(found)) for found, count in zip(joined, boxes, strict=True)]


def _rows_by_image(sets: Sequence[BoxSet]) -> dict[int, list[tuple[int, int]]]:
    """Return by image which rows of which sets are on it."""
    rows: dict[int, list[tuple[int, int]]] = {}
    for s, one in enumerate(sets):
        for n, number in enumerate(one.image_ids.tolist()):
            rows.setdefault(number, []).append((s, n))
    return rows


def _box(numbers: NDArray[np.float64]) -> tuple[float, float, float, float]:
    x, y, width, height = numbers.tolist()
    return x, y, width, height


def _images_of(truth: Truth) -> dict[int, ImageInfo]:
    """Return the photographs of a ground truth by id; where it states no size, any will do."""
    return {
        image["id"]: ImageInfo(image["id"], image["file_name"], image["width"] or 0, image["height"] or 0)
        for image in truth.images
    }


def _people(seen: PredictedPhotograph, boxes: BoxSet, rows: Sequence[int], predictor: Predictor) -> Predictions:
    """Return who is found on a photograph in rows of a set."""
    joints, of = seen.joints, np.array(rows)
    box_scores = None if boxes.scores is None else boxes.scores[of]
    kept, scores = np.arange(len(of)), joints.scores
    if boxes.rules is not None:
        kept, scores = kept_people(seen, box_scores, boxes.rules, predictor.table)
    return Predictions(
        image_ids=np.full(len(kept), seen.listed.image_id, np.int64),
        keypoints=joints.keypoints[kept],
        confidence=joints.confidence[kept],
        scores=scores,
        annotation_ids=None if boxes.annotation_ids is None else boxes.annotation_ids[of[kept]],
        box_scores=None if box_scores is None else box_scores[kept],
    )


def _nobody(joints: int) -> Predictions:
    return Predictions(
        image_ids=np.zeros(0, np.int64),
        keypoints=np.zeros((0, joints, 2)),
        confidence=np.zeros((0, joints)),
        scores=np.zeros(0),
    )
