"""What the network sees and says, as a picture: a row a person, truth beside prediction, then heatmaps by stack.

K joints, S stacks, heatmaps of (h, w).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.draw import draw_skeleton, heatmaps_overlay
from cocoprep.draw.layout import EDGE, new_page, place_joint_key
from cocoprep.draw.palette import DIM_TEXT
from cocoprep.draw.text import shorten, write
from cocoprep.pose import affine
from cocoprep.pose.heatmaps import decode_heatmaps
from cocoprep.pose.keypoints import KeypointTable

HEADER, CAPTION, GAP = 82, 24, 8
SHOWN_PEAK = 0.2  # of a map of peak 1: a joint that the network is less sure of is not drawn


@dataclass(frozen=True)
class SheetRow:
    """One person: the crop (H, W, 3) uint8, its truth, and every stack's heatmaps (S, h, w, K) float32."""

    name: str
    image: NDArray[np.uint8]
    keypoints: NDArray[np.floating]
    visibility: NDArray[np.integer]
    truth: NDArray[np.uint8]
    predicted: NDArray[np.float32]


def prediction_sheet(
    people: Sequence[SheetRow], *, title: str, table: KeypointTable, stride: int, tile_px: int = 192
) -> Image.Image:
    """Return the sheet of some people.

    Args:
        people: at least one.
        title: the line above.
        table: the K joints.
        stride: input pixels a heatmap pixel.
        tile_px: height of a tile.
    """
    height, width = people[0].image.shape[:2]
    size = tile_px, round(tile_px * width / height)
    stacks = len(people[0].predicted)
    columns = ["truth", "prediction", "true heatmaps", *(f"stack {n}" for n in range(1, stacks + 1))]
    step = size[0] + CAPTION, size[1] + GAP
    page = new_page(2 * EDGE + len(columns) * step[1] - GAP, 2 * EDGE + HEADER + len(people) * step[0])
    write(page, (EDGE, EDGE + 8), shorten(title, 20, page.width - 2 * EDGE), 20, anchor="lm")
    place_joint_key(page, EDGE, EDGE + 22, small=True, sides=table.has_pairs)
    for column, name in enumerate(columns):
        write(page, (EDGE + column * step[1], EDGE + HEADER - 10), name, 14, colour=DIM_TEXT, anchor="lm")
    for row, person in enumerate(people):
        top = EDGE + HEADER + row * step[0]
        for column, tile in enumerate(_tiles(person, table, stride, size)):
            page.paste(tile, (EDGE + column * step[1], top))
        write(page, (EDGE, top + size[0] + 9), person.name, 12, colour=DIM_TEXT, anchor="lm")
    return page


def _tiles(person: SheetRow, table: KeypointTable, stride: int, size: tuple[int, int]) -> list[Image.Image]:
    points, peaks = decode_heatmaps(person.predicted[-1])
    shown = np.where(peaks >= SHOWN_PEAK, 2, 0)
    at = affine.heatmap_to_crop(points, stride)
    maps = [person.truth, *np.clip(person.predicted, 0, 1)]
    return [
        draw_skeleton(person.image, person.keypoints, person.visibility, table=table, size=size),
        draw_skeleton(person.image, at, shown, table=table, size=size),
        *(heatmaps_overlay(person.image, heatmaps, table=table, size=size) for heatmaps in maps),
    ]
