"""The tables that `cocoprep stats` prints: data sets side by side, and what shifted between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.say import say, say_note
from cocoprep.coco.official import FEW_LABELS, FEW_OF_BOTH, SEVERAL_OF_BOTH, KnownPeople
from cocoprep.inspection.crop_figures import SCALES
from cocoprep.inspection.effects import FEWEST
from cocoprep.inspection.shifts import Shift, largest_of_groups
from cocoprep.inspection.spread import QUANTILES, Spread
from cocoprep.inspection.statistics import Statistics
from cocoprep.inspection.unlabelled import WHYS

MOST_SHIFTS = 12
NONE = "-"
_PAIR = 2
_LEAST_SHOWN, _SHORT = 0.1, 10  # per cent: of less than the second, a digit behind the point
_Row = tuple[str, Callable[[Statistics], str]]


def print_statistics(data_sets: Sequence[Statistics], shifts: Sequence[Shift]) -> None:
    """Print data sets side by side, and below what shifted between them."""
    for one in data_sets:
        for note in one.notes:
            say_note(note if len(data_sets) == 1 else f"{one.name}: {note}")
    table = Table(show_header=len(data_sets) > 1)
    table.add_column("", no_wrap=True)
    for one in data_sets:
        table.add_column(one.name, overflow="fold")
    for group in figure_groups(data_sets):
        for name, *values in group:
            table.add_row(name, *values)
        table.add_section()
    PlainConsole().print(table)
    if len(data_sets) > 1:
        _print_shifts(shifts, [one.name for one in data_sets])


def figure_groups(data_sets: Sequence[Statistics]) -> list[list[tuple[str, ...]]]:
    """Return the figures in groups: a name, which is indented below another, and the value of each data set."""
    groups = (_photographs(data_sets), _annotations(data_sets), _labels(data_sets), _BOXES, _crops(data_sets))
    return [[(name, *(value(one) for one in data_sets)) for name, value in rows] for rows in groups]


def _photographs(data_sets: Sequence[Statistics]) -> list[_Row]:
    return [
        ("photographs", lambda one: _number(one.images.listed)),
        ("  with annotations", lambda one: _part(one.crowding.with_people, one.images.listed)),
        *_whole(data_sets, lambda known: _number(known.images)),
        ("  with several, of those", lambda one: _part(one.crowding.with_several, one.crowding.with_people)),
        *_whole(data_sets, lambda known: f"{SEVERAL_OF_BOTH:.1%}", "train and val together"),
        ("  annotations on each: mean, most", _annotations_on_each),
        ("  median width x height", _median_size),
    ]


def _annotations(data_sets: Sequence[Statistics]) -> list[_Row]:
    built: list[_Row] = [("  kept in the folder", lambda one: NONE if one.kept is None else _number(one.kept))]
    return [
        ("annotations", lambda one: _number(one.labels.annotations)),
        *_whole(data_sets, lambda known: _number(known.annotations)),
        *_left_out(data_sets),
        ("  crowds", lambda one: _part(one.labels.crowds, one.labels.annotations)),
        ("  no joint labelled", lambda one: _part(one.labels.unlabelled, one.labels.annotations)),
        *_whole(data_sets, lambda known: _part(known.annotations - known.labelled, known.annotations)),
        ("    crowd / small / cut / overlapped, %", _whys),
        (
            f"  {FEW_LABELS} joints or fewer labelled",
            lambda one: _part(int(one.labels.by_labelled[: FEW_LABELS + 1].sum()), one.labels.annotations),
        ),
        *_whole(data_sets, lambda known: f"{FEW_OF_BOTH:.1%}", "train and val together"),
        *(built if any(one.kept is not None for one in data_sets) else []),
    ]


def _whole(data_sets: Sequence[Statistics], value: Callable[[KnownPeople], str], of: str = "whole file") -> list[_Row]:
    """Return a row of what COCO's own file has, where a data set is called as one of them."""
    if not any(one.known for one in data_sets):
        return []
    return [(f"    COCO's {of}", lambda one: value(one.known) if one.known else NONE)]


def _left_out(data_sets: Sequence[Statistics]) -> list[_Row]:
    """Return what else the file has, as far as any of the files has it."""
    rows: list[_Row] = [
        ("  besides: of other categories", lambda one: _number(one.entries.other_categories)),
        ("  besides: malformed", lambda one: _number(one.entries.malformed)),
        ("  besides: there twice", lambda one: _number(one.entries.twice)),
    ]
    return [row for row in rows if any(row[1](one) != "0" for one in data_sets)]


def _labels(data_sets: Sequence[Statistics]) -> list[_Row]:
    most = max(len(one.table) for one in data_sets)
    least = sorted({1, *(k for k in (5, 10) if k < most), most})
    kept = " / ".join(map(str, least))
    return [
        ("joints", lambda one: f"{len(one.table)}, {one.table.name}"),
        ("  labelled, if any: mean", _mean_labelled),
        ("  visible / hidden / not labelled, %", lambda one: _shares(one.labels.joints[::-1].tolist())),
        ("  labelled most often", lambda one: _extreme(one, most=True)),
        ("  labelled least often", lambda one: _extreme(one, most=False)),
        (f"kept by --min-keypoints {kept}", lambda one: " / ".join(_kept(one, k) for k in least)),
    ]


_BOXES: list[_Row] = [
    ("small / medium / large by area, %", lambda one: _shares(one.boxes.sizes.tolist())),
    ("  without labels, % of each", lambda one: _each(one.boxes.unlabelled.tolist(), one.boxes.sizes.tolist())),
    ("width by height: 5% / 50% / 95%", lambda one: _middle(one.boxes.aspect)),
    ("at the photograph's edge", lambda one: _part(one.boxes.cut, one.boxes.sized)),
    (
        "overlap over 0.1 / 0.3 / 0.5, %",
        lambda one: _each(one.crowding.over.tolist(), [one.crowding.overlap.count] * 3),
    ),
]


def _crops(data_sets: Sequence[Statistics]) -> list[_Row]:
    del data_sets
    shown = [SCALES.index(scale) for scale in (1.0, 1.25, 1.5)]
    return [
        ("joints outside of their box", lambda one: _part(one.crops.outside_box, int(one.crops.joints.sum()))),
        (
            "  of crops at 1.0 / 1.25 / 1.5 of it, %",
            lambda one: _each(one.crops.outside_crop[shown].tolist(), [int(one.crops.joints.sum())] * 3),
        ),
    ]


def say_known(data_sets: Sequence[Statistics]) -> None:
    """Say of a file that is called as one of COCO's whether it is whole."""
    for one in data_sets:
        known, labels = one.known, one.labels
        if known is None:
            continue
        found = KnownPeople(one.crowding.with_people, labels.annotations, labels.annotations - labels.unlabelled)
        if found == known:
            say(f"{one.name}: all that COCO's {one.file_name} has.")
        else:
            say_note(
                f"{one.name}: called as COCO's {one.file_name}, with {_number(labels.annotations)} of its "
                f"{_number(known.annotations)} annotations. If it should be whole, fetch it again: cocoprep download."
            )


def _annotations_on_each(one: Statistics) -> str:
    if not one.crowding.with_people:
        return NONE
    return f"{one.labels.annotations / one.crowding.with_people:.2f}, {len(one.crowding.by_count) - 1}"


def _median_size(one: Statistics) -> str:
    if not one.images.sized:
        return "not known"
    return f"{one.images.width.median:.0f} x {one.images.height.median:.0f}"


def _whys(one: Statistics) -> str:
    return _each([one.unlabelled[why] for why in WHYS[:-1]], [one.labels.unlabelled] * (len(WHYS) - 1))


def _mean_labelled(one: Statistics) -> str:
    by_labelled = one.labels.by_labelled[1:]
    if not by_labelled.sum():
        return NONE
    joints = sum(k * many for k, many in enumerate(by_labelled.tolist(), start=1))
    return f"{joints / by_labelled.sum():.1f}"


def _extreme(one: Statistics, *, most: bool) -> str:
    if not one.labels.people:
        return NONE
    looked_for = one.labels.looked_for
    chosen = looked_for.nonzero()[0]
    shares = 1 - one.labels.visibility[chosen, 0] / looked_for[chosen]
    n = int(shares.argmax() if most else shares.argmin())
    return f"{one.table.names[chosen[n]]} {shares[n]:.0%}"


def _kept(one: Statistics, least: int) -> str:
    return _number(int(one.labels.kept[least - 1, 0])) if least <= len(one.table) else NONE


def _middle(spread: Spread) -> str:
    if not spread.count:
        return NONE
    return "/".join(f"{2.0 ** spread.quantiles[QUANTILES.index(q)]:.2f}" for q in (0.05, 0.5, 0.95))


def _number(number: int) -> str:
    return f"{number:,}"


def _part(part: int, whole: int) -> str:
    if not whole:
        return NONE
    share = "100" if part == whole else _first_digit(100 * part / whole)
    return f"{part:,} ({share}%)" if part else "0"


def _first_digit(share: float) -> str:
    """Return a share in per cent with a digit behind the point: never one that is 0 to who reads it, and is not."""
    return f"<{_LEAST_SHOWN}" if share < _LEAST_SHOWN else f"{share:.1f}"


def _shares(parts: Sequence[int]) -> str:
    return _each(parts, [sum(parts)] * len(parts))


def _each(parts: Sequence[int], wholes: Sequence[int]) -> str:
    shares = [100 * part / whole if whole else None for part, whole in zip(parts, wholes, strict=True)]
    return NONE if not any(wholes) else "/".join(map(_brief, shares))


def _brief(share: float | None) -> str:
    if share is None:
        return NONE
    return _first_digit(share) if 0 < share < _SHORT else f"{share:.0f}"


def _print_shifts(shifts: Sequence[Shift], names: Sequence[str]) -> None:
    """Print the figures that differ most from the first data set's, of each kind the one that does."""
    chosen = [shift for shift in largest_of_groups(shifts) if shift.largest and not shift.largest.may_be_chance]
    if not chosen:
        say(f"Nothing shifted by more than it may by chance; of fewer than {FEWEST}, whatever differs may be chance.")
        return
    shown = min(len(chosen), MOST_SHIFTS)
    table = Table(
        title=f"what shifted from {names[0]}, the largest first", title_justify="left", caption_justify="left",
        caption=f"{shown} of {len(chosen)} kinds of figures that differ by more than chance. h, d: Cohen's effects of "
        "shares and of means; small from 0.2, medium from 0.5, large from 0.8 up; below 0: less than the first."
        + (" *: farthest from the first." if len(names) > _PAIR else ""),
    )  # fmt: skip
    table.add_column("", no_wrap=True)
    for name in names:
        table.add_column(name, overflow="fold")
    table.add_column("effect", no_wrap=True)
    for shift in chosen[:shown]:
        largest = shift.largest
        assert largest is not None
        table.add_row(shift.name, *_marked(shift), f"{largest.words}, {largest.measure} {largest.size:+.2f}")
    PlainConsole().print(table)


def _marked(shift: Shift) -> tuple[str, ...]:
    """Return the values; of several data sets, the one that is farthest from the first's has a star."""
    far = 1 + shift.effects.index(shift.largest)
    several = len(shift.effects) > 1
    return tuple(f"{value} *" if several and n == far else value for n, value in enumerate(shift.shown))
