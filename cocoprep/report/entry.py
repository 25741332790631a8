"""One annotation as the page shows it: what became of it, where its joints lie in its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.annotations import ImageInfo
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.fates import Fate
from cocoprep.pose import affine
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import BBox, canonical_window, croppable
from cocoprep.pose.crop_config import CropConfig

BEYOND = 0.125  # of a box, on each side: what is shown around it where no photograph's size is known


@dataclass(frozen=True)
class Entry:
    """One annotation on the page.

    Attributes:
        key: tells it from all others of the page: letters and digits, also in names of files and addresses.
        fate: what became of it.
        file_name: of its photograph; empty where none is known.
        window: the part of the photograph that its picture shows; None where it has neither box nor photograph.
        size: (width, height) of that picture, in whose pixels points are given.
        bbox: as annotated; None where it has none.
        joints: (K, 3) float32, pixel index x and y in the photograph, and visibility; None where it has none.
    """

    key: str
    fate: Fate
    file_name: str
    window: CropWindow | None
    size: tuple[int, int]
    bbox: BBox | None
    joints: NDArray[np.float32] | None

    def points(self) -> NDArray[np.float64]:
        """Return (K, 3) float64: x and y in its picture, and visibility."""
        assert self.joints is not None
        assert self.window is not None
        at = affine.index_to_point(self.joints[:, :2].astype(np.float64))
        width, height = self.size
        return np.column_stack([affine.image_to_crop(at, self.window, (height, width)), self.joints[:, 2]])

    def box(self) -> tuple[float, ...] | None:
        """Return x, y, width and height of its box in its picture."""
        if self.bbox is None or self.window is None:
            return None
        x, y, w, h = self.bbox
        width, height = self.size
        (x0, y0), (x1, y1) = affine.image_to_crop([(x, y), (x + w, y + h)], self.window, (height, width)).tolist()
        return x0, y0, x1 - x0, y1 - y0


def entry_of(fate: Fate, data_set: DataSet, crop: CropConfig, infos: Mapping[int, ImageInfo]) -> Entry:
    """Return the entry of one fate; `infos` are the listed photographs by their id."""
    key = f"row{fate.row}" if fate.row is not None else f"a{fate.annotation_id}"
    info = None if fate.image_id is None else infos.get(fate.image_id)
    name = "" if info is None else info.file_name
    height, width = crop.input_size
    if fate.place is None:
        return Entry(key, fate, name, None, (width, height), None, None)
    people = data_set.people
    x, y, w, h = people.bbox[fate.place].tolist()
    size = people.sizes[fate.place]
    one = Entry(key, fate, name, None, (width, height), (x, y, w, h), people.joints[fate.place])
    if (size > 0).all() and croppable([(x, y, w, h)], [size], crop)[0]:
        return replace(one, window=canonical_window((x, y, w, h), (int(size[1]), int(size[0])), crop))
    return _whole(one, (x, y, w, h), CropWindow(0.0, 0.0, *map(float, size.tolist())))


def _whole(one: Entry, bbox: BBox, photograph: CropWindow) -> Entry:
    """Return an entry that no crop can be made of: all of the photograph is shown, or of its box where no size is."""
    x, y, w, h = bbox
    window = photograph
    if min(photograph.width, photograph.height) <= 0:
        window = CropWindow(x - w * BEYOND, y - h * BEYOND, w * (1 + 2 * BEYOND), h * (1 + 2 * BEYOND))
    if not (min(window.width, window.height) > 0 and np.isfinite(window).all()):
        return one
    scale = max(one.size) / max(window.width, window.height)
    size = max(1, round(window.width * scale)), max(1, round(window.height * scale))
    return replace(one, window=window, size=size)
