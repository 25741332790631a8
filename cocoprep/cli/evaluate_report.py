"""What `cocoprep evaluate` prints: tables that are split, not cut, where the terminal is narrow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.say import as_note
from cocoprep.evaluation.beside import FiguresBeside
from cocoprep.evaluation.error_kinds import KINDS
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import Noun

NONE = "-"
_PREDICTION, _IMAGE = Noun("prediction", "predictions"), Noun("image", "images")
Columns = Mapping[str, Sequence[str]]


def print_evaluation(
    evaluation: Evaluation,
    table: KeypointTable,
    *,
    notes: Sequence[str],
    beside: FiguresBeside,
    source: str,
    console: Console | None = None,
) -> None:
    """Print all tables to stdout.

    Args:
        evaluation: the figures.
        table: names the joints.
        notes: to be said loudly, first.
        beside: other figures by whose they are and by name, such as AP or PCK@0.2.
        source: what was scored.
        console: for another width or place.
    """
    console = console or PlainConsole()
    truth, end_point, noun = evaluation.truth, evaluation.end_point, table.noun
    for note in notes:
        console.print(as_note(note), style="bold yellow")
    predictions, images = len(evaluation.predictions), len(truth.document["images"])
    console.print(
        f"{source}: {_PREDICTION.count(predictions)} for {noun.count(int(truth.counts.sum()))} on "
        f"{_IMAGE.count(images)} of {truth.path}; not predicted: {noun.count(end_point.undetected)}"
    )
    _print_oks(evaluation, beside, console)
    _print_pck(evaluation, beside, noun, console)
    _print_joints(evaluation, table, console)
    _print_errors(evaluation, console)
    if evaluation.joints is None:
        console.print("No thresholds of confidence: the confidences are all equal, or nobody was predicted.")
    else:
        chosen = evaluation.joints
        console.print(
            f"With these thresholds {chosen.reported:.1f} of {len(table)} joints are reported {noun.a}; of those "
            f"{_share(chosen.total_precision)} are labelled (precision), and {_share(chosen.total_recall)} of the "
            f"labelled are reported (recall), over {noun.count(chosen.people)}."
        )


def _print_oks(evaluation: Evaluation, beside: FiguresBeside, console: Console) -> None:
    columns = {"this result": [_share(evaluation.oks.figures[name]) for name in OKS_FIGURES]}
    for whose, figures in beside.items():
        columns[whose] = [_share(figures.get(name, math.nan)) for name in OKS_FIGURES]
    _print_table("OKS", OKS_FIGURES, columns, console)


def _print_pck(evaluation: Evaluation, beside: FiguresBeside, noun: Noun, console: Console) -> None:
    units = list(evaluation.pck.values())
    thresholds = units[0].pck.thresholds
    guesses = {whose: figures for whose, figures in beside.items() if "AUC" in figures}
    columns = {
        f"PCK@{t:g}": [
            *(_share(float(unit.pck.total[n])) for unit in units),
            *(_share(figures.get(f"PCK@{t:g}", math.nan)) for figures in guesses.values()),
        ]
        for n, t in enumerate(thresholds)
    }
    columns["AUC"] = [*(_share(unit.auc) for unit in units), *(_share(figures["AUC"]) for figures in guesses.values())]
    rest = [NONE] * len(guesses)
    columns["joints"] = [*(str(int(unit.pck.joints.sum())) for unit in units), *rest]
    columns[noun.many] = [*(str(unit.people) for unit in units), *rest]
    columns["left out"] = [*(str(unit.without_unit) for unit in units), *rest]
    names = [*(f"by {unit.unit}" for unit in units), *(f"{whose}, by box" for whose in guesses)]
    _print_table("PCK", names, columns, console)


def _print_joints(evaluation: Evaluation, table: KeypointTable, console: Console) -> None:
    box, apart, chosen = evaluation.pck["box"], evaluation.end_point, evaluation.joints
    columns = {
        f"PCK@{t:g}": [*map(_share, box.pck.per_joint[n].tolist()), _share(float(box.pck.total[n]))]
        for n, t in enumerate(box.pck.thresholds)
    }
    columns["AUC"] = [*map(_share, box.auc_per_joint.tolist()), _share(box.auc)]
    columns["joints"] = [*map(str, box.pck.joints.tolist()), str(int(box.pck.joints.sum()))]
    columns["mean px"] = [*map(_pixels, apart.mean_px_per_joint.tolist()), _pixels(apart.mean_px)]
    columns["median px"] = [*map(_pixels, apart.median_px_per_joint.tolist()), _pixels(apart.median_px)]
    columns["predicted"] = [*map(str, apart.joints.tolist()), str(int(apart.joints.sum()))]
    if chosen is not None:
        columns["threshold"] = [*(f"{value:.3f}" for value in chosen.thresholds.tolist()), NONE]
        columns["precision"] = [*map(_share, chosen.precision.tolist()), _share(chosen.total_precision)]
        columns["recall"] = [*map(_share, chosen.recall.tolist()), _share(chosen.total_recall)]
    _print_table("joints: PCK by box, distance from the truth, confidence", [*table.names, "all"], columns, console)
    console.print(
        f"Distance over predicted {table.noun.many}, of the box's longer side: mean {_share(apart.mean_of_box)}, "
        f"median {_share(apart.median_of_box)}."
    )


def _print_errors(evaluation: Evaluation, console: Console) -> None:
    tables = evaluation.errors.tables
    rows = {"all": {kind: sum(group[kind] for group in tables["joint"].values()) for kind in KINDS}}
    for name, groups in tables.items():
        rows.update({group if name == "joint" else f"{name} {group}": kinds for group, kinds in groups.items()})
    totals = [sum(kinds.values()) for kinds in rows.values()]
    columns = {
        kind: [_percent(kinds[kind], total) for kinds, total in zip(rows.values(), totals, strict=True)]
        for kind in KINDS
    }
    columns["joints"] = list(map(str, totals))
    _print_table("what labelled joints are (Ronchi and Perona 2017)", list(rows), columns, console)


def _print_table(title: str, names: Sequence[str], columns: Columns, console: Console) -> None:
    """Print a table in as many parts, one below the other, as it takes to fit the width."""
    first = max(map(len, names)) + 4
    parts: list[dict[str, Sequence[str]]] = [{}]
    used = first
    for heading, cells in columns.items():
        width = max(len(heading), *map(len, cells)) + 3
        if parts[-1] and used + width > console.width:
            parts.append({})
            used = first
        parts[-1][heading] = cells
        used += width
    for number, part in enumerate(parts):
        table = Table(title=title if number == 0 else f"{title}, more", title_justify="left")
        table.add_column(overflow="fold")
        for heading in part:
            table.add_column(heading, justify="right", overflow="fold")
        for row, name in enumerate(names):
            table.add_row(name, *(cells[row] for cells in part.values()))
        console.print(table)


def _share(value: float) -> str:
    return NONE if math.isnan(value) or value < 0 else f"{value:.4f}"  # pycocotools says -1 where there is nobody


def _pixels(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.2f}"


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %" if total else NONE
