"""COCO results lines: what a keypoint evaluation takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def result_lines(
    image_ids: Iterable[int],
    keypoints_xy: NDArray[np.float64],
    scores: Iterable[float],
    category_id: int,
    confidence: NDArray[np.float64] | None = None,
) -> list[dict[str, Any]]:
    """Make one results line a person.

    Args:
        image_ids: N image ids.
        keypoints_xy: (N, K, 2) in COCO's frame: pixel indices, not rounded.
        scores: N scores.
        category_id: of the person category.
        confidence: (N, K) how sure of each joint, its third number, which COCO ignores; ones where None.
    """
    triples = np.ones((*keypoints_xy.shape[:2], 3))
    triples[..., :2] = keypoints_xy
    if confidence is not None:
        triples[..., 2] = confidence
    return [
        {"image_id": int(image_id), "category_id": category_id, "keypoints": flat, "score": float(score)}
        for image_id, flat, score in zip(image_ids, triples.reshape(len(triples), -1).tolist(), scores, strict=True)
    ]
