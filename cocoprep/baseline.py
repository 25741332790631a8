"""What guessing scores: the mean heatmap of each joint, and the PCK of always answering with its peak.

A trainer needs it to tell learning from guessing.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep import affine
from cocoprep.boxes import canonical_window
from cocoprep.config import CropConfig
from cocoprep.heatmaps import PEAK, decode_heatmaps
from cocoprep.pck import Pck, pck
from cocoprep.selection import ImagePeople


@dataclass(frozen=True)
class Baseline:
    """The mean guess over `people` records.

    Attributes:
        mean_heatmaps: (h, w, K) float32, the mean of the maps of labelled joints, peak of a single map 1.
        labelled: (K,) int64, how many people have the joint labelled.
        guess: (K, 2) float64, the peak of each mean map in pixels of the canonical crop.
        pck: of answering `guess` for everybody.
    """

    people: int
    mean_heatmaps: NDArray[np.float32]
    labelled: NDArray[np.int64]
    guess: NDArray[np.float64]
    pck: Pck

    def to_npz(self) -> bytes:
        """Return the content of `baseline.npz`: the attributes by name, `labelled_fraction`, and the PCK."""
        stream = io.BytesIO()
        np.savez(
            stream,
            people=np.int64(self.people),
            mean_heatmaps=self.mean_heatmaps,
            labelled=self.labelled,
            labelled_fraction=self.labelled / self.people,
            guess=self.guess,
            pck_thresholds=np.array(self.pck.thresholds),
            pck_total=self.pck.total,
            pck_per_joint=self.pck.per_joint,
        )
        return stream.getvalue()


def measure_baseline(
    heatmap_sums: NDArray[np.int64],
    labelled: NDArray[np.int64],
    groups: Sequence[ImagePeople],
    crop: CropConfig,
) -> Baseline:
    """Measure the mean guess.

    Args:
        heatmap_sums: (h, w, K), the sum of quantised maps over labelled joints.
        labelled: (K,), how many maps are in each sum.
        groups: the people of the records.
        crop: how they were cropped.
    """
    mean = (heatmap_sums / (PEAK * np.maximum(labelled, 1))).astype(np.float32)
    guess = affine.heatmap_to_crop(decode_heatmaps(mean, decoder="argmax")[0], crop.heatmap_stride)
    pairs = [(group.image, person) for group in groups for person in group.people]
    windows = [canonical_window(p.bbox, (image.height, image.width), crop) for image, p in pairs]
    keypoints = np.stack([person.keypoints for _, person in pairs])
    origin_size = np.array(windows)[:, None, :]
    guessed = guess / np.array(crop.input_size[::-1]) * origin_size[..., 2:] + origin_size[..., :2]
    score = pck(
        predicted=guessed,
        truth=affine.index_to_point(keypoints[..., :2]),
        labelled=keypoints[..., 2] > 0,
        bbox_xywh=[person.bbox for _, person in pairs],
    )
    return Baseline(len(pairs), mean, labelled, guess, score)
