"""The curves of a run as one picture, for where no TensorBoard is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cocoprep.checks import printable
from cocoprep.model.run.log import read_log
from cocoprep.storage.store import FileStore

CURVES = "curves.png"
LARGEST = 1e30  # beyond it, an axis overflows
MOST_SOURCES = 8  # drawn
Line = dict[str, Any]
# title of a panel -> (phase, figure, label) of each curve
PANELS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "loss": (("train", "loss", "train"), ("val", "loss", "validation")),
    "skill: the share of the guess's loss done without": (("train", "skill", "train"), ("val", "skill", "validation")),
    "PCK@0.2 (dotted: the mean guess)": (
        ("train", "pck@0.2", "train"), ("val", "pck@0.2", "validation"), ("val", "pck@0.2_guess", "guess"),
    ),
    "PCK@0.1 (dotted: the mean guess)": (
        ("train", "pck@0.1", "train"), ("val", "pck@0.1", "validation"), ("val", "pck@0.1_guess", "guess"),
    ),
    "left and right swapped": (("train", "swapped", "train"), ("val", "swapped", "validation")),
    "OKS AP": (("val", "AP", "validation"),),
}  # fmt: skip


def draw_curves(folder: str, files: FileStore) -> None:
    """Draw the log of a run to `curves.png` in its folder."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    lines = read_log(folder, files)
    sources = _sources(lines)
    figure, axes = plt.subplots(2, 3, figsize=(14, 7), layout="constrained")
    for axis, (title, curves) in zip(axes.flat, PANELS.items(), strict=True):
        for phase, name, label in curves:
            style = ":" if name.endswith("_guess") else "-"
            axis.plot(*_points(lines, phase, name), style, label=label)
            for source in sources if phase == "val" and style == "-" else ():
                points = _points(lines, phase, f"{source}/{name}")
                axis.plot(*points, "--", linewidth=1, label=_label(source) if points[0] else None)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
        if title == "loss":
            axis.set_yscale("log")
    with files.create(files.join(folder, CURVES)) as stream:
        figure.savefig(stream, format="png", dpi=90)
    plt.close(figure)


def _sources(lines: Sequence[Line]) -> list[str]:
    """Return the first sources of validation whose figures a log has."""
    names = {name.rpartition("/")[0]: None for line in lines if line["phase"] == "val" for name in line if "/" in name}
    return list(names)[:MOST_SOURCES]


def _label(source: str) -> str:
    """Return a name as matplotlib can write it: it lacks letters, takes $ for mathematics, and hides _names."""
    plain = printable(source).encode("latin-1", "backslashreplace").decode("latin-1")
    return plain[-40:].replace("$", r"\$").lstrip("_")


def _points(lines: Sequence[Line], phase: str, name: str) -> tuple[list[int], list[float]]:
    found = [(line["step"], line[name]) for line in lines if line["phase"] == phase and _is_figure(line.get(name))]
    return [step for step, _ in found], [value for _, value in found]


def _is_figure(value: Any) -> bool:
    """Tell whether a value can be drawn; a log may have been edited."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST
