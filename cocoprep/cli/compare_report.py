"""What `cocoprep compare` prints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rich.console import Console

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.figure_table import NONE, print_table, share
from cocoprep.evaluation.average_precision import OKS_FIGURES
from cocoprep.evaluation.bootstrap import LEAST_PHOTOGRAPHS, LEVEL, Interval
from cocoprep.evaluation.compare import NOT_DISTINGUISHABLE, TOO_FEW, UNKNOWN, Compared, verdict
from cocoprep.evaluation.drawn_figures import JOINT, SIZE

_JOINTS = 18  # that a screen has room for


def print_compared(compared: Compared, *, console: Console | None = None) -> None:
    """Print figures side by side, each difference with its interval, and what that says."""
    console = console or PlainConsole()
    truth = compared.truth
    people, images = int(truth.counts.sum()), len(truth.images)
    console.print(
        f"{truth.table.noun.count(people)} on {images} images of {truth.path}; all are held against {compared.first}. "
        f"Intervals are of {LEVEL:.0%}, from {compared.draws} draws of photographs, seed {compared.seed}."
    )
    names = list(compared.figures[compared.first])
    joints = [name for name in names if name.startswith(JOINT)]
    sizes = [name for name in names if name.startswith(SIZE)]
    pck = [name for name in names if name not in (*OKS_FIGURES, *joints, *sizes)]
    shown = _most_different(compared, joints)
    for title, some in (("OKS", list(OKS_FIGURES)), ("PCK by box", [*pck, *sizes])):
        _print_figures(compared, title, some, verdict, console)
    _print_figures(compared, "AUC by box", shown, _told, console)
    console.print(f"Joints of which nothing is said are {NOT_DISTINGUISHABLE}.")
    if len(shown) < len(joints):
        console.print(f"Of {len(joints)} joints, these {len(shown)} differ most; --json has all.")
    console.print()
    for other in compared.differences:
        _print_sentence(compared, other, console)


def _most_different(compared: Compared, joints: Sequence[str]) -> list[str]:
    if len(joints) <= _JOINTS:
        return list(joints)

    def most(name: str) -> float:
        found = [abs(one[name].value) for one in compared.differences.values()]
        return max((value for value in found if not math.isnan(value)), default=-1.0)  # of no label

    chosen = set(sorted(joints, key=most, reverse=True)[:_JOINTS])
    return [name for name in joints if name in chosen]


def _told(one: Interval) -> str:
    """Return what a difference says, if it says something: a column of joints is to fit the screen."""
    said = verdict(one)
    return "" if said == NOT_DISTINGUISHABLE else said


def _print_figures(
    compared: Compared, title: str, names: Sequence[str], says: Callable[[Interval], str], console: Console
) -> None:
    columns = {side: [share(figures[name].value) for name in names] for side, figures in compared.figures.items()}
    for other, differences in compared.differences.items():
        behind = "" if len(compared.differences) == 1 else f" of {other}"
        columns[f"difference{behind}"] = [_signed(differences[name]) for name in names]
        columns[f"interval{behind}"] = [_ends(differences[name]) for name in names]
        columns[f"says{behind}"] = [says(differences[name]) for name in names]
    print_table(title, [name.removeprefix(JOINT) for name in names], columns, console)


def _signed(one: Interval) -> str:
    return NONE if math.isnan(one.value) else f"{one.value:+.4f}"


def _ends(one: Interval) -> str:
    return NONE if math.isnan(one.low) else f"{one.low:+.4f} to {one.high:+.4f}"


def _print_sentence(compared: Compared, other: str, console: Console) -> None:
    one = compared.differences[other]["AP"]
    if verdict(one) == TOO_FEW:
        console.print(
            f"OKS AP of {other} minus that of {compared.first}: {_signed(one)}. People are on fewer than "
            f"{LEAST_PHOTOGRAPHS} photographs, too few to say whether that is chance."
        )
        return
    than = {NOT_DISTINGUISHABLE: "from", UNKNOWN: "of"}.get(verdict(one), "than")
    console.print(
        f"OKS AP of {other} is {verdict(one)} {than} that of {compared.first}: {_signed(one)}, interval {_ends(one)}."
    )
