"""Photographs to look at, as a user names them: pictures and folders of pictures.

Files are not trusted, as in `cocoprep.crops.pixels`. What cannot be used is told and left out; the rest goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from PIL import Image

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.image_source import MAX_FILE_BYTES
from cocoprep.crops.photographs_by_id import ENDINGS
from cocoprep.crops.pixels import decode_image
from cocoprep.errors import ImageError
from cocoprep.pose.boxes import BBox
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore

OnFault = Callable[[str, str], None]  # told of what: a file's or an entry's name, and what is wrong with it


@dataclass(frozen=True)
class Listed:
    """A photograph to look at.

    Attributes:
        image_id: of its results.
        name: as the user knows it.
        boxes: x, y, width, height in pixels of the photograph; None for the whole of it.
        scores: how sure a detector is of each box; None where none has said.
        load: reads and decodes it to RGB; raises ImageError.
        source_id: of an image whose own id is no number, that id.
    """

    image_id: int
    name: str
    boxes: tuple[BBox, ...] | None
    load: Callable[[], Image.Image] = field(repr=False)
    source_id: str | None = None
    scores: tuple[float, ...] | None = None

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
