"""People on photographs, as a user has them: a photograph and boxes in, joints out, batch by batch.

Files are not trusted, as in `cocoprep.crops.pixels`. What cannot be used is told and left out; the rest goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.checks import require_number
from cocoprep.crops.pixels import MAX_PIXELS, crop_image, encode_jpeg
from cocoprep.errors import ImageError
from cocoprep.model.augment.augmenter import canonical_part
from cocoprep.model.augment.pixels import decode_crop
from cocoprep.model.predict.joints import Joints, joints_in_image
from cocoprep.model.predict.listing import Listed, OnFault
from cocoprep.model.predict.predictor import Predictor
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import BBox, box_fault, canonical_window, stored_window
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import Decoder
from cocoprep.shards.settings import CropRecord

HELD_PIXELS = MAX_PIXELS  # of photographs that wait for the rest of a batch


@dataclass(frozen=True)
class PredictedPhotograph:
    """A photograph that has been looked at.

    Attributes:
        listed: what was asked for.
        photograph: its pixels.
        boxes: the N that could be used, and for which people are kept.
        places: of these among those that were asked for.
        windows: of each, its canonical crop in the photograph.
        joints: found in each.
    """

    listed: Listed
    photograph: Image.Image
    boxes: list[BBox]
    places: list[int]
    windows: list[CropWindow]
    joints: Joints

    @property
    def box_scores(self) -> NDArray[np.float64] | None:
        """Return (N,) how sure a detector was of each box; None where none has said."""
        given = self.listed.scores
        return None if given is None else np.array(given, np.float64)[self.places]


def predict_photographs(
    predictor: Predictor,
    listed: Iterable[Listed],
    on_fault: OnFault,
    *,
    decoder: Decoder = "taylor",
    batch_size: int = 8,
    on_batch: Callable[[int, float], None] = lambda people, seconds: None,
    box_scale: float | None = None,
    coded: CropRecord | None = None,
) -> Iterator[PredictedPhotograph]:
    """Predict people, batch by batch over photographs, and yield each photograph once all of its people are done.

    Photographs are held for no longer than that, and no more than a few: see `HELD_PIXELS`.

    Args:
        predictor: of a run.
        listed: photographs and boxes.
        on_fault: told of photographs and boxes that cannot be used; they are left out.
        decoder: how heatmaps become joints.
        batch_size: people at a time; a batch with fewer is filled up with nobody.
        on_batch: told after each batch how many people it held and the seconds that network and decoding took.
        box_scale: of the crop relative to the box; None for that of the run's training data.
        coded: the crops of a built folder, which are to be repeated: with their margin, and through their JPEG.

    Raises:
        ConfigError: the batch size is not positive.
    """
    require_number("--batch-size", batch_size, 1, whole=True)
    blank = np.zeros((batch_size, *predictor.crop.input_size, 3), np.uint8)
    warm = False
    geometry = predictor.crop.config()
    geometry = geometry if box_scale is None else replace(geometry, bbox_scale=box_scale)
    for batch in _batches(_people(listed, geometry, on_fault, coded), batch_size):
        if not warm:  # what compiling takes is no person's time
            predictor.heatmaps(blank)
            warm = True
        images = blank.copy()
        images[: len(batch)] = [person.crop for person in batch]
        started = time.perf_counter()
        heatmaps = predictor.heatmaps(images)[-1, : len(batch)]
        windows = [person.window for person in batch]
        joints = joints_in_image(heatmaps, windows, predictor.crop, decoder=decoder)
        on_batch(len(batch), time.perf_counter() - started)
        for n, person in enumerate(batch):
            person.of.found.append((joints.keypoints[n], joints.confidence[n], joints.scores[n]))
            if len(person.of.found) == len(person.of.boxes):
                yield person.of.seen()


@dataclass
class _Opened:
    """A photograph whose people are being looked at, in those of its boxes that are at `places`."""

    listed: Listed
    photograph: Image.Image
    boxes: list[BBox]
    places: list[int]
    windows: list[CropWindow] = field(default_factory=list)
    found: list[tuple[NDArray[np.float64], NDArray[np.float64], np.float64]] = field(default_factory=list)

    def seen(self) -> PredictedPhotograph:
        keypoints, confidence, scores = (np.stack(part) for part in zip(*self.found, strict=True))
        joints = Joints(keypoints, confidence, scores)
        return PredictedPhotograph(self.listed, self.photograph, self.boxes, self.places, self.windows, joints)


@dataclass(frozen=True)
class _CutPerson:
    of: _Opened
    window: CropWindow
    crop: NDArray[np.uint8]


def _people(
    listed: Iterable[Listed], geometry: CropConfig, on_fault: OnFault, coded: CropRecord | None
) -> Iterator[_CutPerson]:
    """Open one photograph after another and cut its people out."""
    for one in listed:
        try:
            photograph = one.load()
        except ImageError as error:
            on_fault(one.name, str(error))
            continue
        whole: BBox = (0.0, 0.0, float(photograph.width), float(photograph.height))
        wanted = (whole,) if one.boxes is None else one.boxes
        faults = [box_fault(box, *photograph.size) for box in wanted]
        for fault in filter(None, faults):
            on_fault(one.name, f"{one.name!r}: {fault}")
        places = [place for place, fault in enumerate(faults) if fault is None]
        boxes = [wanted[place] for place in places]
        opened = _Opened(one, photograph, boxes, places)
        for box in boxes:
            window = canonical_window(box, (photograph.height, photograph.width), geometry)
            opened.windows.append(window)
            yield _CutPerson(opened, window, _cut(photograph, window, geometry, coded))


def _cut(
    photograph: Image.Image, window: CropWindow, geometry: CropConfig, coded: CropRecord | None
) -> NDArray[np.uint8]:
    """Return the canonical crop (H, W, 3) of a window; where it is to be `coded`, as a built folder has it."""
    if coded is None:
        return np.asarray(crop_image(photograph, window, geometry.input_size))
    stored = crop_image(photograph, stored_window(window, coded.config()), coded.stored_size)
    return canonical_part(decode_crop(encode_jpeg(stored, coded.jpeg_quality), coded.stored_size), coded)


def _batches(people: Iterator[_CutPerson], batch_size: int) -> Iterator[list[_CutPerson]]:
    """Group people, `batch_size` at a time or fewer where their photographs take too much memory."""
    batch: list[_CutPerson] = []
    for person in people:
        batch.append(person)
        held = {id(one.of): one.of.photograph.width * one.of.photograph.height for one in batch}
        if len(batch) == batch_size or sum(held.values()) > HELD_PIXELS:
            yield batch
            batch = []
    if batch:
        yield batch
