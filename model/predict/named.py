"""Photographs that a file names, among those of a folder, a zip or a tar, with the boxes to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from PIL import Image

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.file_names import find_names
from cocoprep.crops.image_source import ImageReader, ImageSource
from cocoprep.crops.named_images import Refusing
from cocoprep.crops.orientation import ExifTally
from cocoprep.crops.pixels import decode_image
from cocoprep.crops.sourced_images import open_all_images
from cocoprep.model.predict.listing import Listed
from cocoprep.pose.boxes import BBox
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore


@dataclass(frozen=True)
class Photographs:
    """Where photographs lie, and how they are taken.

    Attributes:
        paths: of a folder, a zip or a tar, by the source's name; of one without a name, by "".
        files: where these lie; by default, on this machine or in a bucket, as each path says.
        exif: whether they are taken as stored or upright, as in a build.
        follow_links: links in the folder may lead out of it.
        tally: counts what became of their EXIF orientation, once they are loaded.
    """

    paths: Mapping[str, str]
    files: FileStore = AnyFiles()
    exif: Exif = "auto"
    follow_links: bool = False
    tally: ExifTally | None = None

    def open(self) -> ImageSource:
        """Return the source of photographs. Raises ConfigError where none are there."""
        return open_all_images(self.paths, self.files, follow_links=self.follow_links)

    @property
    def place(self) -> str:
        """Say where they lie."""
        return ", ".join(self.paths.values())

    def load(self, source: ImageReader, info: ImageInfo) -> Image.Image:
        """Read and decode one photograph to RGB. Raises ImageError."""
        return decode_image(source.read(info.file_name), info, self.exif, out=self.tally)


@dataclass(frozen=True)
class Boxes:
    """The boxes on a photograph, to be filled: x, y, width, height; where a detector's, how sure it is of each."""

    bbox: list[BBox] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


def list_named(
    images: Mapping[int, ImageInfo],
    boxes: Mapping[int, Boxes],
    photographs: Photographs,
    *,
    source_ids: Mapping[int, str] = MappingProxyType({}),
    source: ImageSource | None = None,
    on_note: Callable[[str], None] = lambda note: None,
) -> list[Listed]:
    """List photographs that have boxes, in order of their ids.

    Args:
        images: all that the file names, by id.
        boxes: by image id.
        photographs: where they lie.
        source_ids: of images whose own id is no number, that id.
        source: of the photographs, where it is open already.
        on_note: told what was guessed of the photographs' names.

    Raises:
        ConfigError: no photographs are there.
    """
    source = source or photographs.open()
    names = find_names((info.file_name for info in images.values()), source)
    for note in names.notes:
        on_note(note)
    readable = Refusing(source, names.refused)
    return [
        Listed(
            image_id,
            info.file_name,
            tuple(boxes[image_id].bbox),
            partial(photographs.load, readable, info),
            source_ids.get(image_id),
            tuple(boxes[image_id].scores) or None,
        )
        for image_id, info in sorted(names.rename(images).items())
        if image_id in boxes
    ]
