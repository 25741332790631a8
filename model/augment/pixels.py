"""Pixels of people by OpenCV, in 8 bits: decode, one warp, one colour matrix, one addition of noise.

N people, stored crops of (S, S'), pictures of (H, W), RGB.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.errors import RecordError
from cocoprep.model.draws import Purpose, draw_normal
from cocoprep.pose.affine import affine_of_pixels

# Batches are spread over the cores; OpenCV's own threads would only be in their way.
cv2.setNumThreads(0)

_AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
LUMA = np.array([0.299, 0.587, 0.114])  # of RGB; source: ITU-R BT.601
MIDDLE_GREY = 127.5


def decode_crop(jpeg: bytes, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode a stored crop of `size` (S, S') to (S, S', 3) uint8 RGB, the same pixels as `tf.io.decode_jpeg` gives.

    Raises:
        RecordError: no JPEG, or one of another size.
    """
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), _AS_STORED) if jpeg else None
    if picture is None or picture.shape != (*size, 3):
        found = "something else" if picture is None else f"one of {picture.shape[:2]}"
        raise RecordError(f"feature 'image': expected a JPEG of {size}, found {found}")
    return np.asarray(picture, np.uint8)


def warp_picture(
    stored: NDArray[np.uint8], affine: ArrayLike, fill_rgb: tuple[int, int, int], *, out: NDArray[np.uint8]
) -> None:
    """Resample a picture bilinearly; exact where the map takes pixel centres to pixel centres.

    Args:
        stored: (S, S', 3) uint8.
        affine: (2, 3) map from points of the result to points of `stored`; OpenCV rounds it to 1/32 of a pixel.
        fill_rgb: what lies outside `stored`.
        out: (H, W, 3) uint8, written.
    """
    height, width, _ = out.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    matrix, border = affine_of_pixels(affine), cv2.BORDER_CONSTANT
    cv2.warpAffine(stored, matrix, (width, height), dst=out, flags=flags, borderMode=border, borderValue=fill_rgb)


def colour_matrices(brightness: ArrayLike, contrast: ArrayLike, saturation: ArrayLike) -> NDArray[np.float64]:
    """Return (N, 3, 4) maps of RGB levels, the last column to be added: saturation, then contrast, then brightness.

    Args:
        brightness: (N,) added, as a fraction of white.
        contrast: (N,) factors on the distance to middle grey; 1 for as it is.
        saturation: (N,) factors on the distance to a pixel's own grey; 1 for as it is.
    """
    added, stretch = np.asarray(brightness, np.float64), np.asarray(contrast, np.float64)
    keep = np.asarray(saturation, np.float64)[:, None, None]
    linear = stretch[:, None, None] * (keep * np.eye(3) + (1 - keep) * LUMA)
    constant = (1 - stretch) * MIDDLE_GREY + 255 * added
    return np.concatenate([linear, np.broadcast_to(constant[:, None, None], (len(added), 3, 1))], axis=-1)


def recolour(picture: NDArray[np.uint8], matrix: NDArray[np.float64], *, out: NDArray[np.uint8]) -> None:
    """Map every pixel of (H, W, 3) by a colour matrix (3, 4), rounded and clipped to uint8; `out` may be `picture`."""
    cv2.transform(picture, matrix, dst=out)


class NoiseTiles:
    """Normal noise drawn once, of a few strengths, larger than a picture: a person gets a cut of it at random.

    Drawing numbers for every pixel anew would cost more than all else together.
    """

    STEPS = 4
    SPARE_PX = 64

    def __init__(self, largest_sigma: float, size: tuple[int, int]) -> None:
        self._height, self._width = size
        shape = (size[0] + self.SPARE_PX, size[1] + self.SPARE_PX, 3)
        unit = draw_normal(Purpose.NOISE, 0, int(np.prod(shape))).reshape(shape)
        self._pairs = []
        for step in range(1, self.STEPS + 1):
            levels = np.rint(unit * (largest_sigma * step / self.STEPS)).clip(-255, 255)
            # Two positive halves: OpenCV adds and subtracts 8 bits with saturation, many pixels at a time.
            self._pairs.append((levels.clip(0).astype(np.uint8), (-levels).clip(0).astype(np.uint8)))

    def add(self, picture: NDArray[np.uint8], choice: NDArray[np.float64], *, out: NDArray[np.uint8]) -> None:
        """Add noise to (H, W, 3); four numbers from [0, 1) choose strength, row, column and sign.

        `out` may be `picture`.
        """
        step, row, column = (choice[:3] * (self.STEPS + 1, self.SPARE_PX + 1, self.SPARE_PX + 1)).astype(int)
        if step == 0:
            out[:] = picture
            return
        cut = slice(row, row + self._height), slice(column, column + self._width)
        more, less = self._pairs[step - 1]
        if choice[3] < 0.5:
            more, less = less, more
        cv2.subtract(cv2.add(picture, more[cut], dst=out), less[cut], dst=out)
