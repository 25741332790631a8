"""People on photographs, as a user has them: a photograph and boxes in, joints out, batch by batch.

Files are not trusted, as in `cocoprep.crops.pixels`. What cannot be used is told and left out; the rest goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.checks import require_number
from cocoprep.coco.annotations import ImageInfo, parse_annotation_file
from cocoprep.coco.entries import NO_MEANINGS
from cocoprep.coco.people import parse_entries
from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.file_names import find_names
from cocoprep.crops.image_source import MAX_FILE_BYTES, ImageReader
from cocoprep.crops.named_images import Refusing
from cocoprep.crops.orientation import ExifTally
from cocoprep.crops.photographs import open_images
from cocoprep.crops.pixels import MAX_PIXELS, crop_image, decode_image
from cocoprep.errors import AnnotationError, ImageError
from cocoprep.model.predict.joints import Joints, joints_in_image
from cocoprep.model.predict.predictor import Predictor
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import BBox, box_fault, canonical_window
from cocoprep.pose.heatmaps import Decoder
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

ENDINGS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
HELD_PIXELS = MAX_PIXELS  # of photographs that wait for the rest of a batch
OnFault = Callable[[str, str], None]  # told of what: a file's or an entry's name, and what is wrong with it


@dataclass(frozen=True)
class Listed:
    """A photograph to look at.

    Attributes:
        image_id: of its results.
        name: as the user knows it.
        boxes: x, y, width, height in pixels of the photograph; None for the whole of it.
        load: reads and decodes it to RGB; raises ImageError.
    """

    image_id: int
    name: str
    boxes: tuple[BBox, ...] | None
    load: Callable[[], Image.Image] = field(repr=False)

    @property
    def people(self) -> int:
        """Return how many people are to be looked for."""
        return 1 if self.boxes is None else len(self.boxes)


@dataclass(frozen=True)
class PredictedPhotograph:
    """A photograph that has been looked at: its N boxes that could be used, and the joints found in each."""

    listed: Listed
    photograph: Image.Image
    boxes: list[BBox]
    joints: Joints


def list_files(
    paths: Sequence[str], boxes: Sequence[BBox], on_fault: OnFault, files: FileStore = AnyFiles()
) -> list[Listed]:
    """List files and the pictures right within folders, each once; image ids count from 1.

    Args:
        paths: of files and folders; a folder's pictures, known by their endings, come in the order of their names.
        boxes: that each picture is looked at in; none for the whole of it.
        on_fault: told of a folder without pictures.
        files: where they lie; by default, on this machine or in a bucket, as each path says.
    """
    found: dict[str, str] = {}
    for path in paths:
        inner = _pictures_in(path, on_fault, files) if files.is_folder(path) else [path]
        for file in inner:
            found.setdefault(real_path(file), file)
    chosen = tuple(boxes) or None
    return [Listed(n, name, chosen, partial(read_picture, name, files)) for n, name in enumerate(found.values(), 1)]


def _pictures_in(folder: str, on_fault: OnFault, files: FileStore) -> list[str]:
    names = [n for n in files.list_names(folder) if n.lower().endswith(ENDINGS) and not n.startswith(".")]
    pictures = [files.join(folder, name) for name in names]
    if "://" not in folder:  # in a bucket that would be a request a picture, to find what nobody has
        pictures = [path for path in pictures if not files.is_folder(path)]
    if not pictures:
        on_fault(folder, f"{folder!r}: expected pictures ({', '.join(ENDINGS)}) right within the folder, found none")
    return pictures


def read_picture(path: str, files: FileStore = AnyFiles()) -> Image.Image:
    """Read a user's own photograph to RGB, upright: its EXIF orientation is applied, as every viewer does.

    `files` is where it lies; by default, on this machine or in a bucket, as its path says.

    Raises:
        ImageError: no such file, not a picture, too large, or cut short.
    """
    folder, name = os.path.split(real_path(path))
    try:
        data = files.read_contained(folder, name, max_bytes=MAX_FILE_BYTES)
    except ImageError as error:
        if files.exists(path):
            raise
        raise ImageError(f"{path!r}: no such file") from error
    return decode_image(data, ImageInfo(0, path, 0, 0), "upright")


def list_annotated(
    annotations: str,
    images: str,
    on_fault: OnFault,
    *,
    category: str | None = None,
    meanings: Mapping[int, int] = NO_MEANINGS,
    min_keypoints: int = 0,
    exif: Exif = "auto",
    follow_links: bool = False,
    on_note: Callable[[str], None] = lambda note: None,
    files: FileStore = AnyFiles(),
    out: ExifTally | None = None,
) -> tuple[list[Listed], int]:
    """List the photographs of a COCO keypoints file with the boxes of its people; crowds are left out.

    Args:
        annotations: the file.
        images: the folder, zip or tar of its photographs.
        on_fault: told of entries that cannot be used.
        category: whose boxes; None for the person, or the only category with joints.
        meanings: what the file's visibilities mean, where the user says so.
        min_keypoints: how many labelled joints a person must have.
        exif: whether photographs are taken as stored or upright, as in a build.
        follow_links: links in the folder may lead out of it.
        on_note: told what was guessed of the photographs' names.
        files: where file and photographs lie; by default, on this machine or in a bucket, as each path says.
        out: counts what became of the EXIF orientation of photographs, once they are loaded.

    Returns:
        The photographs in order of their ids, and the id of the file's category.

    Raises:
        AnnotationError: the file as a whole cannot be used.
        ConfigError: no photographs are there.
    """
    expected = "a JSON file of COCO person keypoints"
    data = read_user_file(annotations, files, expected, refusal=AnnotationError, option="--annotations")
    file = parse_annotation_file(data, annotations, category=category, meanings=meanings)
    source = open_images(images, files, follow_links=follow_links)
    names = find_names((info.file_name for info in file.images.values()), source)
    for note in names.notes:
        on_note(note)
    photographs = Refusing(source, names.refused)
    boxes: dict[int, list[BBox]] = {}
    for entry in parse_entries(file):
        person = entry.person
        if entry.is_other:
            continue
        if person is None or entry.image_id is None:
            on_fault(f"row {entry.row}", f"{annotations}: row {entry.row} of 'annotations': {entry.fault}")
        elif not person.is_crowd and person.num_keypoints >= min_keypoints:
            boxes.setdefault(entry.image_id, []).append(person.bbox)
    listed = [
        Listed(image_id, info.file_name, tuple(boxes[image_id]), partial(_read_listed, photographs, info, exif, out))
        for image_id, info in sorted(names.rename(file.images).items())
        if image_id in boxes
    ]
    return listed, file.joints.category_id


def _read_listed(source: ImageReader, info: ImageInfo, exif: Exif, out: ExifTally | None) -> Image.Image:
    return decode_image(source.read(info.file_name), info, exif, out=out)


def predict_photographs(
    predictor: Predictor,
    listed: Iterable[Listed],
    on_fault: OnFault,
    *,
    decoder: Decoder = "taylor",
    batch_size: int = 8,
    on_batch: Callable[[int, float], None] = lambda people, seconds: None,
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

    Raises:
        ConfigError: the batch size is not positive.
    """
    require_number("--batch-size", batch_size, 1, whole=True)
    blank = np.zeros((batch_size, *predictor.crop.input_size, 3), np.uint8)
    warm = False
    for batch in _batches(_people(listed, predictor, on_fault), batch_size):
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
    """A photograph whose people are being looked at."""

    listed: Listed
    photograph: Image.Image
    boxes: list[BBox]
    found: list[tuple[NDArray[np.float64], NDArray[np.float64], np.float64]] = field(default_factory=list)

    def seen(self) -> PredictedPhotograph:
        keypoints, confidence, scores = (np.stack(part) for part in zip(*self.found, strict=True))
        return PredictedPhotograph(self.listed, self.photograph, self.boxes, Joints(keypoints, confidence, scores))


@dataclass(frozen=True)
class _CutPerson:
    of: _Opened
    window: CropWindow
    crop: NDArray[np.uint8]


def _people(listed: Iterable[Listed], predictor: Predictor, on_fault: OnFault) -> Iterator[_CutPerson]:
    """Open one photograph after another and cut its people out."""
    geometry = predictor.crop.config()
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
        boxes = [box for box, fault in zip(wanted, faults, strict=True) if fault is None]
        opened = _Opened(one, photograph, boxes)
        for box in boxes:
            window = canonical_window(box, (photograph.height, photograph.width), geometry)
            yield _CutPerson(opened, window, np.asarray(crop_image(photograph, window, geometry.input_size)))


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
