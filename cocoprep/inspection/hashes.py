"""A photograph in 64 bits that stay, but for a few, when it is resized, recompressed or coloured anew.

The perceptual hash by the discrete cosine transform (Zauner 2010, "Implementation and Benchmarking of Perceptual Image
Hash Functions", 3.2.1), with signs in place of a comparison with the median, so that a coefficient's bit hangs upon it
alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cocoprep.inspection.fingerprints import SIDE

_LOWEST = 8  # frequencies each way; the first of all, the mean, is left out
_AT_ONCE = 4096

Hashes = NDArray[np.uint64]


def _cosines() -> NDArray[np.float32]:
    """Return (`_LOWEST`, `SIDE`): the first rows of the DCT-II."""
    frequency, place = np.arange(_LOWEST)[:, None], np.arange(SIDE)[None]
    return np.cos(np.pi * (2 * place + 1) * frequency / (2 * SIDE)).astype(np.float32)


def hash_thumbnails(thumbnails: NDArray[np.uint8], *, mirrored: bool = False) -> Hashes:
    """Return (N,) uint64 of (N, `SIDE`, `SIDE`) grey thumbnails; `mirrored`: of the pictures seen in a mirror."""
    cosines = _cosines()
    seen = cosines[:, ::-1] if mirrored else cosines
    found = np.empty(len(thumbnails), np.uint64)
    for start in range(0, len(thumbnails), _AT_ONCE):
        some = thumbnails[start : start + _AT_ONCE].astype(np.float32)
        signs = (cosines @ some @ seen.T > 0).reshape(len(some), _LOWEST**2)
        signs[:, 0] = False  # the mean, always above 0
        found[start : start + _AT_ONCE] = np.packbits(signs, axis=1).view(np.uint64)[:, 0]
    return found
