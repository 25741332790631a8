"""The photographs: how many, and of which sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cocoprep.inspection.data_set import Ints
from cocoprep.inspection.spread import Spread, spread_of

SIDE_BINS = np.linspace(4, 14, 21)  # log2 of pixels
MOST_NAMED = 10  # sizes
_BITS = 30  # that a side takes: a billion pixels at most


@dataclass(frozen=True)
class ImageFigures:
    """Photographs that a file lists.

    Attributes:
        listed: how many, those without people too.
        sized: of how many the size is known.
        common: the commonest sizes (width, height), each with how many have it; the commonest first.
        width: pixels of the known widths.
        height: pixels of the known heights.
        side: log2 of the square root of the area in pixels.
    """

    listed: int
    sized: int
    common: tuple[tuple[tuple[int, int], int], ...]
    width: Spread
    height: Spread
    side: Spread


def image_figures(sizes: Ints) -> ImageFigures:
    """Return what there is to say of photographs of `sizes` (M, 2), width and height, 0 where not known."""
    known = sizes[(sizes > 0).all(axis=1)]
    pixels = 2.0**SIDE_BINS
    return ImageFigures(
        listed=len(sizes),
        sized=len(known),
        common=_commonest(known),
        width=spread_of(known[:, 0], pixels),
        height=spread_of(known[:, 1], pixels),
        side=spread_of(np.log2(known).sum(axis=1) / 2, SIDE_BINS),
    )


def _commonest(sizes: Ints) -> tuple[tuple[tuple[int, int], int], ...]:
    packed, counts = np.unique(sizes[:, 0] << _BITS | sizes[:, 1], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_NAMED]
    found = zip(packed[order].tolist(), counts[order].tolist(), strict=True)
    return tuple(((both >> _BITS, both & ((1 << _BITS) - 1)), many) for both, many in found)
