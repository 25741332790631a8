"""The files that an evaluation leaves: results, figures, and the joints that are not good."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cocoprep.evaluation.error_list import error_rows, write_error_rows
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.json_file import write_json
from cocoprep.storage.store import FileStore

RESULTS, ERRORS, FIGURES = "results.json", "errors.csv", "figures.json"
PAGE = "report.html"  # which `cocoprep.report` writes beside them


def evaluation_name(split: str, across: str | None, said: Mapping[str, str]) -> str:
    """Return what the folder of a run's evaluation is called: one across data sets, or by a map, replaces no other.

    Args:
        split: of the data.
        across: the name of the data's keypoint table, where the predicted joints are other ones.
        said: the map that a user gave; it is told by a digest, and stands in the figures.
    """
    if across is None:
        return split
    name = f"{split}-{re.sub('[^A-Za-z0-9_.-]+', '-', across)}"
    digest = hashlib.blake2b(repr(sorted(said.items())).encode(), digest_size=4).hexdigest()
    return f"{name}-map-{digest}" if said else name


def write_evaluation(
    folder: str, evaluation: Evaluation, figures: dict[str, Any], table: KeypointTable, files: FileStore
) -> None:
    """Write results, figures and errors into a folder; results are of all joints that were predicted.

    Args:
        folder: which is there.
        evaluation: what was measured.
        figures: the same, as `evaluation_as_json` gives it.
        table: names the joints.
        files: how files are written.

    Raises:
        OutputError: one cannot be written.
    """
    with files.create(files.join(folder, RESULTS)) as stream:
        predictions = evaluation.predictions.whole or evaluation.predictions
        stream.write(msgspec.json.encode(predictions.lines(evaluation.truth.category_id)))
    write_json(files.join(folder, FIGURES), figures, files)
    with files.create(files.join(folder, ERRORS)) as stream:
        write_error_rows(error_rows(evaluation, table), stream)
