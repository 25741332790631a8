"""Pictures of people for the report: from a built folder, or cropped anew from photographs."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from cocoprep.coco.annotations import ImageInfo
from cocoprep.coco.truth import Truth
from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.image_source import ImageReader
from cocoprep.crops.orientation import ExifTally, exif_notes
from cocoprep.crops.pixels import crop_image, decode_image
from cocoprep.errors import ImageError
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import box_fault, canonical_window
from cocoprep.pose.crop_config import CropConfig
from cocoprep.report.sources import Shown
from cocoprep.shards.dataset import ShardDataset


class ShardCrops:
    """The canonical crops of a built folder."""

    def __init__(self, dataset: ShardDataset) -> None:
        """Take the people of a folder."""
        self._dataset = dataset

    def crop_of(self, annotation_id: int) -> Shown | None:
        """See `CropSource`. None where the build has dropped the person."""
        if annotation_id not in self._dataset:
            return None
        person = self._dataset.person(annotation_id)
        window = CropWindow(*person["crop_window"].astype(np.float64).tolist())
        return Shown(self._dataset.canonical(person["image"]), window)


class PhotographCrops:
    """Crops made as the build makes them, from the photographs of a ground truth.

    Attributes:
        fault: why the last person without a picture has none; None where every one asked for has a picture.
    """

    def __init__(
        self, truth: Truth, images: ImageReader, crop: CropConfig | None = None, *, exif: Exif = "auto"
    ) -> None:
        """Take the photographs of a ground truth, as stored or upright as `exif` says; `crop` sizes the pictures."""
        self._truth, self._images, self._crop, self._exif = truth, images, crop or CropConfig(), exif
        self._row_of = {int(number): row for row, number in enumerate(truth.annotation_ids)}
        self._lying: dict[int, ExifTally] = {}
        self.fault: str | None = None

    @cached_property
    def _entries(self) -> dict[int, ImageInfo]:
        images = self._truth.images
        return {i["id"]: ImageInfo(i["id"], i["file_name"], i["width"], i["height"]) for i in images}

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what should be known of how the photographs so far were taken, in sentences."""
        together = ExifTally()
        for lying in self._lying.values():
            together.add(lying)
        return exif_notes(together, self._exif)

    def crop_of(self, annotation_id: int) -> Shown | None:
        """See `CropSource`. None where the photograph cannot be read or the box has nothing of it."""
        row = self._row_of[annotation_id]
        image = self._entries[int(self._truth.image_ids[row])]
        x, y, w, h = self._truth.bbox[row].tolist()
        lying = ExifTally()
        try:
            photograph = decode_image(self._images.read(image.file_name), image, self._exif, out=lying)
            fault = box_fault((x, y, w, h), *photograph.size)
            if fault is not None:
                raise ImageError(f"{image.file_name!r}: {fault}")
        except ImageError as error:
            self.fault = str(error)
            return None
        self._lying[image.image_id] = lying
        window = canonical_window((x, y, w, h), (photograph.height, photograph.width), self._crop)
        return Shown(np.asarray(crop_image(photograph, window, self._crop.input_size)), window)
