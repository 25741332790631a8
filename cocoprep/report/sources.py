"""What the report is given to show beside the figures: pictures of people, and what the stacks made of a few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cocoprep.pose.affine import CropWindow


@dataclass(frozen=True)
class Shown:
    """The picture of one person.

    Attributes:
        picture: (H, W, 3) uint8 RGB.
        window: the part of the photograph that it shows, in image pixels: joints are mapped onto it with this.
    """

    picture: NDArray[np.uint8]
    window: CropWindow


class CropSource(Protocol):
    """Where pictures of people come from."""

    def crop_of(self, annotation_id: int) -> Shown | None:
        """Return the picture of a person, by annotation id; None where there is none."""
        ...


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
