"""The files that an evaluation leaves: results, figures, and the joints that are not good."""

from __future__ import annotations

from typing import Any

import msgspec

from cocoprep.evaluation.error_list import error_rows, write_error_rows
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.leftovers import sweep_beside
from cocoprep.storage.paths import real_path
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


def write_json(path: str, content: Any, files: FileStore) -> None:
    """Write readable JSON; where a link lies, to the file that it names."""
    target = real_path(path)
    sweep_beside(target, files)
    with files.create(target) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
