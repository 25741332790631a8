"""The size of a photograph by its header, of which no more is read than it takes."""

from __future__ import annotations

from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.image_source import StartReader
from cocoprep.crops.pixels import size_of
from cocoprep.errors import ImageError

HEADER_BYTES = 1 << 17  # of a file, in which nearly every header ends, a camera's with its thumbnail too


def read_size(file_name: str, source: StartReader, exif: Exif) -> tuple[tuple[int, int], bool]:
    """Return the (width, height) of a photograph, and whether that hangs upon how it is taken; see `size_of`.

    Raises:
        ImageError: there is none, or its size cannot be read.
    """
    start = source.read_start(file_name, HEADER_BYTES)
    try:
        return size_of(start, repr(file_name), exif)
    except ImageError:
        if len(start) < HEADER_BYTES:
            raise
    return size_of(source.read(file_name), repr(file_name), exif)
