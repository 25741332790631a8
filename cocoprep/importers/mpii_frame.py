"""What MPII's two files have in common: joints, the box by centre and scale, and the step from MATLAB's indices."""

from __future__ import annotations

from cocoprep.importers.dataset import Category
from cocoprep.pose.boxes import BBox
from cocoprep.pose.tables import named_table

MPII_16 = named_table("mpii-16")
CATEGORY = Category.of(MPII_16)
FROM_ONE = -1.0  # added to indices that count from 1
_SIDE_PX = 200.0
_DOWN_PX = 15.0


def box_of(centre_x: float, centre_y: float, scale: float) -> BBox | None:
    """Return the square box of a person, x, y, width, height in pixels; None where there is none.

    Args:
        centre_x: pixel index from 1; -1 where it is not known.
        centre_y: the same.
        scale: the person's height over 200 pixels.
    """
    if scale <= 0 or (centre_x, centre_y) == (-1, -1):
        return None
    side = _SIDE_PX * scale
    middle = FROM_ONE + 0.5  # of the pixel
    x, y = centre_x + middle, centre_y + middle + _DOWN_PX * scale
    return x - side / 2, y - side / 2, side, side
