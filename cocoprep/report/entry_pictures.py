"""Pictures of entries beside the page: what was cropped, and the heatmaps of the labelled joints in a strip."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.pixels import crop_image
from cocoprep.inspection.photographs import Photographs
from cocoprep.pose import affine
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import encode_heatmaps, quantise_heatmaps
from cocoprep.report.entry import Entry
from cocoprep.shards.dataset import ShardDataset

LONGEST_PX = 320  # of a picture: what a page shows of a person, and a phone's screen is wide
MOST_IN_STRIP = 60_000  # px: a JPEG is at most 65,535 wide
QUALITY = 85


@dataclass(frozen=True)
class EntryPictures:
    """The pictures of one entry, as files have them.

    Attributes:
        crop: JPEG.
        maps: JPEG in grey, the heatmaps of the labelled joints side by side; None where there are none.
    """

    crop: bytes
    maps: bytes | None


def draw_entries(
    entries: Sequence[Entry],
    crop: CropConfig,
    *,
    dataset: ShardDataset | None,
    photographs: Photographs | None,
    infos: Mapping[int, ImageInfo],
) -> Iterator[tuple[int, EntryPictures]]:
    """Yield the place and the pictures of the entries that have some: records as they are, others of photographs.

    A photograph is read once, and shards from front to back.

    Args:
        entries: of the page.
        crop: how people are cropped.
        dataset: the records; None where there are none.
        photographs: of what has no record; None where there are none.
        infos: the listed photographs by their id.
    """
    stored = [n for n, one in enumerate(entries) if dataset is not None and one.fate.annotation_id in dataset]
    stored = [n for n in stored if not entries[n].fate.reason]
    if dataset is not None:
        order = {number: at for at, number in enumerate(dataset.annotation_ids)}
        for n in sorted(stored, key=lambda n: order[entries[n].fate.annotation_id or 0]):
            yield n, _of_record(dataset, entries[n])
    if photographs is None:
        return
    kept = set(stored)
    rest = [n for n, one in enumerate(entries) if n not in kept and one.fate.image_id in infos and one.window]
    last: ImageInfo | None = None
    picture: Image.Image | None = None
    for n in sorted(rest, key=lambda n: (entries[n].fate.image_id or 0, n)):
        info = infos[entries[n].fate.image_id or 0]
        if info is not last:
            last, picture = info, photographs.read(info)
        if picture is not None:
            yield n, _of_photograph(picture, entries[n], crop)


def _of_record(dataset: ShardDataset, entry: Entry) -> EntryPictures:
    person = dataset.person(entry.fate.annotation_id or 0)
    labelled = np.flatnonzero(person["visibility"])
    return EntryPictures(
        encode_picture(Image.fromarray(dataset.canonical(person["image"]))), _strip(person["heatmaps"], labelled)
    )


def _of_photograph(photograph: Image.Image, entry: Entry, crop: CropConfig) -> EntryPictures:
    """Return the pictures of an entry as a build would crop and draw it."""
    assert entry.window is not None
    width, height = entry.size
    picture = encode_picture(crop_image(photograph, entry.window, (height, width)))
    if entry.joints is None or entry.size != crop.input_size[::-1] or entry.fate.reason:
        return EntryPictures(picture, None)
    points = entry.points()
    maps = encode_heatmaps(
        affine.crop_to_heatmap(points[:, :2], crop.heatmap_stride),
        points[:, 2] > 0,
        size=crop.heatmap_size,
        sigma_px=crop.sigma_px,
    )
    return EntryPictures(picture, _strip(quantise_heatmaps(maps), np.flatnonzero(points[:, 2])))


def encode_picture(picture: Image.Image) -> bytes:
    """Return a picture as JPEG, no larger than a page shows it."""
    longest = max(picture.size)
    if longest > LONGEST_PX:
        size = [max(1, round(side * LONGEST_PX / longest)) for side in picture.size]
        picture = picture.resize((size[0], size[1]), Image.Resampling.BOX if longest > 2 * LONGEST_PX else None)
    return _encode(picture)


def _strip(heatmaps: NDArray[np.uint8], joints: NDArray[np.intp]) -> bytes | None:
    """Return the maps (h, w, K) of some joints from left to right, as many as fit."""
    height, width = heatmaps.shape[:2]
    joints = joints[: MOST_IN_STRIP // width]
    if not len(joints):
        return None
    tiles = heatmaps[..., joints].transpose(0, 2, 1).reshape(height, width * len(joints))
    return _encode(Image.fromarray(np.ascontiguousarray(tiles)))


def _encode(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
