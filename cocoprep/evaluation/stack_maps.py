"""Heatmaps of a few people, kept for a look at what the stacks of a network make of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.coco.truth import Truth


@dataclass(frozen=True)
class StackMaps:
    """The heatmaps of one person, S stacks of K joints.

    Attributes:
        annotation_id: whose.
        crop: (H, W, 3) uint8 RGB, the crop that the network saw.
        heatmaps: (S, h, w, K) float32, what each stack said, peak of a sure joint about 1.
        truth: (h, w, K) uint8, value * 255; all zero where a joint is not labelled.
    """

    annotation_id: int
    crop: NDArray[np.uint8]
    heatmaps: NDArray[np.float32]
    truth: NDArray[np.uint8]


def people_to_show(truth: Truth, recorded: ArrayLike, people: int = 4) -> list[int]:
    """Choose whose heatmaps are worth a look: those with the most labelled joints, one an image.

    Args:
        truth: the ground truth.
        recorded: annotation ids that have a record, from which to choose.
        people: how many at most.

    Returns:
        Their annotation ids.
    """
    labelled = (truth.visibility > 0).sum(axis=1) * truth.counts * np.isin(truth.annotation_ids, recorded)
    chosen: dict[int, int] = {}
    for row in (-labelled).argsort(kind="stable").tolist():
        if labelled[row]:
            chosen.setdefault(int(truth.image_ids[row]), int(truth.annotation_ids[row]))
        if len(chosen) == people:
            break
    return list(chosen.values())
