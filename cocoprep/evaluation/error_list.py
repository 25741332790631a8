"""The list of joints that are not good, a line a joint."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np

from cocoprep.checks import printable
from cocoprep.evaluation.error_kinds import GOOD, KINDS
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose.keypoints import KeypointTable

_FORMULA = ("=", "+", "-", "@", "\t")  # https://owasp.org/www-community/attacks/CSV_Injection
ERROR_COLUMNS = (
    "annotation_id", "image_id", "file_name", "joint", "kind", "distance_px", "similarity", "confidence", "x", "y",
    "true_x", "true_y", "other_annotation_id",
)  # fmt: skip


def error_rows(evaluation: Evaluation, table: KeypointTable) -> Iterator[dict[str, Any]]:
    """Yield every joint that is not good, in file order, by `ERROR_COLUMNS`; None where nothing was predicted.

    Points are in COCO's frame; `other_annotation_id` is whose joint a swap took.
    """
    truth, predictions, errors = evaluation.truth, evaluation.predictions, evaluation.errors
    for person, joint in np.argwhere(errors.kind > GOOD).tolist():
        place = int(evaluation.matches[person])
        found = place >= 0
        x, y = predictions.keypoints[place, joint].tolist() if found else (None, None)
        true_x, true_y = truth.keypoints[person, joint].tolist()
        image_id, other = int(truth.image_ids[person]), int(errors.other[person, joint])
        yield {
            "annotation_id": int(truth.annotation_ids[person]),
            "image_id": image_id,
            "file_name": truth.file_names[image_id],
            "joint": table.names[joint],
            "kind": KINDS[errors.kind[person, joint]],
            "distance_px": float(errors.distance_px[person, joint]) if found else None,
            "similarity": float(errors.similarity[person, joint]) if found else None,
            "confidence": float(predictions.confidence[place, joint]) if found else None,
            "x": x,
            "y": y,
            "true_x": true_x,
            "true_y": true_y,
            "other_annotation_id": other if other >= 0 else None,
        }


class _Utf8:
    """What `csv` writes text to; surrogates, which a file name from JSON may hold, are no UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace"))


def _no_formula(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula, nor for two lines, and no terminal for a command."""
    if not isinstance(value, str):
        return value
    line = printable(value)
    return f"'{line}" if line.startswith(_FORMULA) else line


def write_error_rows(rows: Iterable[dict[str, Any]], stream: BinaryIO) -> None:
    """Write rows of `error_rows` as CSV, a line of headings first. Names are what others wrote: see `_no_formula`."""
    writer = csv.DictWriter(_Utf8(stream), ERROR_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _no_formula(value) for name, value in row.items()} for row in rows)
