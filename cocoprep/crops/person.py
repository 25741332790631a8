"""One photograph and its people to person crops: the composition of boxes, affine, images and heatmaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.coco.annotations import ImageInfo, Origin, Person
from cocoprep.crops.pixels import crop_image, encode_jpeg
from cocoprep.pose import affine
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import BBox, canonical_window, stored_window
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import encode_heatmaps, quantise_heatmaps


@dataclass(frozen=True, slots=True)
class PersonCrop:
    """One person, ready to be a record.

    Attributes:
        jpeg: the stored crop, canonical crop plus margin.
        heatmaps: (h, w, K) uint8, value * 255.
        keypoints: (K, 2) float32 in pixels of the canonical crop, not clipped; (0, 0) where not labelled.
        visibility: (K,) int64, 0 not labelled, 1 labelled but hidden, 2 visible.
        window: the canonical crop's rectangle in image pixels.
        bbox: as annotated, x, y, width, height in image pixels.
        area_px2: as annotated.
        origin: which source and category it is of; None where the build has one of each.
    """

    image: ImageInfo
    annotation_id: int
    jpeg: bytes
    heatmaps: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.int64]
    window: CropWindow
    bbox: BBox
    area_px2: float
    origin: Origin | None = None


def crop_keypoints(person: Person, window: CropWindow, crop: CropConfig) -> NDArray[np.float32]:
    """Return (K, 2) float32 joints in pixels of the canonical crop; (0, 0) where not labelled."""
    keypoints = person.keypoints
    points = affine.image_to_crop(affine.index_to_point(keypoints[:, :2]), window, crop.input_size)
    points[keypoints[:, 2] == 0] = 0
    return points.astype(np.float32)


def crop_person(
    photograph: Image.Image, image: ImageInfo, person: Person, crop: CropConfig, origin: Origin | None = None
) -> PersonCrop:
    """Crop one person out of an RGB photograph and draw the heatmaps."""
    window = canonical_window(person.bbox, (image.height, image.width), crop)
    picture = crop_image(photograph, stored_window(window, crop), crop.stored_size)
    points = crop_keypoints(person, window, crop)
    visibility = person.keypoints[:, 2].astype(np.int64)
    heatmaps = encode_heatmaps(
        affine.crop_to_heatmap(points, crop.heatmap_stride),
        visibility > 0,
        size=crop.heatmap_size,
        sigma_px=crop.sigma_px,
    )
    return PersonCrop(
        image=image,
        annotation_id=person.annotation_id,
        jpeg=encode_jpeg(picture, crop.jpeg_quality),
        heatmaps=quantise_heatmaps(heatmaps),
        keypoints=points,
        visibility=visibility,
        window=window,
        bbox=person.bbox,
        area_px2=person.area_px2,
        origin=origin,
    )
