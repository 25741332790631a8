"""The curves of a run as one picture, for where no TensorBoard is at hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cocoprep.checks import printable
from cocoprep.model.run.best_step import best_step
from cocoprep.model.run.log import read_log
from cocoprep.storage.store import FileStore

CURVES = "curves.png"
LARGEST = 1e30  # beyond it, an axis overflows
MOST_SOURCES = 8  # drawn
COLUMNS = 3
DPI = 120
DECADE = 10.0  # between the least and the most: from there on an axis is a logarithm's
LABEL_PT = 11.5  # height of a line of small letters
TRAIN, VALIDATION, DIM, TEXT, GRID = "#1679c4", "#d96a00", "#5d6470", "#1b1e24", "#dfe2e7"
SOURCE_COLOURS = ("#4477aa", "#aa3377", "#228833", "#ccbb44", "#66ccee", "#ee6677", "#999933", "#882255")  # Paul Tol's
SETTINGS: dict[str, Any] = {
    "figure.facecolor": "white", "text.color": TEXT, "text.parse_math": False, "axes.labelcolor": DIM,
    "axes.titlecolor": TEXT, "axes.edgecolor": DIM, "axes.axisbelow": True, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.8, "xtick.color": DIM,
    "ytick.color": DIM, "xtick.labelcolor": TEXT, "ytick.labelcolor": TEXT, "font.size": 10, "axes.titlesize": 11,
    "legend.frameon": False, "legend.fontsize": 10, "lines.linewidth": 1.8,
}  # fmt: skip
Line = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """A panel: its title, the figure that its curves are of, whose phases, and whether it is a share of a whole."""

    title: str
    figure: str
    phases: tuple[str, ...] = ("train", "val")
    is_share: bool = True


PANELS = (
    Panel("loss", "loss", is_share=False),
    Panel("skill: the share of the guess's loss done without", "skill", is_share=False),
    Panel("PCK@0.2", "pck@0.2"),
    Panel("PCK@0.1", "pck@0.1"),
    Panel("left and right swapped", "swapped"),
    Panel("OKS AP", "AP", ("val",)),
)
NAMES = {"train": "train", "val": "validation", "guess": "the mean guess"}
STROKES: Mapping[str, Mapping[str, Any]] = {
    "train": {"color": TRAIN}, "val": {"color": VALIDATION}, "guess": {"color": DIM, "linestyle": ":"},
}  # fmt: skip


def draw_curves(folder: str, files: FileStore) -> None:
    """Draw the log of a run to `curves.png` in its folder: a panel for each figure that it has."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = read_log(folder, files)
    there = [panel for panel in PANELS if any(_points(lines, phase, panel.figure)[0] for phase in panel.phases)]
    columns = min(COLUMNS, max(1, len(there)))
    rows = max(1, -(-len(there) // columns))
    with style.context(SETTINGS, after_reset=True):  # whatever the user's own settings are
        figure = Figure(figsize=(4.7 * columns + 0.2, 3.5 * rows + 0.5), dpi=DPI, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)  # whose stubs leave its methods untyped
        if there:
            axes = figure.subplots(rows, columns, squeeze=False)
            handles: dict[str, Any] = {}
            for axis, panel in zip(axes.flat, there, strict=False):
                handles |= _draw_panel(axis, panel, lines)
            for axis in axes.flat[len(there) :]:
                axis.set_visible(False)
            # Below all panels: a key within one would lie on its curves.
            figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=min(5, len(handles)))
        else:
            figure.text(0.5, 0.5, "nothing logged yet", ha="center", va="center", color=DIM)
        with files.create(files.join(folder, CURVES)) as stream:
            canvas.print_png(stream)


def _draw_panel(axis: Any, panel: Panel, lines: Sequence[Line]) -> dict[str, Any]:
    """Draw a panel; return what its curves are called, with one of each."""
    handles: dict[str, Any] = {}
    drawn: list[float] = []

    def draw(phase: str, name: str, label: str, **stroke: Any) -> list[float]:
        steps, values = _points(lines, phase, name)
        if steps:
            marker = "o" if len(steps) == 1 else None
            handles[label] = axis.plot(steps, values, marker=marker, markersize=4, **stroke)[0]
            drawn.extend(values)
        return values

    labels = []
    for phase in panel.phases:
        values = draw(phase, panel.figure, NAMES[phase], **STROKES[phase])
        labels += [(f"{NAMES[phase]} {values[-1]:.3g}", STROKES[phase]["color"])] if values else []
    draw("val", f"{panel.figure}_guess", NAMES["guess"], **STROKES["guess"])
    for n, source in enumerate(_sources(lines)):
        colour = SOURCE_COLOURS[n % len(SOURCE_COLOURS)]
        draw("val", f"{source}/{panel.figure}", _label(source), color=colour, linestyle="--", linewidth=1.1)
    best = best_step(lines)
    if best is not None:
        line = axis.axvline(best.step, color=TEXT, linewidth=0.9, linestyle=(0, (1, 2)), zorder=0)
        handles["the network that is kept"] = line
    _dress(axis, panel, drawn, labels)
    return handles


def _dress(axis: Any, panel: Panel, drawn: Sequence[float], labels: Sequence[tuple[str, str]]) -> None:
    """Set title, scale and the last values, which stand above the panel, where no curve can lie below them."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_title(panel.title, loc="left", pad=8 + LABEL_PT * len(labels))
    for n, (label, colour) in enumerate(labels):
        up = LABEL_PT * (len(labels) - 1 - n) + 5
        axis.annotate(label, (0, 1), (0, up), "axes fraction", "offset points", color=colour, size=9)
    axis.set_xlabel("step")
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if panel.is_share and min(drawn) >= 0 and max(drawn) <= 1:
        axis.set_ylim(0, min(1.0, max(1.08 * max(drawn), 0.05)))
    elif panel.figure == "loss" and min(drawn) > 0 and max(drawn) / min(drawn) > DECADE:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if _is_round(value) else ""))


def _is_round(value: float) -> bool:
    """Tell whether a number is 2 or 5 times a power of ten: of those between powers, the ones that are named."""
    return value > 0 and round(value / 10.0 ** math.floor(math.log10(value))) in (2, 5)


def _sources(lines: Sequence[Line]) -> list[str]:
    """Return the first sources of validation whose figures a log has."""
    names = {name.rpartition("/")[0]: None for line in lines if line["phase"] == "val" for name in line if "/" in name}
    return list(names)[:MOST_SOURCES]


def _label(source: str) -> str:
    """Return a name as matplotlib can write it: it lacks letters, and hides _names."""
    plain = printable(source).encode("latin-1", "backslashreplace").decode("latin-1")
    return plain[-40:].lstrip("_")


def _points(lines: Sequence[Line], phase: str, name: str) -> tuple[list[int], list[float]]:
    found = [(line["step"], line[name]) for line in lines if line["phase"] == phase and _is_figure(line.get(name))]
    return [step for step, _ in found], [value for _, value in found]


def _is_figure(value: Any) -> bool:
    """Tell whether a value can be drawn; a log may have been edited."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST
