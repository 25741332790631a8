"""Sizes that the annotation file does not state, read from the photographs' headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from cocoprep.coco.annotations import ImageInfo
from cocoprep.coco.suspicions import WARNING
from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.header_size import read_size
from cocoprep.crops.image_source import StartReader
from cocoprep.errors import ImageError
from cocoprep.pose.nouns import counted


class SizeReader:
    """Finds out sizes, and tells of it.

    A photograph that cannot be read keeps no size. Its people stay until it is to be cropped, as those of every other
    photograph that cannot be read.
    """

    def __init__(self, open_source: Callable[[], StartReader], exif: Exif) -> None:
        """Begin with none; the photographs are opened where one is to be looked at."""
        self._open, self._exif = open_source, exif
        self._read = self._failed = 0
        self._doubtful: list[str] = []

    def read(self, images: Iterable[ImageInfo]) -> dict[int, ImageInfo]:
        """Return the entries of photographs by id, each with its size where that can be read."""
        entries = sorted(images, key=lambda image: image.image_id)
        source = self._open() if entries else None
        return {entry.image_id: self._measured(entry, source) for entry in entries if source}

    def _measured(self, entry: ImageInfo, source: StartReader) -> ImageInfo:
        try:
            (width, height), is_doubtful = read_size(entry.file_name, source, self._exif)
        except ImageError:  # told with its reason when it is to be cropped
            self._failed += 1
            return entry
        self._read += 1
        if is_doubtful:
            self._doubtful.append(entry.file_name)
        return replace(entry, width=width, height=height)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was found out, in sentences."""
        if not self._read + self._failed:
            return ()
        note = counted(self._read + self._failed, "photographs state no size: that of the picture is taken")
        if self._failed:
            note += f"; {self._failed} of them cannot be read, so their people will be dropped"
        if not self._doubtful:
            return (note,)
        return note, (
            f"{WARNING}{len(self._doubtful)} of those, such as {self._doubtful[0]!r:.200}, lie on their side by their "
            "EXIF orientation, and are taken as stored. If their labels are of what viewers show, build with --exif "
            "upright; --exif stored says that they are not"
        )
