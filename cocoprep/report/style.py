"""How charts look, and how they become PNG: matplotlib without its global state of figures."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from cocoprep.pose.joint_names import Side
from cocoprep.report.content import Chart

DPI = 150
COLOURS = 256  # of a chart's file, shades of its letters included

BACKGROUND, TEXT, DIM, GRID = "#ffffff", "#1b1e24", "#5d6470", "#dfe2e7"
# Those of `cocoprep.draw.palette`, darker, so that a thin line reads on white.
LINE_COLOURS: dict[Side, str] = {"left": "#d96a00", "right": "#1679c4", "centre": "#4f8f1d"}
# The high-contrast scheme of Paul Tol, told apart by every kind of sight and in grey; what is right recedes.
KIND_COLOURS = {
    "good": "#cfd4db",
    "jitter": "#ddaa33",
    "inversion": "#bb5566",
    "swap": "#004488",
    "miss": "#24272d",
    "undetected": BACKGROUND,  # hatched
}
_SETTINGS: dict[str, Any] = {
    "figure.facecolor": BACKGROUND, "axes.facecolor": BACKGROUND, "text.color": TEXT, "text.parse_math": False,
    "axes.labelcolor": DIM, "axes.titlecolor": TEXT, "axes.edgecolor": DIM, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.8,
    "xtick.color": DIM, "ytick.color": DIM, "xtick.labelcolor": TEXT, "ytick.labelcolor": TEXT,
    "font.size": 10, "axes.titlesize": 10.5, "axes.labelsize": 10, "xtick.labelsize": 9.5, "ytick.labelsize": 9.5,
    "legend.fontsize": 9.5, "legend.frameon": False, "lines.linewidth": 1.8, "hatch.linewidth": 0.8,
}  # fmt: skip


def draw_chart(paint: Callable[[Figure], None], size_in: tuple[float, float]) -> Chart:
    """Return a chart.

    Args:
        paint: paints it on an empty figure.
        size_in: width and height in inches; 100 CSS pixels an inch on the page.
    """
    # From matplotlib's defaults, whatever the user's own settings are: the same figures give the same bytes.
    with style.context(_SETTINGS, after_reset=True):
        figure = Figure(figsize=size_in, dpi=DPI, layout=ConstrainedLayoutEngine(wspace=0.04))
        canvas: Any = FigureCanvasAgg(figure)  # whose stubs leave its methods untyped
        paint(figure)
        canvas.draw()
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    stream = io.BytesIO()
    # A chart has few colours: with a palette it takes a third of the bytes. Median cut would lose the colour of a thin
    # line. Pillow writes no version into the file.
    image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return Chart(stream.getvalue(), (round(100 * size_in[0]), round(100 * size_in[1])))


def bare(axes: Axes) -> None:
    """Take away the frame and ticks that bars do not need."""
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(visible=False, axis="y")
