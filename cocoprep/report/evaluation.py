"""An evaluation written as pictures and as one HTML page."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from cocoprep.evaluation.beside import FiguresBeside
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.output import PAGE
from cocoprep.evaluation.stack_maps import StackMaps
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.report.content import Chart
from cocoprep.report.evaluation_page import Grid, Report, render_page, unlabelled_joints
from cocoprep.report.heat_grid import heat_grid
from cocoprep.report.people import people_sheet, portraits, worst_and_best
from cocoprep.report.plots import error_bars, joint_bars, pck_by_joint, pck_curves, precision_recall
from cocoprep.report.sources import CropSource
from cocoprep.report.wording import share
from cocoprep.report.worst_errors import worst_errors
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore

OURS = re.compile(r"(worst|best|heatmaps--?\d+)\.png")  # what one report writes and the next may not


def write_report(
    folder: str,
    evaluation: Evaluation,
    table: KeypointTable,
    *,
    title: str,
    notes: Sequence[str] = (),
    provenance: Mapping[str, str] | None = None,
    beside: FiguresBeside | None = None,
    crops: CropSource | None = None,
    stack_maps: Sequence[StackMaps] = (),
    files: FileStore = AnyFiles(),
) -> str:
    """Write the report of an evaluation; the same evaluation and pictures give the same bytes.

    Args:
        folder: where to; made where it does not exist.
        evaluation: the figures.
        table: the K joints.
        title: the page's heading.
        notes: lines to be said loudly, such as whose boxes were used.
        provenance: where the figures are from, by name: the network, the data, versions.
        beside: figures to stand beside the result's, as `figures_beside` gives them.
        crops: gives pictures of people; None where there are none.
        stack_maps: heatmaps of a few people, to be shown as grids.
        files: where the folder lies; by default, on this machine or in a bucket, as its path says.

    Returns:
        The path of the page, `report.html`. Beside it lie its pictures: `pck-curves.png`, `pck-curves-by-joint.png`,
        `oks-precision-recall.png`, `joints.png`, `errors.png`, `worst.png`, `best.png`, `heatmaps-<annotation id>.png`.

    Raises:
        OutputError: the folder cannot be written.
    """
    files.make_folder(folder)
    worst, best = (portraits(evaluation, rows, table, crops) for rows in worst_and_best(evaluation))
    errors, errors_in_all = worst_errors(evaluation)
    shown = {person.row for person in (*worst, *best)}
    behind = [] if crops is None else list(dict.fromkeys(error.row for error in errors if error.row not in shown))
    report = Report(
        evaluation=evaluation,
        joints=table,
        title=title,
        notes=notes,
        provenance=provenance or {},
        beside=beside or {},
        charts=_charts(evaluation, table),
        worst=worst,
        best=best,
        errors=errors,
        errors_in_all=errors_in_all,
        behind=portraits(evaluation, behind, table, crops),
        grids=[_grid(maps, evaluation, table) for maps in stack_maps],
    )
    pictures = _pictures(report, with_people=crops is not None)
    for name in files.list_names(folder):
        if OURS.fullmatch(name) and name not in pictures:  # of an earlier report, which this one replaces
            files.delete(files.join(folder, name))
    for name, data in pictures.items():
        _write(files, files.join(folder, name), data)
    path = files.join(folder, PAGE)
    # A lone surrogate, which a file name may hold, is no UTF-8.
    _write(files, path, render_page(report).encode("utf-8", "replace"))
    return path


def _pictures(report: Report, *, with_people: bool) -> dict[str, bytes]:
    """Return the pictures that lie beside the page, by file name."""
    pictures = {f"{name}.png": chart.png for name, chart in report.charts.items()}
    for name, people in (("worst", report.worst), ("best", report.best)):
        if with_people and people:
            title = f"The {name} {len(people)} by OKS: truth, then prediction"
            pictures[f"{name}.png"] = _png(people_sheet(people, title=title, sides=report.joints.has_pairs))
    return pictures | {f"heatmaps-{grid.annotation_id}.png": _png(grid.picture) for grid in report.grids}


def _charts(evaluation: Evaluation, table: KeypointTable) -> dict[str, Chart]:
    charts = {
        "pck-curves": pck_curves(evaluation),
        "pck-curves-by-joint": pck_by_joint(evaluation, table),
        "oks-precision-recall": precision_recall(evaluation),
        "joints": joint_bars(evaluation, table),
        "errors": error_bars(evaluation),
    }
    return {name: chart for name, chart in charts.items() if chart is not None}


def _grid(maps: StackMaps, evaluation: Evaluation, table: KeypointTable) -> Grid:
    title, file_name = f"Annotation {maps.annotation_id}", ""
    rows = (evaluation.truth.annotation_ids == maps.annotation_id).nonzero()[0]
    if len(rows):
        file_name = str(evaluation.truth.file_names.get(int(evaluation.truth.image_ids[rows[0]]), ""))
        oks = float(evaluation.person_oks[rows[0]])
        title += f", OKS {share(oks)}" if np.isfinite(oks) else ""
    left_out = unlabelled_joints(evaluation)
    return Grid(maps.annotation_id, title, file_name, heat_grid(maps, table, title=title, left_out=left_out))


def _write(files: FileStore, path: str, data: bytes) -> None:
    with files.create(path) as stream:
        stream.write(data)


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
