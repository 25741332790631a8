"""The photographs: how many, and of which sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cocoprep.coco.annotations import ImageInfo
from cocoprep.inspection.spread import Spread, spread_of

SIDE_BINS = np.linspace(4, 14, 21)  # log2 of pixels
MOST_NAMED = 10  # sizes


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


def image_figures(images: Sequence[ImageInfo]) -> ImageFigures:
    """Return what there is to say of photographs."""
    known = [(image.width, image.height) for image in images if image.has_size]
    sizes = np.array(known, np.float64).reshape(-1, 2)
    common = sorted(Counter(known).items(), key=lambda pair: (-pair[1], pair[0]))
    pixels = 2.0**SIDE_BINS
    return ImageFigures(
        listed=len(images),
        sized=len(known),
        common=tuple(common[:MOST_NAMED]),
        width=spread_of(sizes[:, 0], pixels),
        height=spread_of(sizes[:, 1], pixels),
        side=spread_of(np.log2(sizes).sum(axis=1) / 2, SIDE_BINS),
    )
