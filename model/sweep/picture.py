"""A sweep as one picture: what its trials came to, how they learned, and which settings matter."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from cocoprep.model.run.curves import DIM, DPI, SETTINGS, TEXT, TRAIN, VALIDATION
from cocoprep.model.sweep.config import SweepConfig
from cocoprep.model.sweep.space import Parameter, Range
from cocoprep.model.sweep.trials import State, Trial, best_of

COLUMNS, MOST_SETTINGS = 3, 9
MOST_CURVES = 200
ROOM = 0.04  # beside a range, of its length
PCK = "PCK@0.2"
MARKS = {State.COMPLETE: (TRAIN, "o"), State.PRUNED: (DIM, "x")}
Panel = Callable[[Any], None]


def draw_sweep(trials: Sequence[Trial], config: SweepConfig, importance: Mapping[str, float]) -> bytes:
    """Return a PNG: values by trial, epochs, importance where it is known, and value by each setting."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels: list[Panel] = [partial(_draw_history, trials=trials), partial(_draw_epochs, trials=trials)]
    if importance:
        panels.append(partial(_draw_importance, importance=importance))
    ranked = sorted(config.space, key=lambda name: -importance.get(name, 0.0))  # a stable sort: by name without one
    panels += [partial(_draw_setting, trials=trials, name=name, one=config.space[name]) for name in ranked]
    panels = panels[: MOST_SETTINGS + 3]
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    with style.context(SETTINGS, after_reset=True):  # whatever the user's own settings are
        figure = Figure(figsize=(4.7 * columns + 0.2, 3.4 * rows + 0.5), dpi=DPI, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)  # whose stubs leave its methods untyped
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis, panel in zip(axes.flat, panels, strict=False):
            panel(axis)
        for axis in axes.flat[len(panels) :]:
            axis.set_visible(False)
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))  # within, it would lie on points
        stream = io.BytesIO()
        canvas.print_png(stream)
    return stream.getvalue()


def _whole_numbers(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _draw_history(axis: Any, *, trials: Sequence[Trial]) -> None:
    for state, (colour, marker) in MARKS.items():
        ours = [one for one in trials if one.state is state and one.best_so_far is not None]
        values = [one.best_so_far for one in ours]
        axis.plot([one.number for one in ours], values, marker, color=colour, markersize=5, label=state.value)
    failed = [trial.number for trial in trials if trial.state is State.FAILED]
    if failed:
        axis.plot(failed, [0] * len(failed), "|", color=TEXT, markersize=9, label="failed")
    done = {trial.number: trial.value for trial in trials if trial.value is not None}
    steps, values = list(done), [max(list(done.values())[: n + 1]) for n in range(len(done))]
    if steps:  # what is best stays so to the last trial
        steps, values = [*steps, trials[-1].number], [*values, values[-1]]
    axis.step(steps, values, where="post", color=VALIDATION, label="the best so far")
    axis.set_title(f"{PCK} of the network that is kept", loc="left")
    axis.set_xlabel("trial")
    _whole_numbers(axis)


def _draw_epochs(axis: Any, *, trials: Sequence[Trial]) -> None:
    best = best_of(list(trials))
    for trial in trials[-MOST_CURVES:]:
        if trial.epochs:
            is_best = best is not None and trial.number == best.number
            colour = VALIDATION if is_best else TRAIN if trial.state is State.COMPLETE else DIM
            axis.plot(
                list(trial.epochs), list(trial.epochs.values()), color=colour, alpha=1 if is_best else 0.6,
                linewidth=2.2 if is_best else 0.9, zorder=3 if is_best else 2, markevery=[-1],
                marker="x" if trial.state is State.PRUNED else None,
            )  # fmt: skip
    axis.set_title(f"{PCK} on validation", loc="left")
    axis.set_xlabel("epoch")
    _whole_numbers(axis)


def _draw_importance(axis: Any, *, importance: Mapping[str, float]) -> None:
    names = sorted(importance, key=lambda name: importance[name])[-MOST_SETTINGS:]
    axis.barh(names, [importance[name] for name in names], color=TRAIN)
    axis.set_title("importance (PED-ANOVA), together 1", loc="left")
    axis.grid(visible=False, axis="y")
    axis.set_xlim(left=0)


def _draw_setting(axis: Any, *, trials: Sequence[Trial], name: str, one: Parameter) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    places = {} if isinstance(one, Range) else {value: n for n, value in enumerate(one.values)}
    for state, (colour, marker) in MARKS.items():
        ours = [t for t in trials if t.state is state and t.best_so_far is not None and name in t.params]
        across = [t.params[name] if isinstance(one, Range) else places[t.params[name]] for t in ours]
        axis.plot(across, [t.best_so_far for t in ours], marker, color=colour, markersize=5)
    if isinstance(one, Range):
        if one.log:
            axis.set_xscale("log")
            axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlim(*_padded(one))
    else:
        axis.set_xticks(list(places.values()), [str(value) for value in places])
        axis.set_xlim(-0.5, len(places) - 0.5)
    axis.set_title(name, loc="left")


def _padded(one: Range) -> tuple[float, float]:
    """Return the ends of a range with some room beyond them, for points that lie there."""
    if one.log:
        beyond = (one.high / one.low) ** ROOM
        return one.low / beyond, one.high * beyond
    beyond = (one.high - one.low) * ROOM
    return one.low - beyond, one.high + beyond
