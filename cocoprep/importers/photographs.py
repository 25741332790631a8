"""The photographs that an import is of: where they are, what they are called there, and their sizes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.file_names import find_names
from cocoprep.crops.header_size import read_size
from cocoprep.crops.photographs import open_images
from cocoprep.errors import AnnotationError, ImageError
from cocoprep.importers.account import Account
from cocoprep.importers.dataset import Photograph
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

MISSING = "photographs are not there: listed without a size; a build drops their people"
UNREADABLE = "photographs cannot be read: listed without a size; a build drops their people"

OnCount = Callable[[int, int], None]


@dataclass(frozen=True)
class Source:
    """What is to be imported.

    Attributes:
        path: the file or folder that was named.
        files: where it lies.
        images: where photographs are, if the user says so.
        table: the joints, if the user says so.
        on_photograph: told how many of all photographs have been looked at.
    """

    path: str
    files: FileStore
    images: str | None = None
    table: KeypointTable | None = None
    on_photograph: OnCount = lambda done, total: None

    @property
    def folder(self) -> str:
        """Return the folder that the file lies in."""
        return os.path.dirname(self.path.rstrip("/")) or "."

    def file(self, *names: str) -> Source:
        """Return the source itself, or where it is a folder the first file of some names that lies in it."""
        if not self.files.is_folder(self.path):
            return self
        inner = (self.files.join(self.path, name) for name in names)
        return replace(self, path=next(filter(self.files.exists, inner), self.path))

    def read(self, expected: str) -> bytes:
        """Return the content of the file. Raises AnnotationError where there is none; see `read_user_file`."""
        return read_user_file(self.path, self.files, expected, refusal=AnnotationError)

    def find_images(self, candidates: Iterable[str]) -> str | None:
        """Return where photographs are: as the user says, or the first of some places that is a folder."""
        if self.images is not None:
            return self.images
        return next((place for place in candidates if self.files.is_folder(place)), None)

    def beside(self, *names: str) -> list[str]:
        """Return paths of names beside the file."""
        return [self.files.join(self.folder, name) if name else self.folder for name in names]


def measure(
    photographs: Sequence[Photograph], images: str | None, source: Source, account: Account, exif: Exif = "stored"
) -> list[Photograph]:
    """Return photographs by the names that they have, with the size that each has by its header.

    Args:
        photographs: as the file names them.
        images: their folder, zip or tar; None where that is not known.
        source: tells where it lies, and is told of progress.
        account: counts those that are missing or cannot be read.
        exif: whether sizes are those of the stored pixels or of the upright picture.

    Raises:
        ConfigError: `images` is none of these.
    """
    if images is None:
        account.guessed.add(
            "photographs are in no folder that was looked in: listed without a size. --images says where they are",
            number=len(photographs),
        )
        return list(photographs)
    there = open_images(images, source.files)
    found = find_names([one.file_name for one in photographs], there)
    measured = []
    for done, one in enumerate(photographs, 1):
        name = found.own.get(one.file_name, one.file_name)
        if one.file_name in found.absent or one.file_name in found.refused:
            account.guessed.add(MISSING, one.file_name)
        else:
            try:
                one = Photograph(name, *read_size(name, there, exif)[0])  # noqa: PLW2901 - the same one, measured
            except ImageError:
                account.guessed.add(UNREADABLE, name)
        measured.append(one)
        source.on_photograph(done, len(photographs))
    return measured
