"""From an annotated box to the canonical crop window."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.pose.affine import CropWindow
from cocoprep.pose.crop_config import CropConfig

BBox = tuple[float, float, float, float]

SMALLEST_SIDE_PX = 1.0


def clip_box(bbox_xywh: BBox, width: int, height: int) -> BBox:
    """Return the part of a box (x, y, width, height) that lies within the image; sides may come out as 0."""
    x, y, w, h = bbox_xywh
    left, top = min(max(x, 0.0), width), min(max(y, 0.0), height)
    right, bottom = min(max(x + w, 0.0), width), min(max(y + h, 0.0), height)
    return left, top, right - left, bottom - top


def box_fault(bbox_xywh: BBox, width: int, height: int) -> str | None:
    """Say why no crop can be made from a box, or None where one can."""
    w, h = bbox_xywh[2:]
    if w <= 0 or h <= 0:
        return f"bbox {list(bbox_xywh)}: expected a positive width and height"
    if max(map(abs, bbox_xywh)) > MAX_COORDINATE:
        return f"bbox {list(bbox_xywh)}: expected pixels, none above {MAX_COORDINATE:.0f}"
    clipped = clip_box(bbox_xywh, width, height)
    if min(clipped[2:]) < SMALLEST_SIDE_PX:
        return f"bbox {list(bbox_xywh)}: less than one pixel of it lies in the {width} x {height} image"
    return None


def canonical_window(bbox_xywh: BBox, image_size: tuple[int, int], crop: CropConfig) -> CropWindow:
    """Return the canonical crop window of a box, in pixels of the image of `image_size` (H, W).

    The box is clipped to the image, grown about its centre to the input's aspect ratio, then by `bbox_scale`.
    The numbers are rounded to float32, as the record stores them: the map in the record is the map that was used.
    """
    x, y, w, h = clip_box(bbox_xywh, image_size[1], image_size[0])
    input_height, input_width = crop.input_size
    aspect = input_width / input_height
    width = max(w, h * aspect) * crop.bbox_scale
    height = width / aspect
    x0, y0 = x + w / 2 - width / 2, y + h / 2 - height / 2
    return CropWindow(*(float(np.float32(n)) for n in (x0, y0, width, height)))


def stored_window(window: CropWindow, crop: CropConfig) -> CropWindow:
    """Return the window of the stored crop: the canonical window and the margin around it."""
    input_height, input_width = crop.input_size
    x_step, y_step = window.width / input_width, window.height / input_height
    margin = crop.margin_px
    return CropWindow(
        window.x0 - margin * x_step,
        window.y0 - margin * y_step,
        window.width + 2 * margin * x_step,
        window.height + 2 * margin * y_step,
    )


def visible_span(start: float, length: float, pixels: int, image_length: int) -> tuple[int, int]:
    """Return the range of output pixels along one axis that lie wholly within the image.

    The window [start, start + length) is shown by `pixels` output pixels; the image covers [0, image_length).
    """
    step = length / pixels
    # A hair of tolerance, lest rounding push a pixel that touches the edge out of the image.
    first = min(pixels, max(0, math.ceil(-start / step - 1e-6)))
    last = min(pixels, math.floor((image_length - start) / step + 1e-6))
    return first, max(first, last)


MAX_COORDINATE = 1e6


def longer_side(bbox_xywh: ArrayLike) -> NDArray[np.float64]:
    """Return (N,) the longer sides of boxes (N, 4), x, y, width, height: the unit of PCK by box."""
    sides: NDArray[np.float64] = np.asarray(bbox_xywh, np.float64)[:, 2:].max(axis=-1)
    return sides
