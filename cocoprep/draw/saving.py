"""Pictures to files."""

from __future__ import annotations

from PIL import Image

from cocoprep.errors import ConfigError
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def picture_format(path: str) -> str:
    """Return the format that a file name asks for. Raises ConfigError where its ending names none."""
    for ending, name in FORMATS.items():
        if path.lower().endswith(ending):
            return name
    raise ConfigError(f"--out: expected a file name that ends in one of {', '.join(FORMATS)}, found {path}.")


def save_picture(picture: Image.Image, path: str, files: FileStore = AnyFiles()) -> None:
    """Write a picture, whole or not at all. Raises ConfigError for an unknown ending, OutputError if it cannot."""
    form = picture_format(path)
    with files.create(path) as stream:
        picture.save(stream, form, quality=92)
