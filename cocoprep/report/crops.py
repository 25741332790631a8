"""Pictures of people for the report: from a built folder, or cropped anew from photographs."""

from __future__ import annotations

import numpy as np

from cocoprep.coco.annotations import ImageInfo
from cocoprep.coco.truth import Truth
from cocoprep.crops.image_source import ImageReader
from cocoprep.crops.pixels import crop_image, decode_image
from cocoprep.errors import AnnotationError, ImageError
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

    def __init__(self, truth: Truth, images: ImageReader, crop: CropConfig | None = None) -> None:
        """Take the photographs of a ground truth; `crop` says how large the pictures are to be.

        Raises:
            AnnotationError: an image of the ground truth has no size.
        """
        self._truth, self._images, self._crop = truth, images, crop or CropConfig()
        self._sizes: dict[int, tuple[int, int]] = {}
        self._row_of = {int(number): row for row, number in enumerate(truth.annotation_ids)}
        self.fault: str | None = None
        for image in truth.document["images"]:
            self._sizes[image["id"]] = width, height = image["width"], image["height"]
            if min(width, height) < 1:
                raise AnnotationError(
                    f"{truth.path}: image {image['id']} has no width and height, which --images needs. Add them, or "
                    "leave --images out."
                )

    def crop_of(self, annotation_id: int) -> Shown | None:
        """See `CropSource`. None where the photograph cannot be read or the box has nothing of it."""
        row = self._row_of[annotation_id]
        image_id = int(self._truth.image_ids[row])
        x, y, w, h = self._truth.bbox[row].tolist()
        width, height = self._sizes[image_id]
        name = self._truth.file_names[image_id]
        try:
            fault = box_fault((x, y, w, h), width, height)
            if fault is not None:
                raise ImageError(f"{name!r}: {fault}")
            photograph = decode_image(self._images.read(name), ImageInfo(image_id, name, width, height))
        except ImageError as error:
            self.fault = str(error)
            return None
        window = canonical_window((x, y, w, h), (height, width), self._crop)
        return Shown(np.asarray(crop_image(photograph, window, self._crop.input_size)), window)
