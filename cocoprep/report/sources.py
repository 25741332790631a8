"""The pictures of people that the report is given to show beside the figures."""

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
