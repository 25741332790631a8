"""COCO's uncompressed run-length code of a mask: run lengths down the columns, the first of zeros.

As COCO's annotation files have it. pycocotools reads it, but writes the compressed one alone.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray


class Rle(TypedDict):
    """The code as the annotation file holds it; `size` is (height, width)."""

    counts: list[int]
    size: list[int]


def encode_rle(mask: NDArray[np.bool_]) -> Rle:
    """Return the run lengths of a bool mask (H, W).

    Source: the COCO API, `common/maskApi.c`, `rleEncode`.
    """
    flat = np.concatenate([[False], mask.ravel(order="F")])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], changes, [mask.size]]))
    return Rle(counts=counts.tolist(), size=list(mask.shape))
