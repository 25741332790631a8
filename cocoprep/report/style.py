"""How charts look, by day and by night, and how they become PNG: matplotlib without its global state of figures."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from cocoprep.keypoints import Side

DPI = 150
COLOURS = 128  # of a chart's file, shades of its letters included


@dataclass(frozen=True)
class Theme:
    """Colours of a chart.

    Sides are those of `cocoprep.draw.palette`, darker on white so that a thin line reads. Kinds of errors are the
    high-contrast scheme of Paul Tol, told apart by every kind of sight and in grey: what is right recedes.
    """

    background: str
    text: str
    dim: str
    grid: str
    sides: dict[Side, str]
    kinds: dict[str, str] = field(default_factory=dict)
    hatched: str = ""


LIGHT = Theme(
    background="#ffffff", text="#1b1e24", dim="#5d6470", grid="#dfe2e7",
    sides={"left": "#d96a00", "right": "#1679c4", "centre": "#4f8f1d"},
    kinds={
        "good": "#cfd4db", "jitter": "#ddaa33", "inversion": "#bb5566", "swap": "#004488", "miss": "#24272d",
        "undetected": "#ffffff",
    },
    hatched="#5d6470",
)  # fmt: skip
DARK = Theme(
    background="#1d2026", text="#eef0f4", dim="#a4aab5", grid="#373b44",
    sides={"left": "#ff9130", "right": "#40b2ff", "centre": "#a8e660"},
    kinds={
        "good": "#4b515c", "jitter": "#ddaa33", "inversion": "#e0788a", "swap": "#5b9be0", "miss": "#f2f3f6",
        "undetected": "#1d2026",
    },
    hatched="#a4aab5",
)  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """A chart by day and by night as PNG, and its size in CSS pixels (width, height)."""

    light: bytes
    dark: bytes
    size: tuple[int, int]


def draw_chart(paint: Callable[[Figure, Theme], None], size_in: tuple[float, float]) -> Chart:
    """Return a chart.

    Args:
        paint: paints it on an empty figure.
        size_in: width and height in inches; 100 CSS pixels an inch on the page.
    """
    light, dark = (_png(paint, size_in, theme) for theme in (LIGHT, DARK))
    return Chart(light, dark, (round(100 * size_in[0]), round(100 * size_in[1])))


def _png(paint: Callable[[Figure, Theme], None], size_in: tuple[float, float], theme: Theme) -> bytes:
    # From matplotlib's defaults, whatever the user's own settings are: the same figures give the same bytes.
    with style.context(_settings(theme), after_reset=True):
        figure = Figure(figsize=size_in, dpi=DPI, layout=ConstrainedLayoutEngine(wspace=0.04))
        canvas = FigureCanvasAgg(figure)
        paint(figure, theme)
        canvas.draw()
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    stream = io.BytesIO()
    # A chart has few colours: with a palette it takes a third of the bytes. Pillow writes no version into the file.
    image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _settings(theme: Theme) -> dict[str, Any]:
    return {
        "figure.facecolor": theme.background, "axes.facecolor": theme.background, "savefig.facecolor": theme.background,
        "text.color": theme.text, "axes.labelcolor": theme.dim, "axes.titlecolor": theme.text,
        "xtick.color": theme.dim, "ytick.color": theme.dim, "xtick.labelcolor": theme.text,
        "ytick.labelcolor": theme.text, "axes.edgecolor": theme.dim, "grid.color": theme.grid, "grid.linewidth": 0.8,
        "axes.grid": True, "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
        "font.size": 10, "axes.titlesize": 10.5, "axes.labelsize": 10, "xtick.labelsize": 9.5, "ytick.labelsize": 9.5,
        "legend.fontsize": 9.5, "legend.frameon": False, "legend.labelcolor": theme.text, "lines.linewidth": 1.8,
        "hatch.linewidth": 0.8, "text.parse_math": False,
    }  # fmt: skip


def bare(axes: Axes) -> None:
    """Take away the frame and ticks that bars do not need."""
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(visible=False, axis="y")
