"""Predicted people as arrays, whatever tool they come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Predictions:
    """M predicted people of K joints.

    Attributes:
        image_ids: (M,) int64.
        keypoints: (M, K, 2) float64 in COCO's frame: pixel indices, not rounded.
        confidence: (M, K) float64, how sure of each joint: the third number of each in a results line.
        scores: (M,) float64, how sure of the person.
        annotation_ids: (M,) int64, the annotation whose box each was made from; None where that is not known.
    """

    image_ids: NDArray[np.int64]
    keypoints: NDArray[np.float64]
    confidence: NDArray[np.float64]
    scores: NDArray[np.float64]
    annotation_ids: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return M."""
        return len(self.scores)
