"""What the people of one shard add up to: the part of a sidecar that scoring needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cocoprep import affine
from cocoprep.config import CropConfig
from cocoprep.crops import PersonCrop
from cocoprep.heatmaps import decode_heatmaps
from cocoprep.sidecars import DECODED_STEP_PX, pack_array

TALLY_BATCH = 64


class _Score(NamedTuple):
    """What scoring needs of one person: see `Sidecar`."""

    decoded: NDArray[np.int32]
    keypoints: NDArray[np.float32]
    labelled: NDArray[np.bool_]
    box_side: float


class Tally:
    """Adds people up, and decodes their stored heatmaps.

    People are taken in batches: NumPy's cost a call would otherwise be a twentieth of a build.
    """

    def __init__(self, crop: CropConfig, joints: int) -> None:
        self._crop, self._waiting = crop, list[PersonCrop]()
        self._heatmap_sums = np.zeros((*crop.heatmap_size, joints), np.uint32)
        self._joints_outside_crop = 0
        self._scores: dict[int, _Score] = {}

    def add(self, person: PersonCrop) -> None:
        """Count a person in."""
        self._waiting.append(person)
        if len(self._waiting) == TALLY_BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        people, self._waiting = self._waiting, []
        heatmaps = np.stack([person.heatmaps for person in people])
        self._heatmap_sums += heatmaps.sum(axis=0, dtype=np.uint32)
        labelled = np.stack([person.visibility for person in people]) > 0
        keypoints = np.stack([person.keypoints for person in people])
        self._joints_outside_crop += int((labelled & ~affine.inside(keypoints, self._crop.input_size)).sum())
        points = affine.heatmap_to_crop(decode_heatmaps(heatmaps)[0], self._crop.heatmap_stride)
        for person, in_crop in zip(people, points, strict=True):
            in_image = affine.point_to_index(affine.crop_to_image(in_crop, person.window, self._crop.input_size))
            self._scores[person.annotation_id] = _Score(
                decoded=np.rint(in_image / DECODED_STEP_PX).astype(np.int32),
                keypoints=person.keypoints,
                labelled=person.visibility > 0,
                box_side=max(person.bbox[2:]) * self._crop.input_size[1] / person.window.width,
            )

    def summary(self, order: Sequence[int]) -> dict[str, Any]:
        """Return the sidecar's fields of the same names, people in `order` of annotation ids."""
        self._flush()
        scores = [self._scores[annotation_id] for annotation_id in order]
        return {
            "joints_outside_crop": self._joints_outside_crop,
            "decoded": pack_array(np.array([score.decoded for score in scores], np.int32)),
            "keypoints": pack_array(np.array([score.keypoints for score in scores], np.float32)),
            "labelled_joints": pack_array(np.array([score.labelled for score in scores], bool)),
            "box_sides": pack_array(np.array([score.box_side for score in scores], np.float32)),
            "heatmap_sums": pack_array(self._heatmap_sums),
        }
