"""The page of an evaluation: every figure, chart and picture in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from cocoprep.evaluation.beside import FiguresBeside
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.report import sets, tables
from cocoprep.report.by_source import source_table
from cocoprep.report.content import Cell, Chart, Table, chart_picture, photo_picture
from cocoprep.report.engine import render
from cocoprep.report.people import Portrait
from cocoprep.report.style import KIND_COLOURS
from cocoprep.report.wording import share, words
from cocoprep.report.worst_errors import ListedError

KINDS_IN_WORDS = {
    "good": "where it belongs, within what people themselves differ by (similarity of at least 0.85)",
    "jitter": "near, but off (similarity of at least 0.5)",
    "inversion": "on the same joint of the {one}'s other side: left and right exchanged",
    "swap": "on that joint, or its mirror partner, of another {one} in the photograph",
    "miss": "on nothing of the kind",
    "undetected": "of {a} whom nobody predicted",
}


@dataclass(frozen=True)
class Grid:
    """A grid of heatmaps, and whose."""

    annotation_id: int
    title: str
    file_name: str
    picture: Image.Image


@dataclass(frozen=True)
class Report:
    """All that is on the page.

    Attributes:
        evaluation: the figures.
        joints: the K joints.
        title: the heading.
        notes: loud lines below it.
        provenance: where the figures are from, by name.
        beside: figures of others by name, to stand beside the result's.
        charts: by file name without its ending.
        worst: people with the lowest OKS, lowest first.
        best: people with the highest OKS, highest first.
        errors: the worst errors.
        errors_in_all: how many there are.
        behind: people of the worst errors who are not shown otherwise.
        grids: of heatmaps.
    """

    evaluation: Evaluation
    joints: KeypointTable
    title: str
    notes: Sequence[str]
    provenance: Mapping[str, str]
    beside: FiguresBeside
    charts: Mapping[str, Chart]
    worst: Sequence[Portrait]
    best: Sequence[Portrait]
    errors: Sequence[ListedError]
    errors_in_all: int
    behind: Sequence[Portrait]
    grids: Sequence[Grid]


def render_page(report: Report) -> str:
    """Return the page as HTML."""
    evaluation, noun = report.evaluation, report.joints.noun
    truth, across = evaluation.truth, evaluation.across
    return render(
        "evaluation.html.j2",
        title=report.title,
        notes=report.notes,
        noun=noun,
        looked_for=int(truth.counts.sum()),
        undetected=int((truth.counts & (evaluation.matches < 0)).sum()),
        photographs=len(truth.images),
        predictions=len(evaluation.predictions),
        report=report,
        has_pairs=report.joints.has_pairs,
        sections=_sections(report),
        headline=tables.headline(evaluation),
        charts={name: chart_picture(chart) for name, chart in report.charts.items()},
        tables=_tables(report),
        across=across,
        left_out=[] if across is None else list(map(words, across.joint_map.left_out)),
        unlabelled=[words(report.joints.names[k]) for k in unlabelled_joints(evaluation)],
        kinds=[
            (kind, KIND_COLOURS[kind], said.format(one=noun.one, a=noun.a)) for kind, said in KINDS_IN_WORDS.items()
        ],
        photo=photo_picture,
    )


def unlabelled_joints(evaluation: Evaluation) -> list[int]:
    """Return the joints, by place, that nobody has labelled: nothing is to be drawn of them."""
    labelled = np.any(evaluation.truth.visibility[evaluation.truth.counts] > 0, axis=0)
    return np.flatnonzero(~labelled).tolist()


def _sections(report: Report) -> dict[str, str]:
    """Return the titles of the sections that there are, by their ids, in order."""
    there = {
        "across": ("Across data sets", report.evaluation.across is not None),
        "oks": ("OKS", True),
        "pck": ("PCK", True),
        "sources": ("Source by source", report.evaluation.by_source is not None),
        "joints": ("Joint by joint", True),
        "errors": ("Kinds of errors", True),
        "confidence": ("Confidence", True),
        "worst": ("The worst", bool(report.worst)),
        "best": ("The best", bool(report.best)),
        "worst-errors": ("The worst errors", bool(report.errors)),
        "heatmaps": ("Heatmaps through the stacks", bool(report.grids)),
        "provenance": ("Where these figures are from", bool(report.provenance)),
    }
    return {name: title for name, (title, shown) in there.items() if shown}


def _tables(report: Report) -> dict[str, Any]:
    evaluation, joints = report.evaluation, report.joints
    return {
        "across": None if evaluation.across is None else sets.across_table(evaluation.across),
        "oks": tables.oks_table(evaluation, report.beside),
        "crowding": sets.crowding_table(evaluation),
        "pck": tables.pck_table(evaluation, report.beside),
        "pckh": sets.pckh_table(evaluation),
        "sources": source_table(evaluation),
        "joints": tables.joint_table(evaluation, joints),
        "errors": [tables.error_table(evaluation, group, caption=f"By {group}") for group in evaluation.errors.tables],
        "confidence": tables.confidence_table(evaluation, joints),
        "worst_errors": _errors_table(report),
    }


def _errors_table(report: Report) -> Table:
    head = ["annotation", "photograph", "joint", "kind", "distance, px", "of the box", "confidence"]
    shown = {person.annotation_id for person in (*report.worst, *report.best, *report.behind)}
    return Table(head, [_error_row(one, report.joints, shown) for one in report.errors], left=4)


def _error_row(one: ListedError, joints: KeypointTable, shown: set[int]) -> list[str | Cell]:
    link = f"person-{one.annotation_id}" if one.annotation_id in shown else ""
    return [
        Cell(str(one.annotation_id), link=link), Cell(one.file_name, isolated=True), words(joints.names[one.joint]),
        f"{one.kind} (of {one.other})" if one.other >= 0 else one.kind,
        f"{one.distance_px:.1f}", share(one.distance_of_box), f"{one.confidence:.3f}",
    ]  # fmt: skip
