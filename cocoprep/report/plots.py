"""The charts of an evaluation: curves of PCK and of OKS precision, and bars by joint and by group.

K joints; colours of sides are the person's own: orange left, blue right, green neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from cocoprep.draw.text import drawable
from cocoprep.evaluation.error_kinds import KINDS
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.report.content import Chart
from cocoprep.report.style import BACKGROUND, DIM, KIND_COLOURS, LINE_COLOURS, TEXT, bare, draw_chart
from cocoprep.report.wording import NONE, share, words

STROKES = ("-", "--", ":")
MOST_PANELS = 150  # their layout takes time by its square: half a minute for 133, half an hour for 1,000
BAR_IN = 0.29  # height of a bar with its gap, in inches
THRESHOLD = 0.2  # of the bars of PCK
LABEL_PT = 11  # height of a line of small letters
GROUPINGS = {
    "size": "size of the {one}",
    "crowding": "crowding: others whose boxes overlap",
    "occlusion": "occlusion of the joint",
    "labelled joints": "labelled joints of the {one}",
}
KindCounts = Mapping[str, Mapping[str, int]]  # group -> kind of error -> joints


def pck_curves(evaluation: Evaluation) -> Chart:
    """Draw PCK against its threshold, a line a unit."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        colours = (TEXT, LINE_COLOURS["left"], LINE_COLOURS["right"])
        for colour, stroke, figures in zip(colours, STROKES, evaluation.pck.values(), strict=False):
            label = f"{figures.unit}, AUC {share(figures.auc)}"
            axes.plot(figures.curve.thresholds, 100 * figures.curve.total, stroke, color=colour, label=label)
        _percent(axes, "y")
        axes.set_xlim(0, 0.5)
        axes.set_xlabel("threshold, as a fraction of the unit")
        axes.set_ylabel("PCK: labelled joints within it, %")
        figure.legend(loc="outside lower center", ncols=3)

    return draw_chart(paint, (6, 4.4))


def pck_by_joint(evaluation: Evaluation, table: KeypointTable) -> Chart | None:
    """Draw PCK by box against its threshold, a panel a joint and its partner, a line a side.

    None where there are too many. A joint that nobody has labelled has no line, and no panel without a line is drawn.
    """
    joints = evaluation.pck["box"].pck.joints
    families = {name: [k for k in members if joints[k]] for name, members in table.families.items()}
    families = {name: members for name, members in families.items() if members}
    if not 0 < len(families) <= MOST_PANELS:
        return None
    columns = min(5, len(families))
    rows = -(-len(families) // columns)
    figures = evaluation.pck["box"]

    def paint(figure: Figure) -> None:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, (name, members) in zip(panels.flat, families.items(), strict=False):
            axes.set_title(drawable(words(name)), loc="left")
            axes.plot(figures.curve.thresholds, 100 * figures.curve.total, color=DIM, lw=0.8)
            for line, k in enumerate(members):
                colour = LINE_COLOURS[table.sides[k]]
                curve = 100 * figures.curve.per_joint[:, k]
                axes.plot(figures.curve.thresholds, curve, STROKES[line], color=colour, lw=1.6)
                # Above the panel, where no curve can lie below it.
                area = f"{_side(table, k)}AUC {share(float(figures.auc_per_joint[k]))}"
                up = LABEL_PT * (len(members) - 1 - line) + 3
                axes.annotate(
                    area, (1, 1), (0, up), "axes fraction", "offset points", ha="right", color=colour, size=8.5
                )
            _percent(axes, "y")
            axes.set_xlim(0, 0.5)
            axes.set_xticks([0, 0.2, 0.4])
        for n, axes in enumerate(panels.flat[len(families) :], start=len(families)):
            axes.set_visible(False)
            panels.flat[n - columns].tick_params(labelbottom=True)
        figure.supxlabel("threshold, as a fraction of the box's longer side", fontsize=10, color=DIM)
        figure.supylabel("PCK, %", fontsize=10, color=DIM)

    return draw_chart(paint, (12, 0.7 + 1.95 * rows) if columns > 2 else (6, 0.7 + 1.95 * rows))


def _side(table: KeypointTable, k: int) -> str:
    side = table.sides[k]
    return "" if side == "centre" else f"{side} "


def precision_recall(evaluation: Evaluation) -> Chart:
    """Draw OKS precision against recall, a line a threshold, and their mean."""
    oks = evaluation.oks
    precision = np.where(oks.precision < 0, np.nan, oks.precision)  # -1: no person stands behind it

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        named = {0.5: (LINE_COLOURS["right"], "--"), 0.75: (LINE_COLOURS["left"], ":")}
        for threshold, line in zip(oks.thresholds, precision, strict=True):
            colour, stroke = named.get(round(float(threshold), 2), (DIM, "-"))
            if colour == DIM:
                axes.plot(100 * oks.recalls, 100 * line, color=colour, lw=0.7, alpha=0.7)
            else:
                axes.plot(
                    100 * oks.recalls, 100 * line, stroke, color=colour, label=_line_name(f"OKS {threshold:.2f}", line)
                )
        mean = precision.mean(axis=0)
        axes.plot(100 * oks.recalls, 100 * mean, color=TEXT, lw=2.4, label=_line_name("mean", mean))
        _percent(axes, "x")
        _percent(axes, "y")
        axes.set_xlabel(drawable(f"recall: {evaluation.truth.table.noun.many} found, %"))
        axes.set_ylabel("precision: predictions that are right, %")
        figure.legend(loc="outside lower center", ncols=3)

    return draw_chart(paint, (6, 4.4))


def _line_name(name: str, precision: NDArray[np.float64]) -> str:
    found = precision[np.isfinite(precision)]
    return f"{name}, AP {share(float(found.mean())) if len(found) else NONE}"


def joint_bars(evaluation: Evaluation, table: KeypointTable) -> Chart:
    """Draw each joint's PCK, and beside it what became of it, a bar a joint."""
    score = evaluation.pck["box"].pck
    place = int(np.abs(np.array(score.thresholds) - THRESHOLD).argmin())
    names = [drawable(words(name)) for name in table.names]
    counts = evaluation.errors.tables["joint"]

    def paint(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.35))
        values = np.nan_to_num(score.per_joint[place])
        colours = [LINE_COLOURS[side] for side in table.sides]
        left.barh(range(len(names)), 100 * values, color=colours, height=0.72)
        for row, value in enumerate(score.per_joint[place].tolist()):
            # Beside the bars, where neither a bar nor the dashed line can lie below it.
            left.text(102, row, share(value), va="center", color=TEXT)
        total = float(score.total[place])
        if np.isfinite(total):
            left.axvline(100 * total, color=TEXT, lw=1.2, ls="--")
        left.set_title(f"PCK@{score.thresholds[place]:g} by box; dashed: all joints, {share(total)}", loc="left")
        left.set_xlabel("labelled joints within the threshold, %")
        _stack(right, {own: counts.get(own, {}) for own in table.names})
        right.set_yticks(range(len(names)), names)
        right.set_title("What became of it", loc="left")
        right.set_xlabel("labelled joints, %")
        for axes in (left, right):
            _percent(axes, "x")
            bare(axes)
        left.invert_yaxis()
        left.set_ylim(len(names) - 0.4, -0.6)
        _kinds_key(figure, [counts])

    return draw_chart(paint, (12, 1.5 + BAR_IN * len(table)))


def error_bars(evaluation: Evaluation) -> Chart | None:
    """Draw what became of joints by their owner's size, crowding, occlusion and labels; None where no joint counts."""
    tables = {
        drawable(title.format(one=evaluation.truth.table.noun.one)): evaluation.errors.tables.get(name, {})
        for name, title in GROUPINGS.items()
    }
    if not any(sum(counts.values()) for groups in tables.values() for counts in groups.values()):
        return None
    sizes = [len(groups) for groups in tables.values()]
    heights = [max(sizes[:2]) + 2.6, max(sizes[2:]) + 2.6]

    def paint(figure: Figure) -> None:
        panels = figure.subplots(2, 2, sharex=True, height_ratios=heights)
        for axes, (title, groups) in zip(panels.flat, tables.items(), strict=True):
            counted = {f"{drawable(name)}  ({sum(kinds.values()):,})": kinds for name, kinds in groups.items()}
            _stack(axes, counted)
            axes.set_title(f"By {title}", loc="left")
            _percent(axes, "x")
            axes.tick_params(labelbottom=True)
            bare(axes)
            # Bars as thick in a panel of few as in its neighbour of many.
            rows = max(len(groups), max(sizes[:2]) if axes in panels[0] else max(sizes[2:]))
            axes.set_ylim(rows - 0.4, -0.6)
        for axes in panels[1]:
            axes.set_xlabel("labelled joints, %")
        _kinds_key(figure, list(tables.values()))

    return draw_chart(paint, (12, 0.6 + BAR_IN * sum(heights)))


def _stack(axes: Axes, groups: KindCounts) -> None:
    """Paint a bar a group, cut by kind."""
    many = np.array([[kinds.get(kind, 0) for kind in KINDS] for kinds in groups.values()], np.float64)
    many = many.reshape(len(groups), len(KINDS))
    widths = 100 * many / np.maximum(many.sum(axis=1, keepdims=True), 1)
    starts = widths.cumsum(axis=1) - widths
    for n, kind in enumerate(KINDS):
        rows = np.flatnonzero(widths[:, n])
        axes.barh(rows, widths[rows, n], left=starts[rows, n], height=0.72, **_fill(kind))
    axes.set_yticks(range(len(groups)), list(groups))


def _fill(kind: str) -> dict[str, Any]:
    if kind == "undetected":
        return {"facecolor": KIND_COLOURS[kind], "edgecolor": DIM, "hatch": "////"}
    return {"facecolor": KIND_COLOURS[kind], "edgecolor": BACKGROUND}


def _kinds_key(figure: Figure, tables: Sequence[KindCounts]) -> None:
    """Paint what the colours mean, of the kinds that occur."""
    found = {kind for groups in tables for kinds in groups.values() for kind, many in kinds.items() if many}
    handles = [Patch(label=kind, **_fill(kind)) for kind in KINDS if kind in found]
    if handles:
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), handlelength=1.4)


def _percent(axes: Axes, axis: str) -> None:
    """Set an axis of shares from 0 to 100 %, in steps of 20."""
    ticks = np.arange(0, 101, 20)
    if axis == "x":
        axes.set_xlim(0, 100)
        axes.set_xticks(ticks)
    else:
        axes.set_ylim(0, 101)
        axes.set_yticks(ticks)
