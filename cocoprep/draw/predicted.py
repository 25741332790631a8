"""Predicted people over their photograph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.draw import ink
from cocoprep.draw.palette import BOX
from cocoprep.draw.photograph import fit
from cocoprep.draw.skeleton import paint_skeleton
from cocoprep.pose.affine import CropWindow, image_to_crop, index_to_point
from cocoprep.pose.boxes import BBox
from cocoprep.pose.keypoints import VISIBLE, KeypointTable
from cocoprep.pose.tables import COCO_17

LARGEST_PX = 2048  # of a picture's longer side: a canvas takes 12 bytes a pixel


@dataclass(frozen=True, slots=True)
class Predicted:
    """One person to draw.

    Attributes:
        bbox: the box it was predicted from, x, y, width, height in pixels of the photograph.
        keypoints: (K, 2) in COCO's frame: pixel indices of the photograph.
        shown: (K,) whether the joint is sure enough to be drawn.
    """

    bbox: BBox
    keypoints: NDArray[np.float64]
    shown: NDArray[np.bool_]


def draw_predicted(
    photograph: Image.Image,
    people: Iterable[Predicted],
    *,
    table: KeypointTable = COCO_17,
    largest_px: int = LARGEST_PX,
) -> Image.Image:
    """Return a photograph with people's boxes and skeletons, limbs coloured by the person's own side.

    Args:
        photograph: RGB; it is not changed. One whose longer side is beyond `largest_px` is drawn smaller.
        people: drawn in this order, each over the last.
        table: the K joints.
        largest_px: longer side of the result at most.
    """
    whole = CropWindow(0, 0, photograph.width, photograph.height)
    size = photograph.height, photograph.width
    if max(size) > largest_px:
        size = fit(whole, (largest_px, largest_px))
    canvas = ink.canvas_of(
        photograph if size == (photograph.height, photograph.width) else ink.enlarge(photograph, size)
    )
    drawn = list(people)
    for person in drawn:
        x, y, w, h = person.bbox
        (left, top), (right, bottom) = image_to_crop([(x, y), (x + w, y + h)], whole, size)
        ink.box(canvas, (left, top, right, bottom), BOX, width_px=2 if min(right - left, bottom - top) >= 32 else 1)
    for person in drawn:
        at = image_to_crop(index_to_point(person.keypoints), whole, size)
        paint_skeleton(canvas, at, np.where(person.shown, VISIBLE, 0), table=table)
    return ink.picture_of(canvas)
