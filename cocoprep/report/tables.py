"""The figures of an evaluation as tables of the page. K joints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from cocoprep.evaluation.beside import BESIDE_CEILING, BESIDE_GUESS, FiguresBeside
from cocoprep.evaluation.error_kinds import KINDS
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.evaluation.pck import head_sizes
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.report.content import Cell, Table
from cocoprep.report.wording import NONE, count, people, pixels, share, words

# What stands beside a result's figures, said where it stands.
BESIDE_IN_WORDS = {
    BESIDE_CEILING: "what a network would score that predicts the stored heatmaps perfectly, on all {many} of the data "
    "set, those without a record among them. No result on these heatmaps can be better",
    BESIDE_GUESS: "what answering without a look at the picture scores: every joint where it lies on average in the "
    "crops. A network that has learnt something is better",
}
HEADINGS = {"joint": "joint", "size": "size", "crowding": "others overlapping", "occlusion": "joint is"}


def headline(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return the few figures that one looks for first, by name."""
    figures, box = evaluation.oks.figures, evaluation.pck["box"]
    tiles = [("OKS " + name, share(figures[name])) for name in ("AP", "AP50", "AP75", "AR")]
    scored = dict(zip(box.pck.thresholds, box.pck.total.tolist(), strict=True))
    named = [threshold for threshold in (0.1, 0.2) if threshold in scored] or list(scored)[:1]
    tiles += [(f"PCK@{threshold:g} by box", share(scored[threshold])) for threshold in named]
    return [*tiles, ("median distance", f"{pixels(evaluation.end_point.median_px)} px")]


def beside_notes(names: Iterable[str], evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return what those are whose figures stand beside the result's, as far as their names are ours."""
    many = evaluation.truth.table.noun.many
    return [(name, f"{BESIDE_IN_WORDS[name].format(many=many)}.") for name in names if name in BESIDE_IN_WORDS]


def oks_table(evaluation: Evaluation, beside: FiguresBeside) -> Table:
    """Return the ten figures of OKS, a column each for this result, the codec ceiling and others."""
    others = {name: figures for name, figures in beside.items() if any(one in figures for one in OKS_FIGURES)}
    columns: list[Mapping[str, float]] = [evaluation.oks.figures, *others.values()]
    rows = [[one, *(share(figures.get(one, np.nan)) for figures in columns)] for one in OKS_FIGURES]
    caption = (
        "Average precision (AP) and recall (AR) by object keypoint similarity (OKS), as COCO's server counts them: the "
        "mean over ten thresholds of OKS, at 0.50 and 0.75 alone, and of medium and large "
        f"{evaluation.truth.table.noun.many}. 1 is perfect."
    )
    notes = beside_notes(others, evaluation)
    return Table(["OKS", "this result", *others], rows, caption, notes, mark="first-figure")


def pck_table(evaluation: Evaluation, beside: FiguresBeside) -> Table:
    """Return PCK at each threshold and the joints behind it, a column each for every unit and for others by box."""
    units, noun = list(evaluation.pck.values()), evaluation.truth.table.noun
    others = {name: figures for name, figures in beside.items() if any(one.startswith("PCK@") for one in figures)}
    rows = [
        [
            f"PCK@{threshold:g}", *(share(float(figures.pck.total[n])) for figures in units),
            *(share(figures.get(f"PCK@{threshold:g}", np.nan)) for figures in others.values()),
        ]
        for n, threshold in enumerate(units[0].pck.thresholds)
    ]  # fmt: skip
    nothing = [NONE] * len(others)
    rows += [
        ["AUC", *(share(one.auc) for one in units), *(share(one.get("AUC", np.nan)) for one in others.values())],
        ["joints", *(count(int(one.pck.joints.sum())) for one in units), *nothing],
        [noun.many, *(count(one.people) for one in units), *nothing],
        [f"{noun.many} left out", *(count(one.without_unit) for one in units), *nothing],
    ]
    caption = (
        "Share of the labelled joints that lie within a fraction of a unit of the truth. The unit is the longer side "
        f"of the {noun.one}'s box, the torso (shoulder to the other side's hip), or the head ({_head(evaluation)}"
        f"). AUC is the mean over fractions from 0 to 0.5. {noun.a.capitalize()} whose torso or head is not labelled "
        "is left out."
    )
    head = ["PCK", *(f"by {one.unit}" for one in units), *(f"{name}, by box" for name in others)]
    return Table(head, rows, caption, beside_notes(others, evaluation), mark="first-figure")


def _head(evaluation: Evaluation) -> str:
    head = evaluation.pck["head"]
    return (
        head_sizes(head.stated, head.people, evaluation.truth.table.noun)
        if head.stated
        else "the longest distance in it"
    )


def joint_table(evaluation: Evaluation, joints: KeypointTable) -> Table:
    """Return PCK by box and the end-point error of each joint."""
    score, area, apart = evaluation.pck["box"].pck, evaluation.pck["box"].auc_per_joint, evaluation.end_point
    rows = [
        [
            words(name), *(share(float(value)) for value in score.per_joint[:, k]), share(float(area[k])),
            count(int(score.joints[k])), pixels(float(apart.mean_px_per_joint[k])),
            pixels(float(apart.median_px_per_joint[k])), count(int(apart.joints[k])),
        ]
        for k, name in enumerate(joints.names)
    ]  # fmt: skip
    rows.append(
        [
            "all", *(share(float(value)) for value in score.total), share(evaluation.pck["box"].auc),
            count(int(score.joints.sum())), pixels(apart.mean_px), pixels(apart.median_px),
            count(int(apart.joints.sum())),
        ]
    )  # fmt: skip
    head = ["joint", *(f"PCK@{threshold:g}" for threshold in score.thresholds), "AUC", "joints"]
    caption = (
        "PCK by box, and the distance from the truth in pixels of the photograph (end-point error), over "
        f"{joints.noun.many} who were predicted. Of the box's longer side, the mean distance is "
        f"{share(apart.mean_of_box)} and the median {share(apart.median_of_box)}."
    )
    return Table([*head, "mean distance, px", "median distance, px", "joints predicted"], rows, caption, mark="last")


def error_table(evaluation: Evaluation, grouping: str, *, caption: str) -> Table:
    """Return how many joints of each group are of each kind, and their share."""
    rows: list[Sequence[str | Cell]] = []
    for group, kinds in evaluation.errors.tables[grouping].items():
        total = sum(kinds.values())
        cells = [_counted(kinds.get(kind, 0), total) for kind in KINDS]
        rows.append([words(group), *cells, count(total)])
    return Table([HEADINGS.get(grouping, grouping), *KINDS, "joints"], rows, caption)


def _counted(many: int, total: int) -> Cell:
    return Cell(f"{100 * many / total:.1f} %" if total else NONE, small=count(many))


def confidence_table(evaluation: Evaluation, joints: KeypointTable) -> Table | None:
    """Return each joint's threshold of confidence and what it costs; None where confidences tell no joints apart."""
    chosen = evaluation.joints
    if chosen is None:
        return None
    rows = [
        [
            words(name), f"{chosen.thresholds[k]:.3f}", share(float(chosen.precision[k])),
            share(float(chosen.recall[k])), share(float(chosen.f1[k])), count(int(chosen.labelled[k])),
        ]
        for k, name in enumerate(joints.names)
    ]  # fmt: skip
    rows.append(
        [
            "all",
            NONE,
            share(chosen.total_precision),
            share(chosen.total_recall),
            NONE,
            count(int(chosen.labelled.sum())),
        ]
    )
    caption = (
        "A joint is reported where its confidence is at least its threshold, so how many joints "
        f"{joints.noun.a} gets follows from the picture: {chosen.reported:.1f} of {len(joints)} on average over "
        f"{people(chosen.people, joints.noun)}. Each threshold is the one with the highest F1 of telling the joints "
        "that are labelled. Precision: of the joints reported, the share that is labelled. Recall: of the labelled "
        "ones, the share reported."
    )
    head = ["joint", "threshold", "precision", "recall", "F1", "labelled"]
    return Table(head, rows, caption, mark="last")
