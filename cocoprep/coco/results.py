"""Predicted people as arrays, whatever tool they come from, and results files, checked before they are scored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.collector import without_collection
from cocoprep.coco.line_list import LineCheck, LineForm, decode_lines, of_category, passed_over
from cocoprep.coco.result_images import ResultImages
from cocoprep.coco.truth import Truth
from cocoprep.errors import ResultsError
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

CATEGORY_ID = 1  # of predictions that belong to no annotation file: COCO's person
FORM = LineForm(
    "results lines", '{"image_id": 1, "category_id": 1, "keypoints": [x, y, confidence, ...], "score": 0.9}'
)


@dataclass(frozen=True)
class Predictions:
    """M predicted people of K joints.

    Attributes:
        image_ids: (M,) int64.
        keypoints: (M, K, 2) float64 in COCO's frame: pixel indices, not rounded.
        confidence: (M, K) float64, how sure of each joint: the third number of each in a results line.
        scores: (M,) float64, how sure of the person.
        annotation_ids: (M,) int64, the annotation whose box each was made from; None where that is not known.
        bbox: (M, 4) float64, x, y, width, height, where the results came with boxes: pycocotools then takes a
            person's size from them, otherwise from the joints' extent.
        box_scores: (M,) float64, how sure a detector was of the box each was made in; None where none has said.
        notes: what had to be guessed or was passed over, in sentences.
        whole: where these are of some of the joints alone, the same with all of them, in their own order.
    """

    image_ids: NDArray[np.int64]
    keypoints: NDArray[np.float64]
    confidence: NDArray[np.float64]
    scores: NDArray[np.float64]
    annotation_ids: NDArray[np.int64] | None = None
    bbox: NDArray[np.float64] | None = None
    box_scores: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()
    whole: Predictions | None = None

    def __len__(self) -> int:
        """Return M."""
        return len(self.scores)

    def lines(self, category_id: int) -> list[dict[str, Any]]:
        """Return the COCO results lines, anew each time: what the COCO server takes, boxes beside where there are."""
        found = result_lines(
            self.image_ids.tolist(), self.keypoints, self.scores.tolist(), category_id, self.confidence
        )
        if self.bbox is not None:
            for line, box in zip(found, self.bbox.tolist(), strict=True):
                line["bbox"] = box
        if self.box_scores is not None:
            for line, score in zip(found, self.box_scores.tolist(), strict=True):
                line["box_score"] = score
        return found


def join_predictions(parts: Sequence[Predictions]) -> Predictions:
    """Return predictions one after the other, all with the same of what may be missing, and without results' boxes."""
    annotation_ids = [part.annotation_ids for part in parts if part.annotation_ids is not None]
    box_scores = [part.box_scores for part in parts if part.box_scores is not None]
    return Predictions(
        image_ids=np.concatenate([part.image_ids for part in parts]),
        keypoints=np.concatenate([part.keypoints for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        annotation_ids=np.concatenate(annotation_ids) if annotation_ids else None,
        box_scores=np.concatenate(box_scores) if box_scores else None,
    )


class _Line(msgspec.Struct, gc=False):
    image_id: Any
    category_id: Any
    keypoints: list[float]
    score: float
    bbox: list[float] | None = None


def read_results(path: str, files: FileStore, truth: Truth, table: KeypointTable) -> Predictions:
    """Read and check a COCO results file of any tool.

    Several lines an image are normal, and so are keys that COCO does not know. An image may be named by its file, with
    or without folder and ending. Lines of other categories are passed over.

    Args:
        path: of a JSON list of lines, see `FORM`.
        files: where it lies.
        truth: what the results are to be scored against.
        table: the K joints of every line.

    Raises:
        ResultsError: there is no such file, it is no JSON list of results lines, none of it is of the category, a
            number is NaN or infinite, a line has another number of keypoints or an image that is unknown or could be
            one of several, or two lines are equal in image_id, keypoints and score. The first such line is named,
            counted from 0, with its image.
    """
    data = read_user_file(path, files, "a JSON file of COCO results", refusal=ResultsError)
    with without_collection():
        lines = decode_lines(data, path, _Line, FORM)
    expected = f"{truth.category_id}, the category that counts in {truth.path}"
    places, others = of_category(lines, path, truth.categories, expected)
    lines = [lines[place] for place in places]
    images = ResultImages(truth.path, truth.file_names, truth.source_ids)
    found = [images.find(line.image_id) for line in lines]
    check = LineCheck(path, places, lines)
    check.refuse(np.array([isinstance(image, str) for image in found]), found.__getitem__)
    image_ids = np.array(found, np.int64)
    triples, scores = _numbers(lines, check, table)
    _refuse_equal_lines(check, image_ids, triples, scores)
    notes = (*passed_over(others, "lines of the results"), *images.notes)
    bbox = _boxes(lines, check)
    return Predictions(image_ids, triples[..., :2].copy(), triples[..., 2].copy(), scores, bbox=bbox, notes=notes)


def _numbers(
    lines: list[_Line], check: LineCheck, table: KeypointTable
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (M, K, 3) float64 joints and (M,) float64 scores."""
    counts = np.array([len(line.keypoints) for line in lines])
    check.refuse(
        counts != 3 * len(table),
        lambda n: (
            f"expected {3 * len(table)} numbers in keypoints (x, y and confidence of {len(table)} joints), "
            f"found {counts[n]}. Where these are another table's joints, `evaluate --results-keypoints TABLE` says so"
        ),
    )
    triples = np.array([line.keypoints for line in lines], np.float64).reshape(len(lines), len(table), 3)
    scores = np.array([line.score for line in lines], np.float64)
    check.refuse(
        ~(np.isfinite(triples).all(axis=(1, 2)) & np.isfinite(scores)),
        lambda n: (
            "a number is infinite or too large for one. Such predictions cannot be scored: mend the tool that made them"
        ),
    )
    return triples, scores


def _refuse_equal_lines(
    check: LineCheck, image_ids: NDArray[np.int64], triples: NDArray[np.float64], scores: NDArray[np.float64]
) -> None:
    rows = np.column_stack([triples.reshape(len(triples), -1), scores]) + 0.0  # so that -0 and 0 are the same bytes
    first: dict[tuple[int, bytes], int] = {}
    keys = zip(image_ids.tolist(), map(np.ndarray.tobytes, rows), strict=True)
    of = [first.setdefault(key, line) for line, key in enumerate(keys)]
    check.refuse(
        np.array(of) != np.arange(len(of)),
        lambda n: (
            f"equal to line {check.places[of[n]]} in image_id, keypoints and score. Each prediction may be listed once"
        ),
    )


def _boxes(lines: list[_Line], check: LineCheck) -> NDArray[np.float64] | None:
    if not lines[0].bbox:  # pycocotools looks at the first line alone, here of those of the category
        return None
    sides = np.array([len(line.bbox or ()) for line in lines])
    check.refuse(
        sides != 4,
        lambda n: (
            f"expected 4 numbers in bbox, since line {check.places[0]} has one, found {sides[n]}. Give every line a "
            "bbox, or none"
        ),
    )
    bbox = np.array([line.bbox for line in lines], np.float64)
    infinite = np.isinf(bbox).max(axis=1)
    check.refuse(infinite, lambda n: "a number of bbox is infinite")
    return bbox


def result_lines(
    image_ids: Iterable[int],
    keypoints_xy: NDArray[np.float64],
    scores: Iterable[float],
    category_id: int,
    confidence: NDArray[np.float64] | None = None,
) -> list[dict[str, Any]]:
    """Make one results line a person.

    Args:
        image_ids: N image ids.
        keypoints_xy: (N, K, 2) in COCO's frame: pixel indices, not rounded.
        scores: N scores.
        category_id: of the person category.
        confidence: (N, K) how sure of each joint, its third number, which COCO ignores; ones where None.
    """
    triples = np.ones((*keypoints_xy.shape[:2], 3))
    triples[..., :2] = keypoints_xy
    if confidence is not None:
        triples[..., 2] = confidence
    return [
        {"image_id": int(image_id), "category_id": category_id, "keypoints": flat, "score": float(score)}
        for image_id, flat, score in zip(image_ids, triples.reshape(len(triples), -1).tolist(), scores, strict=True)
    ]
