"""The files that `cocoprep evaluate` writes."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from cocoprep.cli.paths import check_folder
from cocoprep.errors import ConfigError, OutputError, RecordError, StoreError
from cocoprep.evaluation.as_json import threshold_builtins
from cocoprep.evaluation.error_kinds import COLUMNS, error_rows
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.manifest import Manifest, records_digest
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    from cocoprep.model.predict.folder import KeptMaps
    from cocoprep.report import CropSource

RESULTS, ERRORS, FIGURES, JOINT_THRESHOLDS = "results.json", "errors.csv", "figures.json", "thresholds.json"
PAGE = "report.html"  # `cocoprep.report.PAGE`, which loads matplotlib

Beside = dict[str, dict[str, float]]


def check_outputs(out: str | None, json_file: str | None, files: FileStore, *, inputs: Sequence[str | None]) -> None:
    """Find out before the work what could not be written after it.

    Args:
        out: the folder to write.
        json_file: the file to write.
        files: where all these lie.
        inputs: files that are read, and folders whose files are.

    Raises:
        ConfigError: something that is read would be overwritten, an output would be written over by another, or the
            report's library is missing.
        OutputError: a folder cannot be made.
    """
    if json_file is not None:
        if files.is_folder(json_file) or json_file.endswith("/"):
            raise ConfigError(f"--json: expected a file to write, found the folder {json_file}.")
        if os.path.exists(json_file) and not os.path.isfile(json_file):
            raise ConfigError(f"--json: expected a file to write, found the device or pipe {json_file}.")
        files.make_folder(os.path.dirname(json_file) or ".")
    if out is not None:
        check_folder(out, files)
        _report_module()
        files.make_folder(out)
        if (
            json_file is not None
            and os.path.basename(json_file) in (RESULTS, ERRORS, PAGE)
            and real_path(os.path.dirname(json_file) or ".") == real_path(out)
        ):
            raise ConfigError(f"--json: {json_file} is a file that --out writes too. Choose another name.")
    outputs = [] if out is None else [files.join(out, name) for name in (RESULTS, FIGURES)]
    outputs += [] if json_file is None else [json_file]
    there = [path for path in outputs if files.exists(path)]
    for source in filter(None, inputs if there else []):
        read = [files.join(source, name) for name in files.list_names(source)] if files.is_folder(source) else [source]
        for one in read:
            if any(_same(path, one) for path in there):
                raise ConfigError(f"{one} would be overwritten. Choose another --out or --json.")


def _same(path: str, other: str) -> bool:
    if real_path(path) == real_path(other):
        return True
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)  # by a hard link


def _report_module() -> Any:
    try:
        import cocoprep.report
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "matplotlib":
            raise
        raise ConfigError(
            "the report needs matplotlib: pip install 'cocoprep[report]'. Without it, --results without --out gives "
            "all figures."
        ) from error
    return cocoprep.report


def write_folder(
    out: str,
    evaluation: Evaluation,
    figures: dict[str, Any],
    table: KeypointTable,
    files: FileStore,
    *,
    title: str,
    notes: Sequence[str],
    beside: Beside,
    crops: CropSource | None,
    maps: Sequence[KeptMaps],
) -> str:
    """Write results, figures, errors and the report with its pictures; return the path of the page.

    Args:
        out: the folder.
        evaluation: what was measured.
        figures: the same, as `to_builtins` gives it.
        table: names the joints.
        files: how files are written.
        title: of the report.
        notes: to be said loudly.
        beside: figures to stand beside.
        crops: pictures of people.
        maps: heatmaps of a few.
    """
    report = _report_module()
    truth, predictions = evaluation.truth, evaluation.predictions
    with files.create(files.join(out, RESULTS)) as stream:
        stream.write(msgspec.json.encode(predictions.lines(truth.category_id)))
    write_json(files.join(out, FIGURES), figures, files)
    rows = error_rows(truth, predictions, evaluation.matches, evaluation.errors, table)
    _write_csv(files.join(out, ERRORS), rows, files)
    shown = [report.StackMaps(kept.annotation_id, kept.crop, kept.heatmaps, kept.truth) for kept in maps]
    page: str = report.write_report(
        out, evaluation, table, title=title, notes=notes, beside=beside, crops=crops, stack_maps=shown, files=files
    )
    return page


def write_json(path: str, content: Any, files: FileStore) -> None:
    """Write readable JSON; where a link lies, to the file that it names."""
    with files.create(real_path(path)) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


class _Utf8:
    """What `csv` writes text to; surrogates, which a file name from JSON may hold, are no UTF-8."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace"))


def _write_csv(path: str, rows: Iterable[dict[str, Any]], files: FileStore) -> None:
    with files.create(path) as stream:
        writer = csv.DictWriter(_Utf8(stream), COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_thresholds(
    run_dir: str, manifest: Manifest, evaluation: Evaluation, table: KeypointTable, files: FileStore
) -> list[str]:
    """Leave the thresholds of confidence to `cocoprep predict`, unless they would be chosen on training data.

    Returns:
        The path of the file; none where none was written, of which stderr is told.

    Raises:
        RecordError: the run does not say what it was trained on.
    """
    if evaluation.joints is None:
        click.echo("no thresholds of confidence written: all confidences are equal", err=True)
        return []
    if _has_learned_from(run_dir, manifest, files):
        click.echo(
            "no thresholds of confidence written: the network has learned from these people. Evaluate it on its "
            "validation folder to choose them.",
            err=True,
        )
        return []
    path = files.join(run_dir, JOINT_THRESHOLDS)
    chosen = dict(zip(table.names, evaluation.joints.thresholds.tolist(), strict=True))
    figures = threshold_builtins(evaluation.joints, table)
    content = {"thresholds": chosen, "chosen_on": records_digest(manifest), "figures": figures}
    try:
        write_json(path, content, files)
    except (OutputError, StoreError) as error:  # a run that others share may be there to be read alone
        click.echo(f"no thresholds of confidence written: {error}", err=True)
        return []
    return [path]


def _has_learned_from(run_dir: str, manifest: Manifest, files: FileStore) -> bool:
    """Tell whether a run was trained on this folder."""
    try:
        learned_from = json.loads(files.read_bytes(files.join(run_dir, "run.json")))["shards"]["data"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{run_dir}: what it was trained on cannot be read ({error}). Copy the run again.") from error
    return bool(records_digest(manifest) == learned_from)
