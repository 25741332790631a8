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


def box_faults(bbox_xywh: ArrayLike, sizes: ArrayLike) -> dict[int, str]:
    """Return the places of the boxes (N, 4) of which `box_fault` says a fault in images of `sizes` (N, 2), (W, H)."""
    bbox, size = np.asarray(bbox_xywh, np.float64).reshape(-1, 4), np.asarray(sizes, np.int64).reshape(-1, 2)
    faults = {}
    for n in np.flatnonzero(~_sound(bbox, size)).tolist():
        x, y, w, h = bbox[n].tolist()
        if (fault := box_fault((x, y, w, h), *size[n].tolist())) is not None:
            faults[n] = fault
    return faults


def _sound(bbox: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return (N,) true where `box_fault` finds none."""
    good = (bbox[:, 2:] > 0).all(axis=1) & (np.abs(bbox).max(axis=1, initial=0.0) <= MAX_COORDINATE)
    sound: NDArray[np.bool_] = good & (_clipped(bbox, sizes)[:, 2:].min(axis=1, initial=np.inf) >= SMALLEST_SIDE_PX)
    return sound


def window_fault(bbox_xywh: BBox, width: int, height: int, crop: CropConfig) -> str | None:
    """Say so where a crop is so wide for its image that no whole pixel of it shows the photograph, or None."""
    smallest = 2 * crop.bbox_scale * max(bbox_xywh[2:]) / min(crop.input_size)
    if smallest <= min(clip_box(bbox_xywh, width, height)[2:]):
        return None  # the box alone spans two crop pixels each way, so one of them is whole
    window = stored_window(canonical_window(bbox_xywh, (height, width), crop), crop)
    rows, columns = crop.stored_size
    left, right = visible_span(window.x0, window.width, columns, width)
    top, bottom = visible_span(window.y0, window.height, rows, height)
    if right > left and bottom > top:
        return None
    return f"bbox {list(bbox_xywh)}: no whole pixel of its crop lies in the {width} x {height} image"


def croppable(bbox_xywh: ArrayLike, sizes: ArrayLike, crop: CropConfig) -> NDArray[np.bool_]:
    """Tell which boxes (N, 4) give a crop of images of `sizes` (N, 2), width and height: no fault of either kind."""
    bbox, size = np.asarray(bbox_xywh, np.float64).reshape(-1, 4), np.asarray(sizes, np.int64).reshape(-1, 2)
    longest = bbox[:, 2:].max(axis=1)
    clipped = _clipped(bbox, size)[:, 2:].min(axis=1)
    good = _sound(bbox, size) & (2 * crop.bbox_scale * longest / min(crop.input_size) <= clipped)
    for n in np.flatnonzero(~good):  # few: looked at one by one
        x, y, w, h = bbox[n].tolist()
        width, height = size[n].tolist()
        good[n] = not (box_fault((x, y, w, h), width, height) or window_fault((x, y, w, h), width, height, crop))
    croppable_boxes: NDArray[np.bool_] = good
    return croppable_boxes


def canonical_windows(bbox_xywh: ArrayLike, sizes: ArrayLike, crop: CropConfig) -> NDArray[np.float64]:
    """Return (N, 4) x0, y0, width, height: `canonical_window` of boxes (N, 4) in images of `sizes` (N, 2), (W, H)."""
    bbox = _clipped(np.asarray(bbox_xywh, np.float64).reshape(-1, 4), np.asarray(sizes, np.int64).reshape(-1, 2))
    x, y, w, h = np.moveaxis(bbox, -1, 0)
    input_height, input_width = crop.input_size
    aspect = input_width / input_height
    width = np.maximum(w, h * aspect) * crop.bbox_scale
    height = width / aspect
    windows = np.stack([x + w / 2 - width / 2, y + h / 2 - height / 2, width, height], axis=-1)
    return windows.astype(np.float32).astype(np.float64)


def _clipped(bbox: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    start = np.clip(bbox[:, :2], 0, sizes)
    end = np.clip(bbox[:, :2] + bbox[:, 2:], 0, sizes)
    return np.concatenate([start, end - start], axis=1)


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
