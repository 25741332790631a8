"""A keypoints ground truth to score against: as arrays, and as pycocotools takes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Truth:
    """Every annotation of a ground-truth file, crowds and people without keypoints too: N in file order, K joints.

    Attributes:
        path: of the file, named in messages.
        document: the file's content as pycocotools takes it.
        category_id: of the person category.
        annotation_ids: (N,) int64.
        image_ids: (N,) int64.
        keypoints: (N, K, 2) float64 in COCO's frame, pixel indices; 0, 0 where not labelled.
        visibility: (N, K) int64, 0 not labelled, 1 labelled but hidden, 2 visible.
        bbox: (N, 4) float64, x, y, width, height in image pixels.
        area: (N,) float64, of the segment, in square pixels: the scale of OKS.
        crowd: (N,) bool.
    """

    path: str
    document: dict[str, Any]
    category_id: int
    annotation_ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    keypoints: NDArray[np.float64]
    visibility: NDArray[np.int64]
    bbox: NDArray[np.float64]
    area: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    @cached_property
    def counts(self) -> NDArray[np.bool_]:
        """Return (N,) true where OKS looks for the person: no crowd, and at least one labelled joint."""
        people: NDArray[np.bool_] = ~self.crowd & (self.visibility > 0).any(axis=1)
        return people

    @cached_property
    def file_names(self) -> dict[int, str]:
        """Return the photograph's file name by image id."""
        return {image["id"]: image["file_name"] for image in self.document["images"]}
