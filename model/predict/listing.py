"""Photographs to look at, as a user names them: pictures, folders of pictures, or the boxes of a COCO file.

Files are not trusted, as in `cocoprep.crops.pixels`. What cannot be used is told and left out; the rest goes on.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from PIL import Image

from cocoprep.coco.annotations import AnnotationFile, ImageInfo, parse_annotation_file
from cocoprep.coco.entries import (
    BACKSLASH,
    BY_FILE,
    NO_BOX,
    NO_MEANINGS,
    TEXT_IMAGE_ID,
    TEXT_NUMBER,
    guess_notes,
)
from cocoprep.coco.ids import TWICE
from cocoprep.coco.people import parse_entries
from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.file_names import find_names
from cocoprep.crops.image_source import MAX_FILE_BYTES, ImageReader
from cocoprep.crops.named_images import Refusing
from cocoprep.crops.orientation import ExifTally
from cocoprep.crops.photographs import open_images
from cocoprep.crops.pixels import decode_image
from cocoprep.errors import AnnotationError, ImageError
from cocoprep.pose.boxes import BBox
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import counted
from cocoprep.pose.tables import COCO_17
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

ENDINGS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
_OF_BOXES = (
    TEXT_IMAGE_ID,
    BY_FILE,
    TEXT_NUMBER,
    NO_BOX,
    TWICE,
    BACKSLASH,
)  # guesses that tell on what is predicted, and where
OnFault = Callable[[str, str], None]  # told of what: a file's or an entry's name, and what is wrong with it


@dataclass(frozen=True)
class Listed:
    """A photograph to look at.

    Attributes:
        image_id: of its results.
        name: as the user knows it.
        boxes: x, y, width, height in pixels of the photograph; None for the whole of it.
        load: reads and decodes it to RGB; raises ImageError.
        source_id: of an image whose own id is no number, that id.
    """

    image_id: int
    name: str
    boxes: tuple[BBox, ...] | None
    load: Callable[[], Image.Image] = field(repr=False)
    source_id: str | None = None

    @property
    def people(self) -> int:
        """Return how many people are to be looked for."""
        return 1 if self.boxes is None else len(self.boxes)


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
    meanings: Mapping[float, int] = NO_MEANINGS,
    table: KeypointTable = COCO_17,
    min_keypoints: int = 0,
    exif: Exif = "auto",
    follow_links: bool = False,
    on_note: Callable[[str], None] = lambda note: None,
    files: FileStore = AnyFiles(),
    out: ExifTally | None = None,
) -> tuple[list[Listed], int]:
    """List the photographs of a COCO file with the boxes of its people, whatever their joints; crowds are left out.

    Args:
        annotations: the file.
        images: the folder, zip or tar of its photographs.
        on_fault: told of entries that cannot be used.
        category: whose boxes; None for the person, or the only category with joints.
        meanings: what the file's visibilities mean, where the user says so.
        table: the joints of a category that lists none, where its people have as many.
        min_keypoints: how many labelled joints a person must have.
        exif: whether photographs are taken as stored or upright, as in a build.
        follow_links: links in the folder may lead out of it.
        on_note: told what was guessed of boxes, ids and the photographs' names.
        files: where file and photographs lie; by default, on this machine or in a bucket, as each path says.
        out: counts what became of the EXIF orientation of photographs, once they are loaded.

    Returns:
        The photographs in order of their ids, and the id of the file's category.

    Raises:
        AnnotationError: the file as a whole cannot be used.
        ConfigError: no photographs are there.
    """
    expected = "a JSON file of COCO keypoints"
    data = read_user_file(annotations, files, expected, refusal=AnnotationError, option="--annotations")
    file = parse_annotation_file(
        data, annotations, category=category, meanings=meanings, unlisted=table, boxes_only=True
    )
    source = open_images(images, files, follow_links=follow_links)
    names = find_names((info.file_name for info in file.images.values()), source)
    boxes, notes = _boxes_of(file, annotations, on_fault, min_keypoints)
    for note in (*notes, *names.notes):
        on_note(note)
    photographs = Refusing(source, names.refused)
    listed = [
        Listed(
            image_id,
            info.file_name,
            tuple(boxes[image_id]),
            partial(_read_listed, photographs, info, exif, out),
            file.source_ids.get(image_id),
        )
        for image_id, info in sorted(names.rename(file.images).items())
        if image_id in boxes
    ]
    return listed, file.joints.category_id


def _boxes_of(
    file: AnnotationFile, path: str, on_fault: OnFault, min_keypoints: int
) -> tuple[dict[int, list[BBox]], list[str]]:
    """Return the boxes by image, and what was guessed of them, in sentences."""
    boxes: dict[int, list[BBox]] = {}
    nobody = 0
    for entry in parse_entries(file):
        person = entry.person
        if entry.fault is not None:
            on_fault(f"row {entry.row}", f"{path}: row {entry.row} of 'annotations': {entry.fault}")
        if person is None or entry.image_id is None or person.is_crowd or person.num_keypoints < min_keypoints:
            continue
        if person.num_keypoints == 0 and not any(person.bbox[2:]):
            nobody += 1
            continue
        boxes.setdefault(entry.image_id, []).append(person.bbox)
    notes = list(guess_notes(Counter({kind: file.guesses[kind] for kind in _OF_BOXES})))
    if nobody:
        notes.append(counted(nobody, "annotations have neither a box nor labelled joints: passed over"))
    return boxes, notes


def _read_listed(source: ImageReader, info: ImageInfo, exif: Exif, out: ExifTally | None) -> Image.Image:
    return decode_image(source.read(info.file_name), info, exif, out=out)
