"""What the people of one shard add up to: the part of a sidecar that scoring needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cocoprep.crops.person import PersonCrop
from cocoprep.pose import affine
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import decode_in_image
from cocoprep.shards.sidecar import DECODED_STEP_PX, pack_array

TALLY_BATCH = 64


class _Tallied(NamedTuple):
    """What scoring needs of people that were tallied together: see `Sidecar`."""

    annotation_ids: list[int]
    decoded: NDArray[np.int32]
    keypoints: NDArray[np.float32]
    labelled: NDArray[np.bool_]
    box_sides: NDArray[np.float64]


class Tally:
    """Adds people up, and decodes their stored heatmaps.

    People are taken in batches: NumPy's cost a call would otherwise be a twentieth of a build.
    """

    def __init__(self, crop: CropConfig, joints: int) -> None:
        self._crop, self._waiting = crop, list[PersonCrop]()
        self._heatmap_sums = np.zeros((*crop.heatmap_size, joints), np.uint32)
        self._joints_outside_crop = 0
        self._batches: list[_Tallied] = []

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
        # TALLY_BATCH maps of at most 255 fit 16 bits, which add up in less than half the time of 32.
        self._heatmap_sums += heatmaps.sum(axis=0, dtype=np.uint16)
        keypoints = np.stack([person.keypoints for person in people])
        labelled = np.stack([person.visibility for person in people]) > 0
        self._joints_outside_crop += int((labelled & ~affine.inside(keypoints, self._crop.input_size)).sum())
        windows = np.array([person.window for person in people])
        in_image, _ = decode_in_image(
            heatmaps, windows, stride=self._crop.heatmap_stride, input_size=self._crop.input_size
        )
        sides = [max(p.bbox[2:]) * self._crop.input_size[1] / p.window.width for p in people]
        self._batches.append(
            _Tallied(
                annotation_ids=[person.annotation_id for person in people],
                decoded=np.rint(in_image / DECODED_STEP_PX).astype(np.int32),
                keypoints=keypoints,
                labelled=labelled,
                box_sides=np.array(sides),
            )
        )

    def summary(self, order: Sequence[int]) -> dict[str, Any]:
        """Return the sidecar's fields of the same names, people in `order` of annotation ids."""
        self._flush()
        place = {n: i for i, n in enumerate(n for batch in self._batches for n in batch.annotation_ids)}
        places = [place[annotation_id] for annotation_id in order]

        def ordered(name: str, dtype: DTypeLike) -> str:
            arrays = [getattr(batch, name) for batch in self._batches]
            return pack_array(np.concatenate(arrays)[places].astype(dtype) if arrays else np.zeros(0, dtype))

        return {
            "joints_outside_crop": self._joints_outside_crop,
            "decoded": ordered("decoded", np.int32),
            "keypoints": ordered("keypoints", np.float32),
            "labelled_joints": ordered("labelled", bool),
            "box_sides": ordered("box_sides", np.float32),
            "heatmap_sums": pack_array(self._heatmap_sums),
        }
