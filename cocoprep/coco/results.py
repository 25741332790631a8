"""Predicted people as arrays, whatever tool they come from, and results files, checked before they are scored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from cocoprep.coco.format import json_fault
from cocoprep.coco.truth import Truth
from cocoprep.errors import ResultsError
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

CATEGORY_ID = 1  # of predictions that belong to no annotation file: COCO's person
FORM = '{"image_id": 1, "category_id": 1, "keypoints": [x, y, confidence, ...], "score": 0.9}'
_Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_PLACE = re.compile(r"(?P<reason>.*?)(?: - at `\$\[(?P<line>\d+)\](?P<field>.*)`)?")


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
    """

    image_ids: NDArray[np.int64]
    keypoints: NDArray[np.float64]
    confidence: NDArray[np.float64]
    scores: NDArray[np.float64]
    annotation_ids: NDArray[np.int64] | None = None
    bbox: NDArray[np.float64] | None = None

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
        return found


class _Line(msgspec.Struct, gc=False):
    image_id: _Id
    category_id: _Id
    keypoints: list[float]
    score: float
    bbox: list[float] | None = None


class _ImageIdOnly(msgspec.Struct):
    image_id: int | float | str | None = None


def read_results(path: str, files: FileStore, truth: Truth, table: KeypointTable) -> Predictions:
    """Read and check a COCO results file of any tool.

    Several lines an image are normal, and so are keys that COCO does not know.

    Args:
        path: of a JSON list of lines, see `FORM`.
        files: where it lies.
        truth: what the results are to be scored against.
        table: the K joints of every line.

    Raises:
        ResultsError: there is no such file, it is no JSON list of results lines, it is empty, a number is NaN or
            infinite, a line has another number of keypoints, an unknown image or another category, or two lines are
            equal in image_id, keypoints and score. The first such line is named, counted from 0, with its image.
    """
    lines = _decode(read_user_file(path, files, "a JSON file of COCO results", refusal=ResultsError), path)
    if not lines:
        raise ResultsError(
            f"{path}: the list is empty, so there is nothing to score. Expected at least one line such as {FORM}."
        )
    image_ids = np.array([line.image_id for line in lines], np.int64)
    check = _Check(path, image_ids)
    counts = np.array([len(line.keypoints) for line in lines])
    check.refuse(
        counts != 3 * len(table),
        lambda n: (
            f"expected {3 * len(table)} numbers in keypoints (x, y and confidence of {len(table)} joints), "
            f"found {counts[n]}"
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
    check.refuse(
        ~np.isin(image_ids, np.array([image["id"] for image in truth.document["images"]], np.int64)),
        lambda n: f"no such image in {truth.path}. The results may be of another data set or split",
    )
    categories = np.array([line.category_id for line in lines], np.int64)
    check.refuse(
        categories != truth.category_id,
        lambda n: (
            f"category_id {categories[n]}, expected {truth.category_id}, the {truth.table.noun.one} category of "
            f"{truth.path}"
        ),
    )
    _refuse_equal_lines(check, triples, scores)
    bbox = _boxes(lines, check)
    return Predictions(image_ids, triples[..., :2].copy(), triples[..., 2].copy(), scores, bbox=bbox)


class _Check:
    """Names the first of the lines that are wrong."""

    def __init__(self, path: str, image_ids: NDArray[np.int64]) -> None:
        self.path, self.image_ids = path, image_ids

    def refuse(self, bad: NDArray[np.bool_], what: Any) -> None:
        """Raise for the first line that is `bad` (M,); `what` says of its number what is wrong."""
        if bad.any():
            line, more = int(bad.argmax()), int(bad.sum()) - 1
            also = f" ({more} more like it)" if more else ""
            raise ResultsError(
                f"{self.path}: line {line}, image_id {self.image_ids[line]}: {what(line)}{also}. Lines count from 0."
            )


def _refuse_equal_lines(check: _Check, triples: NDArray[np.float64], scores: NDArray[np.float64]) -> None:
    rows = np.column_stack([triples.reshape(len(triples), -1), scores]) + 0.0  # so that -0 and 0 are the same bytes
    first: dict[tuple[int, bytes], int] = {}
    keys = zip(check.image_ids.tolist(), map(np.ndarray.tobytes, rows), strict=True)
    of = [first.setdefault(key, line) for line, key in enumerate(keys)]
    check.refuse(
        np.array(of) != np.arange(len(of)),
        lambda n: f"equal to line {of[n]} in image_id, keypoints and score. Each prediction may be listed once",
    )


def _boxes(lines: list[_Line], check: _Check) -> NDArray[np.float64] | None:
    if not lines[0].bbox:  # pycocotools looks at the first line alone
        return None
    sides = np.array([len(line.bbox or ()) for line in lines])
    check.refuse(
        sides != 4,
        lambda n: f"expected 4 numbers in bbox, as in line 0, found {sides[n]}. Give every line a bbox, or none",
    )
    bbox = np.array([line.bbox for line in lines], np.float64)
    infinite = np.isinf(bbox).max(axis=1)
    check.refuse(infinite, lambda n: "a number of bbox is infinite")
    return bbox


def _decode(data: bytes, path: str) -> list[_Line]:
    try:
        return msgspec.json.decode(data, type=list[_Line])
    except msgspec.ValidationError as error:
        _explain_form(error, data, path)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _explain_no_json(error, data, path)
    except RecursionError as error:
        raise ResultsError(f"{path}: its JSON is nested hundreds of levels deep. Expected {FORM}.") from error


def _explain_form(error: msgspec.ValidationError, data: bytes, path: str) -> NoReturn:
    place = _PLACE.fullmatch(str(error))
    if place is None or place["line"] is None:
        raise ResultsError(f"{path}: expected a list of results lines such as {FORM} ({error}).") from error
    line = int(place["line"])
    try:
        raw = msgspec.json.decode(data, type=list[msgspec.Raw])[line]
        image_id = msgspec.json.decode(raw, type=_ImageIdOnly).image_id
    except (ValueError, RecursionError):  # what follows the line may be no JSON at all, or no UTF-8
        image_id = None
    image = "without an image_id" if image_id is None else f"image_id {image_id!r:.40}"
    field = f"{place['field'].removeprefix('.')}: " if place["field"] else ""
    raise ResultsError(
        f"{path}: line {line}, {image}: {field}{place['reason']}. Lines count from 0; expected {FORM}."
    ) from error


def _explain_no_json(error: msgspec.DecodeError | UnicodeDecodeError, data: bytes, path: str) -> NoReturn:
    try:
        lines = json.loads(data)  # Python takes NaN and Infinity for numbers, so it tells whose they are
    except (ValueError, RecursionError):
        lines = None
    for number, line in enumerate(lines if isinstance(lines, list) else []):
        if isinstance(line, dict) and not _is_finite(line):
            raise ResultsError(
                f"{path}: line {number}, image_id {line.get('image_id')}: a number is NaN or infinite. Such "
                "predictions cannot be scored, and are not JSON: mend the tool that made them. Lines count from 0."
            ) from error
    fault = json_fault(error, data, 0) if isinstance(error, msgspec.DecodeError) else f"({error})"
    raise ResultsError(
        f"{path}: not valid JSON {fault}. Expected a list of lines such as {FORM}; the file may be cut short."
    ) from error


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or bool(np.isfinite(value))


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
