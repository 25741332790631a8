"""The files that an evaluation leaves: results, figures, and the joints that are not good."""

from __future__ import annotations

from typing import Any

import msgspec

from cocoprep.evaluation.error_list import error_rows, write_error_rows
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.json_file import write_json
from cocoprep.storage.store import FileStore

RESULTS, ERRORS, FIGURES = "results.json", "errors.csv", "figures.json"
PAGE = "report.html"  # which `cocoprep.report` writes beside them


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
