"""Photographs that are opened once in a process, however many pieces of work it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.image_source import ImageReader, ImageSource, Place
from cocoprep.crops.photographs import open_images
from cocoprep.crops.pixels import decode_image
from cocoprep.storage.store import FileStore


@dataclass(frozen=True)
class Opener:
    """Opens folders, zips and tars of photographs. It pickles.

    Attributes:
        files: where they lie.
        follow_links: links within a folder may lead out of it.
    """

    files: FileStore
    follow_links: bool = False

    def open(self, path: str) -> ImageSource:
        """Return a folder, zip or tar, opened. Raises ConfigError as `open_images`."""
        return _opened(path, self, knows_all=True)

    def open_part(self, path: str, places: Mapping[str, Place]) -> ImageSource:
        """Return a folder, zip or tar, opened, of which another process has told all that is needed, if it must be."""
        if not places:
            return self.open(path)
        images = _opened(path, self, knows_all=False)
        images.learn(places)
        return images


@lru_cache(maxsize=8)
def _opened(path: str, opener: Opener, *, knows_all: bool) -> ImageSource:
    del knows_all  # tells those apart that know but a part
    return open_images(path, opener.files, follow_links=opener.follow_links)


def read_pixels(images: ImageReader, name: str) -> Image.Image:
    """Return a photograph's pixels as they are stored, RGB. Raises ImageError where they cannot be read."""
    return decode_image(images.read(name), ImageInfo(0, name, 0, 0), "stored")


def close_all() -> None:
    """Forget what is open: what lies under a path may change."""
    _opened.cache_clear()
