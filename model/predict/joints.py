"""From heatmaps to the joints of people in their photographs: training's validation and every prediction go this way.

N people, K joints, heatmaps of (h, w).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.errors import CocoprepError
from cocoprep.pose.heatmaps import Decoder, decode_in_image
from cocoprep.shards.settings import CropRecord

SURE = 0.2  # of a map of peak 1


@dataclass(frozen=True)
class Joints:
    """What was found of N people.

    Attributes:
        keypoints: (N, K, 2) float64 in COCO's frame: pixel indices of the photograph, not rounded.
        confidence: (N, K) float64, how sure of each joint: its map's peak, never below 0. About 1 at best.
        scores: (N,) float64, how sure of the person: see `person_scores`.
    """

    keypoints: NDArray[np.float64]
    confidence: NDArray[np.float64]
    scores: NDArray[np.float64]


def joints_in_image(
    heatmaps: NDArray[np.float32], windows: ArrayLike, crop: CropRecord, *, decoder: Decoder = "taylor"
) -> Joints:
    """Find the joints of people.

    Args:
        heatmaps: (N, h, w, K), as a network predicts them.
        windows: (N, 4), each person's canonical crop in the photograph: x, y, width, height in pixels.
        crop: the geometry that the crops were made by.
        decoder: see `decode_heatmaps`.

    Raises:
        CocoprepError: a map is not finite.
    """
    if not np.isfinite(heatmaps).all():
        raise CocoprepError(
            "the network predicts heatmaps that are not finite: training went astray, or its weights are damaged. Take "
            "an earlier checkpoint, or another run."
        )
    in_image, peaks = decode_in_image(
        heatmaps, windows, stride=crop.heatmap_stride, input_size=crop.input_size, decoder=decoder
    )
    confidence = np.maximum(peaks, 0.0)
    return Joints(in_image, confidence, person_scores(confidence))


def person_scores(confidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N,) how sure of each person: the mean confidence, of (N, K), of the joints that are above `SURE`.

    Where none is, the mean of all, which is less than any that has one. Source: Xiao, Wu and Wei 2018, "Simple
    Baselines", whose code leaves joints below 0.2 out.
    """
    sure = confidence > SURE
    count = sure.sum(axis=-1)
    over_sure = (confidence * sure).sum(axis=-1) / np.maximum(count, 1)
    scores: NDArray[np.float64] = np.where(count > 0, over_sure, confidence.mean(axis=-1))
    return scores
