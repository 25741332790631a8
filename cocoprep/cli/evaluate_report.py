"""What `cocoprep evaluate` prints: what fits a screen, and where the rest is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.evaluate_sets import print_across, print_by_crowding, print_by_source, print_pckh
from cocoprep.cli.figure_table import NONE, print_table, share
from cocoprep.cli.say import as_note
from cocoprep.evaluation.error_kinds import KINDS
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.pck import head_sizes
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import Noun

if TYPE_CHECKING:
    from cocoprep.evaluation.beside import FiguresBeside

_PREDICTION, _IMAGE = Noun("prediction", "predictions"), Noun("image", "images")
_OKS = ("AP", "AP50", "AP75", "APm", "APl", "AR")  # what papers print; with the others a row has two lines
_JOINTS = 18  # that a screen has room for


def print_evaluation(
    evaluation: Evaluation,
    table: KeypointTable,
    *,
    notes: Sequence[str],
    beside: FiguresBeside,
    source: str,
    written: Sequence[str] = (),
    console: Console | None = None,
) -> None:
    """Print the figures that one asks for first to stdout, and where all of them are.

    Args:
        evaluation: the figures.
        table: names the joints.
        notes: to be said loudly, first.
        beside: other figures by whose they are and by name, such as AP or PCK@0.2.
        source: what was scored.
        written: the files that have all figures, which the caller names below.
        console: for another width or place.
    """
    console = console or PlainConsole()
    truth, end_point, noun = evaluation.truth, evaluation.end_point, table.noun
    for note in notes:
        console.print(as_note(note), style="bold yellow")
    predictions, images = len(evaluation.predictions), len(truth.images)
    console.print(
        f"{source}: {_PREDICTION.count(predictions)} for {noun.count(int(truth.counts.sum()))} on "
        f"{_IMAGE.count(images)} of {truth.path}; not found: {noun.count(end_point.undetected)}"
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
    _print_distance(evaluation, console)
    _print_confidence(evaluation, table, console)
    console.print(
        "Every figure, also by joint and threshold, size, crowding and occlusion: "
        + ("in the files named below." if written else "--json FILE writes them, --out DIR a page of them.")
    )


def _print_oks(evaluation: Evaluation, beside: FiguresBeside, console: Console) -> None:
    sides = {"this result": evaluation.oks.figures, **beside}
    columns = {name: [share(figures.get(name, math.nan)) for figures in sides.values()] for name in _OKS}
    print_table("OKS", list(sides), columns, console)


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
    columns["left out"] = [*(str(unit.without_unit) for unit in units), *rest]
    print_table("PCK by", [*(unit.unit for unit in units), *(f"box, {whose}" for whose in guesses)], columns, console)
    head = evaluation.pck["head"]
    if head.stated or evaluation.pckh is not None:
        console.print(f"{head_sizes(head.stated, head.people, noun)}.")


def _print_joints(evaluation: Evaluation, table: KeypointTable, console: Console) -> None:
    """Print how good each joint is and how it fails, of many joints those that are worst."""
    box, errors = evaluation.pck["box"], evaluation.errors.tables["joint"]
    shown = np.arange(len(table))
    if len(table) > _JOINTS:
        shown = np.sort(np.argsort(box.auc_per_joint, kind="stable")[:_JOINTS])  # NaN, of no label, comes last
    names = [table.names[k] for k in shown]
    rows = [*(errors[name] for name in names), {kind: sum(row[kind] for row in errors.values()) for kind in KINDS}]
    columns = {
        "AUC": [*map(share, box.auc_per_joint[shown].tolist()), share(box.auc)],
        "joints": [*map(str, box.pck.joints[shown].tolist()), str(int(box.pck.joints.sum()))],
        **{kind: [_percent(row[kind], sum(row.values())) for row in rows] for kind in KINDS if kind != "undetected"},
    }
    print_table("joints, by box", [*names, "all"], columns, console)
    if len(table) > _JOINTS:
        console.print(f"Of {len(table)} joints, these {_JOINTS} have the lowest AUC; all are in the last row.")
    if missed := rows[-1]["undetected"]:
        share_of = _percent(missed, sum(rows[-1].values()))
        console.print(f"The other {share_of} of labelled joints are of {table.noun.many} who were not found.")
    console.print()


def _print_distance(evaluation: Evaluation, console: Console) -> None:
    apart = evaluation.end_point
    console.print(
        f"Distance: mean {_pixels(apart.mean_px)} px, {share(apart.mean_of_box)} of the box's longer side; "
        f"median {_pixels(apart.median_px)} px, {share(apart.median_of_box)}."
    )


def _print_confidence(evaluation: Evaluation, table: KeypointTable, console: Console) -> None:
    chosen = evaluation.joints
    if chosen is None:
        console.print("No thresholds of confidence: the confidences are all equal, or nobody was predicted.")
        return
    console.print(
        f"With a threshold of confidence for each joint, {chosen.reported:.1f} of {len(table)} are reported "
        f"{table.noun.a}: precision {share(chosen.total_precision)}, recall {share(chosen.total_recall)}, over "
        f"{table.noun.count(chosen.people)}."
    )


def _pixels(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.2f}"


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %" if total else NONE
