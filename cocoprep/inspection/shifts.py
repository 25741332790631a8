"""What shifted between data sets: the figures that differ, those that differ most first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cocoprep.inspection.box_figures import SIZES
from cocoprep.inspection.crop_figures import SCALES
from cocoprep.inspection.crowding import OVERLAPS
from cocoprep.inspection.data_set import Ints
from cocoprep.inspection.effects import Effect, cohen_d, cohen_h, js_distance
from cocoprep.inspection.spread import Spread, spread_of_counts
from cocoprep.inspection.statistics import Statistics

SHOWN_OVERLAP, SHOWN_SCALE = OVERLAPS.index(0.1), SCALES.index(1.25)


@dataclass(frozen=True)
class Figure:
    """One figure of a data set, of a form that can be compared.

    Attributes:
        name: what it is, in words.
        group: of figures of one kind, such as those of each joint; the name, where it stands alone.
        value: a share or a mean.
        count: of what it is the share or the mean.
        deviation: the standard deviation of a mean; None of a share.
        shown: the value in words.
        bins: how what it is the mean of is distributed, over bins that are the same for all data sets; or None.
    """

    name: str
    group: str
    value: float
    count: int
    deviation: float | None
    shown: str
    bins: Ints | None = None


@dataclass(frozen=True)
class Shift:
    """One figure of several data sets.

    Attributes:
        name: what it is.
        group: as of `Figure`.
        shown: (D,) the value in each data set, in words.
        effects: (D - 1,) how far each but the first is from the first; None where that cannot be said.
        distances: (D - 1,) Jensen-Shannon distances of the distributions; None where there are none.
    """

    name: str
    group: str
    shown: tuple[str, ...]
    effects: tuple[Effect | None, ...]
    distances: tuple[float | None, ...]

    @property
    def largest(self) -> Effect | None:
        """Return the largest effect, one that may be chance only where all may."""
        found = [effect for effect in self.effects if effect is not None]
        return max(found, key=lambda effect: (not effect.may_be_chance, abs(effect.size)), default=None)


def find_shifts(data_sets: Sequence[Statistics]) -> list[Shift]:
    """Compare every figure of data sets with that of the first; the largest effects first, those by chance last."""
    figures = [{one.name: one for one in _figures(statistics)} for statistics in data_sets]
    names = [name for name in figures[0] if all(name in others for others in figures)]
    found = [_compare([one[name] for one in figures], compared=len(names)) for name in names]
    return sorted((shift for shift in found if shift.largest is not None), key=_rank)


def largest_of_groups(shifts: Sequence[Shift]) -> list[Shift]:
    """Return the first of each group of ranked shifts."""
    first: dict[str, Shift] = {}
    for shift in shifts:
        first.setdefault(shift.group, shift)
    return list(first.values())


def _rank(shift: Shift) -> tuple[bool, float]:
    effect = shift.largest
    assert effect is not None
    return effect.may_be_chance, -abs(effect.size)


def _compare(figures: Sequence[Figure], *, compared: int) -> Shift:
    first, others = figures[0], figures[1:]
    return Shift(
        name=first.name,
        group=first.group,
        shown=tuple(one.shown for one in figures),
        effects=tuple(_effect(first, one, compared) for one in others),
        distances=tuple(_distance(first.bins, one.bins) for one in others),
    )


def _effect(first: Figure, second: Figure, compared: int) -> Effect | None:
    if first.deviation is None or second.deviation is None:
        found = cohen_h(first.value, first.count, second.value, second.count)
    else:
        found = cohen_d((first.value, first.deviation, first.count), (second.value, second.deviation, second.count))
    return found and replace(found, compared=compared)


def _distance(first: Ints | None, second: Ints | None) -> float | None:
    if first is None or second is None:
        return None
    most = max(len(first), len(second))
    return js_distance(np.pad(first, (0, most - len(first))), np.pad(second, (0, most - len(second))))


def _figures(statistics: Statistics) -> Iterator[Figure]:
    yield from _of_photographs(statistics)
    yield from _of_labels(statistics)
    yield from _of_boxes(statistics)
    yield from _of_joints(statistics)


def _of_photographs(statistics: Statistics) -> Iterator[Figure]:
    images, crowding = statistics.images, statistics.crowding
    yield _share("photographs with annotations", crowding.with_people, images.listed)
    yield _share("photographs with several", crowding.with_several, crowding.with_people)
    by_count = crowding.by_count.copy()
    by_count[:1] = 0
    yield _mean("annotations a photograph", spread_of_counts(by_count), "{:.2f}", by_count)
    yield _logarithm("size of photographs", images.side, "{:.0f} px")
    yield _mean("largest overlap with another", crowding.overlap, "{:.3f} IoU")
    over, least = int(crowding.over[SHOWN_OVERLAP]), OVERLAPS[SHOWN_OVERLAP]
    yield _share(f"overlap by more than {least:g}", over, crowding.overlap.count)


def _of_labels(statistics: Statistics) -> Iterator[Figure]:
    labels = statistics.labels
    joints = labels.looked_for.sum() / labels.people if labels.people else len(statistics.table)
    yield _share("no joint labelled", labels.unlabelled, labels.annotations)
    yield _share("crowds", labels.crowds, labels.annotations)
    _, hidden, visible = labels.joints.tolist()
    yield _share("hidden of the labelled joints", hidden, hidden + visible)
    by_labelled = labels.by_labelled.copy()
    by_labelled[0] = 0
    some = spread_of_counts(by_labelled)
    # As shares of all joints, so that those with other joints can be compared.
    name = "labelled joints, if any"
    shown = f"{some.mean:.1f} of {joints:.3g}" if some.count else "-"
    yield Figure(name, name, some.mean / joints, some.count, some.deviation / joints, shown)


def _of_boxes(statistics: Statistics) -> Iterator[Figure]:
    boxes, crops = statistics.boxes, statistics.crops
    for n, kind in enumerate(SIZES):
        yield _share(f"{kind} by area", int(boxes.sizes[n]), boxes.people)
    yield _logarithm("size of the box", boxes.side, "{:.0f} px")
    yield _logarithm("box by the photograph's size", boxes.share, "{:.2f}")
    yield _logarithm("width by height of the box", boxes.aspect, "{:.2f}")
    yield _share("at the photograph's edge", boxes.cut, boxes.sized)
    joints = int(crops.joints.sum())
    yield _share("joints outside of their box", crops.outside_box, joints)
    outside = int(crops.outside_crop[SHOWN_SCALE])
    yield _share(f"joints outside of crops at {SCALES[SHOWN_SCALE]:g}", outside, joints)


def _of_joints(statistics: Statistics) -> Iterator[Figure]:
    labels, crops = statistics.labels, statistics.crops
    for k, name in enumerate(statistics.table.names):
        _, hidden, visible = labels.visibility[k].tolist()
        yield _share(f"{name} labelled", hidden + visible, int(labels.looked_for[k]), "joint labelled")
        yield _share(f"{name} hidden", hidden, hidden + visible, "joint hidden")
        for axis, way in enumerate(("across", "down")):
            mean, deviation = float(crops.mean[k, axis]), float(crops.deviation[k, axis])
            count = int(crops.joints[k])
            shown = f"{mean:.2f}" if count else "-"
            yield Figure(f"{name} {way} the crop", f"joint {way}", mean, count, deviation, shown)


def _share(name: str, part: int, whole: int, group: str | None = None) -> Figure:
    value = part / whole if whole else math.nan
    return Figure(name, group or name, value, whole, None, f"{value:.1%}" if whole else "-")


def _mean(name: str, spread: Spread, form: str, bins: Ints | None = None) -> Figure:
    shown = form.format(spread.mean) if spread.count else "-"
    return Figure(name, name, spread.mean, spread.count, spread.deviation, shown, spread.bins if bins is None else bins)


def _logarithm(name: str, spread: Spread, form: str) -> Figure:
    """Return a mean of logarithms to base 2, shown as the geometric mean that it is."""
    shown = form.format(2.0**spread.mean) if spread.count else "-"
    return Figure(name, name, spread.mean, spread.count, spread.deviation, shown, spread.bins)
