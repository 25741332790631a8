"""What `cocoprep evaluate` prints: tables that are split, not cut, where the terminal is narrow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.evaluate_sets import print_across, print_by_crowding, print_by_source, print_pckh
from cocoprep.cli.figure_table import NONE, print_table, share
from cocoprep.cli.say import as_note
from cocoprep.evaluation.beside import FiguresBeside
from cocoprep.evaluation.error_kinds import KINDS
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.evaluation.pck import head_sizes
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import Noun

_PREDICTION, _IMAGE = Noun("prediction", "predictions"), Noun("image", "images")


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
    if evaluation.across is not None:
        print_across(evaluation.across, console)
    _print_oks(evaluation, beside, console)
    if evaluation.by_crowding is not None:
        print_by_crowding(evaluation.by_crowding, truth, console)
    _print_pck(evaluation, beside, noun, console)
    if evaluation.pckh is not None:
        print_pckh(evaluation.pckh, noun, console)
    if evaluation.by_source is not None:
        print_by_source(evaluation.by_source, truth, console)
    _print_joints(evaluation, table, console)
    _print_errors(evaluation, console)
    if evaluation.joints is None:
        console.print("No thresholds of confidence: the confidences are all equal, or nobody was predicted.")
    else:
        chosen = evaluation.joints
        console.print(
            f"With these thresholds {chosen.reported:.1f} of {len(table)} joints are reported {noun.a}; of those "
            f"{share(chosen.total_precision)} are labelled (precision), and {share(chosen.total_recall)} of the "
            f"labelled are reported (recall), over {noun.count(chosen.people)}."
        )


def _print_oks(evaluation: Evaluation, beside: FiguresBeside, console: Console) -> None:
    columns = {"this result": [share(evaluation.oks.figures[name]) for name in OKS_FIGURES]}
    for whose, figures in beside.items():
        columns[whose] = [share(figures.get(name, math.nan)) for name in OKS_FIGURES]
    print_table("OKS", OKS_FIGURES, columns, console)


def _print_pck(evaluation: Evaluation, beside: FiguresBeside, noun: Noun, console: Console) -> None:
    units = list(evaluation.pck.values())
    thresholds = units[0].pck.thresholds
    guesses = {whose: figures for whose, figures in beside.items() if "AUC" in figures}
    columns = {
        f"PCK@{t:g}": [
            *(share(float(unit.pck.total[n])) for unit in units),
            *(share(figures.get(f"PCK@{t:g}", math.nan)) for figures in guesses.values()),
        ]
        for n, t in enumerate(thresholds)
    }
    columns["AUC"] = [*(share(unit.auc) for unit in units), *(share(figures["AUC"]) for figures in guesses.values())]
    rest = [NONE] * len(guesses)
    columns["joints"] = [*(str(int(unit.pck.joints.sum())) for unit in units), *rest]
    columns[noun.many] = [*(str(unit.people) for unit in units), *rest]
    columns["left out"] = [*(str(unit.without_unit) for unit in units), *rest]
    names = [*(f"by {unit.unit}" for unit in units), *(f"{whose}, by box" for whose in guesses)]
    print_table("PCK", names, columns, console)
    head = evaluation.pck["head"]
    if head.stated or evaluation.pckh is not None:
        console.print(f"{head_sizes(head.stated, head.people, noun)}.")


def _print_joints(evaluation: Evaluation, table: KeypointTable, console: Console) -> None:
    box, apart, chosen = evaluation.pck["box"], evaluation.end_point, evaluation.joints
    columns = {
        f"PCK@{t:g}": [*map(share, box.pck.per_joint[n].tolist()), share(float(box.pck.total[n]))]
        for n, t in enumerate(box.pck.thresholds)
    }
    columns["AUC"] = [*map(share, box.auc_per_joint.tolist()), share(box.auc)]
    columns["joints"] = [*map(str, box.pck.joints.tolist()), str(int(box.pck.joints.sum()))]
    columns["mean px"] = [*map(_pixels, apart.mean_px_per_joint.tolist()), _pixels(apart.mean_px)]
    columns["median px"] = [*map(_pixels, apart.median_px_per_joint.tolist()), _pixels(apart.median_px)]
    columns["predicted"] = [*map(str, apart.joints.tolist()), str(int(apart.joints.sum()))]
    if chosen is not None:
        columns["threshold"] = [*(f"{value:.3f}" for value in chosen.thresholds.tolist()), NONE]
        columns["precision"] = [*map(share, chosen.precision.tolist()), share(chosen.total_precision)]
        columns["recall"] = [*map(share, chosen.recall.tolist()), share(chosen.total_recall)]
    print_table("joints: PCK by box, distance from the truth, confidence", [*table.names, "all"], columns, console)
    console.print(
        f"Distance over predicted {table.noun.many}, of the box's longer side: mean {share(apart.mean_of_box)}, "
        f"median {share(apart.median_of_box)}."
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
    print_table("what labelled joints are (Ronchi and Perona 2017)", list(rows), columns, console)


def _pixels(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.2f}"


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %" if total else NONE
