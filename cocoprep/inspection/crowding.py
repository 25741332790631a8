"""How crowded photographs are: annotations of one photograph, and how much their boxes overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cocoprep.inspection.data_set import Bools, Floats, Ints, People
from cocoprep.inspection.spread import Spread, spread_of

OVERLAPS = (0.1, 0.3, 0.5)  # IoU; from 0.5 on, OCHuman calls people heavily occluded
OVERLAP_BINS = np.linspace(0, 1, 21)
MOST_COMPARED = 2_000  # boxes of one photograph: their pairs grow by the square


@dataclass(frozen=True)
class CrowdingFigures:
    """How crowded photographs are.

    Attributes:
        by_count: (M + 1,) int64, how many photographs have so many annotations, crowds too; those with none are
            counted at 0.
        overlap: the largest IoU of each box with another of its photograph, 0 where it is alone; crowds are left out,
            and boxes without an area.
        over: (3,) how many of those overlap more than each of `OVERLAPS`.
        not_compared: boxes left out, since their photograph has more than `MOST_COMPARED`.
    """

    by_count: Ints
    overlap: Spread
    over: Ints
    not_compared: int

    @property
    def with_people(self) -> int:
        """Count the photographs with annotations."""
        return int(self.by_count[1:].sum())

    @property
    def with_several(self) -> int:
        """Count the photographs with more than one annotation."""
        return int(self.by_count[2:].sum())


def overlaps_of(people: People) -> tuple[Floats, int]:
    """Return (N,) float64 the largest IoU of each with another, NaN where it is not measured, and how often for size.

    It is measured of those that are no crowd and have a box with an area; how often it is not because there are more
    than `MOST_COMPARED` of them on a photograph is the second result.
    """
    boxed = ~people.crowd & (people.bbox[:, 2:] > 0).all(axis=1)
    many = np.bincount(people.images[boxed], minlength=int(people.images.max(initial=0)) + 1) > MOST_COMPARED
    compared = boxed & ~many[people.images]
    found = np.full(len(people), np.nan)
    found[compared] = largest_overlaps(people.bbox[compared], people.images[compared])
    return found, int((boxed & ~compared).sum())


def crowding_figures(people: People, images: int, overlaps: Floats, not_compared: int) -> CrowdingFigures:
    """Return how crowded a number of photographs are; the last two are what `overlaps_of` returns."""
    found = overlaps[~np.isnan(overlaps)]
    return CrowdingFigures(
        by_count=np.bincount(np.bincount(people.images, minlength=images)),
        overlap=spread_of(found, OVERLAP_BINS),
        over=np.array([np.count_nonzero(found > least) for least in OVERLAPS], np.int64),
        not_compared=not_compared,
    )


def largest_overlaps(bbox: Floats, images: Ints) -> Floats:
    """Return (N,) float64: of each box (N, 4) the largest IoU with another of the same image (N,), or 0.

    Boxes are x, y, width, height, with an area. In the order of images, each is compared with the one that stands so
    many places behind it, for all numbers of places that occur in an image.
    """
    order = np.argsort(images, kind="stable")
    image, sides = images[order], bbox[order, 2:]
    start, end, area = bbox[order, :2], bbox[order, :2] + sides, sides.prod(axis=1)
    best = np.zeros(len(order))
    first = np.arange(len(order))
    for step in range(1, len(order)):
        first = _with_partner(first, image, step)
        if not len(first):
            break
        other = first + step
        shared = np.minimum(end[first], end[other]) - np.maximum(start[first], start[other])
        common = np.maximum(shared, 0).prod(axis=1)
        iou = common / np.maximum(area[first] + area[other] - common, np.finfo(np.float64).tiny)
        best[first] = np.maximum(best[first], iou)  # no place is in `first` twice, nor in `other`
        best[other] = np.maximum(best[other], iou)
    found = np.empty(len(order))
    found[order] = best
    return found


def _with_partner(first: Ints, image: Ints, step: int) -> Ints:
    """Return those of some places whose image has one more box so many places behind them."""
    first = first[: np.searchsorted(first, len(image) - step)]
    same: Bools = image[first] == image[first + step]
    return first[same]
