"""Boxes: how large, of which form, and how many the picture's edge cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cocoprep.inspection.data_set import Ints, People
from cocoprep.inspection.spread import Spread, spread_of

SIZES = ("small", "medium", "large")
SIZE_BORDERS_PX2 = (32**2, 96**2)  # of the segment's area, as COCO's evaluation divides
EDGES = ("left", "top", "right", "bottom")
NEAR_PX = 1.0  # from the picture's edge: then a box touches it
ASPECT_BINS = np.linspace(-4, 4, 33)  # log2 of width over height
SIDE_BINS = np.linspace(0, 12, 25)  # log2 of pixels
SHARE_BINS = np.linspace(-8, 0, 17)  # log2 of a share of the picture's


@dataclass(frozen=True)
class BoxFigures:
    """Boxes of those that are no crowd.

    Attributes:
        people: how many those are.
        sizes: (3,) int64, how many are small, medium and large by COCO's areas.
        unlabelled: (3,) int64, how many of those have no labelled joint.
        side: log2 of the square root of the box's area in pixels, of boxes that have one.
        aspect: log2 of width over height, of the same boxes.
        share: log2 of `side` over that of the picture, of the same boxes where its size is known.
        sized: boxes of pictures whose size is known.
        touching: (4,) int64, how many of `sized` touch the picture's edges, as `EDGES`.
        cut: how many of `sized` touch at least one.
        cut_unlabelled: how many of `cut` have no labelled joint.
    """

    people: int
    sizes: Ints
    unlabelled: Ints
    side: Spread
    aspect: Spread
    share: Spread
    sized: int
    touching: Ints
    cut: int
    cut_unlabelled: int


def box_figures(people: People) -> BoxFigures:
    """Return what there is to say of the boxes."""
    chosen = people.take(~people.crowd)
    kinds = size_kinds(chosen)
    width, height = chosen.bbox[:, 2], chosen.bbox[:, 3]
    boxed = (width > 0) & (height > 0)
    log_width, log_height = np.log2(width[boxed]), np.log2(height[boxed])
    side, known = (log_width + log_height) / 2, chosen.sized[boxed]
    of_picture = np.log2(chosen.sizes[boxed][known]).sum(axis=1) / 2
    touching = touched_edges(chosen)[chosen.sized]
    cut, unlabelled = touching.any(axis=1), chosen.labelled == 0
    return BoxFigures(
        people=len(chosen),
        sizes=np.bincount(kinds, minlength=3),
        unlabelled=np.bincount(kinds[unlabelled], minlength=3),
        side=spread_of(side, SIDE_BINS),
        aspect=spread_of(log_width - log_height, ASPECT_BINS),
        share=spread_of(side[known] - of_picture, SHARE_BINS),
        sized=len(touching),
        touching=np.count_nonzero(touching, axis=0).astype(np.int64),
        cut=int(cut.sum()),
        cut_unlabelled=int((cut & unlabelled[chosen.sized]).sum()),
    )


def size_kinds(people: People) -> Ints:
    """Return (N,) int64: 0 small, 1 medium, 2 large, by area as COCO's evaluation divides."""
    # An area on a border is of both kinds there; here of the larger.
    return np.searchsorted(SIZE_BORDERS_PX2, people.area, side="right").astype(np.int64)


def touched_edges(people: People) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return (N, 4) whether boxes touch the picture's left, top, right and bottom edge within a pixel, or reach out."""
    start, end = people.bbox[:, :2], people.bbox[:, :2] + people.bbox[:, 2:]
    return np.concatenate([start <= NEAR_PX, end >= people.sizes - NEAR_PX], axis=1)
