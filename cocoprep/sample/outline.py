"""From the mask of a person to the polygons that COCO stores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MAX_CORNERS = 70
_MIN_AREA_PX2 = 12.0

# A walk along the pixels' edges with the mask on its right hand turns right where it can, so that pieces
# which touch at a corner only stay apart.
_TURNS = {(1, 0): ((0, 1), (1, 0), (0, -1)), (0, 1): ((-1, 0), (0, 1), (1, 0)),
          (-1, 0): ((0, -1), (-1, 0), (0, 1)), (0, -1): ((1, 0), (0, -1), (-1, 0))}  # fmt: skip

Corner = tuple[int, int]


def _edges(mask: NDArray[np.bool_]) -> dict[Corner, list[Corner]]:
    """Return the directions in which the outline leaves each of its corners, clockwise around the mask."""
    padded = np.pad(mask, 1)
    inside, edges = padded[1:-1, 1:-1], dict[Corner, list[Corner]]()
    for (dy, dx), (oy, ox), direction in (
        ((-1, 0), (0, 0), (1, 0)),  # top edge, walked to the right
        ((0, 1), (0, 1), (0, 1)),  # right edge, down
        ((1, 0), (1, 1), (-1, 0)),  # bottom edge, to the left
        ((0, -1), (1, 0), (0, -1)),  # left edge, up
    ):
        height, width = mask.shape
        outside = ~padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        rows, columns = np.nonzero(inside & outside)
        for corner in zip((columns + ox).tolist(), (rows + oy).tolist(), strict=True):
            edges.setdefault(corner, []).append(direction)
    return edges


def _walk(edges: dict[Corner, list[Corner]]) -> list[Corner]:
    """Take one closed walk out of the edges and return its corners."""
    start = next(iter(edges))
    corner, direction, walk = start, edges[start][0], list[Corner]()
    while True:
        choices = edges[corner]
        if walk and len(choices) > 1:
            direction = next(turn for turn in _TURNS[direction] if turn in choices)
        else:
            direction = choices[0]
        choices.remove(direction)
        if not choices:
            del edges[corner]
        walk.append(corner)
        corner = corner[0] + direction[0], corner[1] + direction[1]
        if corner == start:
            return walk


def trace_outline(mask: NDArray[np.bool_], left: int = 0, top: int = 0) -> list[list[float]]:
    """Return polygons [[x1, y1, ...], ...] around the parts of a bool mask (H, W) that starts at (left, top).

    Holes are left out, as COCO has none. Corners are thinned to about 70 a piece. A mask without pieces of 12
    square pixels gives the rectangle around it.
    """
    edges = _edges(mask)
    polygons = []
    while edges:
        walk = np.array(_walk(edges), np.float64)
        x, y = walk.T
        area = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)
        if area >= _MIN_AREA_PX2:  # a hole's area is negative
            thinned = walk[:: max(1, len(walk) // _MAX_CORNERS)] + np.array([left, top])
            polygons.append(thinned.ravel().tolist())
    if not polygons:
        rows, columns = np.nonzero(mask)
        x0, x1 = left + int(columns.min()), left + int(columns.max()) + 1
        y0, y1 = top + int(rows.min()), top + int(rows.max()) + 1
        polygons.append([float(v) for v in (x0, y0, x1, y0, x1, y1, x0, y1)])
    return polygons
