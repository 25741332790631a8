"""Photographs: where they come from (a folder or a zip), decoding, cropping, JPEG encoding.

Files are not trusted: names may not leave the folder, and no file may exhaust memory.
"""

from __future__ import annotations

import io
import re
import stat
import warnings
import weakref
import zipfile
import zlib
from functools import cached_property
from pathlib import PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cocoprep.affine import CropWindow
from cocoprep.annotations import ImageInfo
from cocoprep.boxes import visible_span
from cocoprep.errors import ConfigError, ImageError, StoreError
from cocoprep.files import FileStore

MAX_FILE_BYTES = 1 << 28
MAX_PIXELS = 1 << 26  # Pillow holds RGB in 4 bytes a pixel: 268 MB
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")  # an MPO, as some cameras write, opens as the JPEG it begins with
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a limit on memory
_ELSEWHERE = re.compile(r"/|[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*://")  # absolute, a drive, a URL
FILL_RGB = (124, 116, 104)  # ImageNet's mean colour: near zero once a network has normalised it

# Sizes are checked here, against the annotation file, before a pixel is decoded.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class ImageSource(Protocol):
    """Where photographs come from."""

    def read(self, file_name: str) -> bytes:
        """Return a photograph's file. Raises ImageError where there is none, or none that may be read."""
        ...

    def digest(self, file_name: str) -> str | None:
        """Return `content_digest` of the file, at the least cost; None where it cannot be read."""
        ...


def open_images(path: str, files: FileStore) -> ImageSource:
    """Open a folder or a .zip of photographs.

    Raises:
        ConfigError: neither is there, or the zip cannot be read.
    """
    if files.is_folder(path):
        return ImageFolder(path, files)
    if not files.exists(path):
        raise ConfigError(f"--images: expected a folder or a .zip of photographs, found nothing at {path}.")
    try:
        return ImageZip(path, files)
    except StoreError:
        raise
    except Exception as error:  # zipfile raises whatever a hostile directory provokes
        raise ConfigError(
            f"--images: {path} is not a zip that can be read ({error}). It may be cut short: compare its size with the "
            "source's and fetch it again."
        ) from error


def content_digest(data: bytes) -> str:
    """Return size and CRC-32 of a file's content: what a zip's directory holds, so that it costs no reading there."""
    return _digest(len(data), zlib.crc32(data))


def _digest(size: int, crc32: int) -> str:
    return f"{size}-{crc32:08x}"


def check_file_name(file_name: str) -> None:
    """Raise ImageError where a name from an annotation file could lead out of the image folder."""
    parts = file_name.split("/")
    odd = set(parts) <= {"", "."} or ".." in parts or "\\" in file_name or "\0" in file_name
    if odd or _ELSEWHERE.match(file_name):
        raise ImageError(
            f"file_name {file_name!r}: expected a relative path with forward slashes that stays within the image folder"
        )


class ImageFolder:
    """Photographs as files under one folder."""

    def __init__(self, path: str, files: FileStore) -> None:
        self._path, self._files = path, files

    def read(self, file_name: str) -> bytes:
        """See `ImageSource`."""
        check_file_name(file_name)
        return self._files.read_contained(self._path, file_name, max_bytes=MAX_FILE_BYTES)

    def digest(self, file_name: str) -> str | None:
        """See `ImageSource`."""
        try:
            return content_digest(self.read(file_name))
        except ImageError:
            return None


class ImageZip:
    """Photographs as members of one zip, read in place: nothing is unpacked.

    A photograph is found under its own name, under a folder of the zip's name (as in COCO's zips), or under the one
    folder that all members share.
    """

    def __init__(self, path: str, files: FileStore) -> None:
        stream = files.open_read(path)
        weakref.finalize(self, stream.close)  # a ZipFile closes only what it has opened itself
        self._zip = zipfile.ZipFile(stream)
        self._stem = PurePosixPath(path).stem

    @cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo | None]:
        """Index the members by name; a name used twice maps to None."""
        members: dict[str, zipfile.ZipInfo | None] = {}
        for info in self._zip.infolist():
            if not info.is_dir():
                members[info.filename] = None if info.filename in members else info
        return members

    @cached_property
    def _folders(self) -> tuple[str, ...]:
        tops = {name.split("/", 1)[0] for name in self._members if "/" in name} - {"__MACOSX"}  # a Mac's own notes
        shared = tops if len(tops) == 1 else set()
        return ("", f"{self._stem}/", *(f"{top}/" for top in shared))

    def _find(self, file_name: str) -> zipfile.ZipInfo:
        check_file_name(file_name)
        name = next((f + file_name for f in self._folders if f + file_name in self._members), None)
        if name is None:
            raise ImageError(f"{file_name!r}: no such member in the zip")
        info = self._members[name]
        if info is None:
            raise ImageError(f"{file_name!r}: the zip holds this name more than once")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ImageError(f"{file_name!r}: a symbolic link in the zip")
        if info.flag_bits & 1:
            raise ImageError(f"{file_name!r}: encrypted in the zip")
        if info.compress_type not in ZIP_METHODS:
            raise ImageError(f"{file_name!r}: zip method {info.compress_type}, expected stored or deflated")
        if info.file_size > MAX_FILE_BYTES:
            raise ImageError(f"{file_name!r}: {info.file_size} bytes, more than the limit of {MAX_FILE_BYTES}")
        return info

    def read(self, file_name: str) -> bytes:
        """See `ImageSource`."""
        info = self._find(file_name)
        try:
            with self._zip.open(info) as member:
                return member.read(info.file_size)  # no more, whatever the packed data unpack to; checks the CRC too
        except StoreError:  # not the photograph's fault
            raise
        except Exception as error:  # zipfile raises whatever a hostile member provokes
            raise ImageError(f"{file_name!r}: damaged in the zip ({error})") from error

    def digest(self, file_name: str) -> str | None:
        """See `ImageSource`. Taken from the zip's directory: no member is read."""
        try:
            info = self._find(file_name)
        except ImageError:
            return None
        return _digest(info.file_size, info.CRC)


def decode_image(data: bytes, info: ImageInfo) -> Image.Image:
    """Decode a photograph to 8-bit RGB as stored, EXIF orientation not applied.

    Raises:
        ImageError: not an image, of another size than the annotation file says, too large, or cut short.
    """
    name = repr(info.file_name)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if (width, height) != (info.width, info.height):
            raise ImageError(
                f"{name}: {width} x {height} pixels, but the annotation file says {info.width} x {info.height}"
            )
        if width * height > MAX_PIXELS:
            raise ImageError(f"{name}: {width} x {height} pixels, more than the limit of {MAX_PIXELS}")
        image.load()
        return _to_rgb(image)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: expected a JPEG, PNG, WebP or BMP picture, found {len(data)} bytes that are none"
        ) from error
    except Exception as error:  # decoders raise whatever a hostile file provokes
        raise ImageError(f"{name}: cannot be decoded ({type(error).__name__}: {error})") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow would clip 16-bit grey to white; keep its high byte instead.
        return Image.fromarray(np.clip(np.asarray(image) >> 8, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "P":
        image = image.convert("RGBA")  # by way of its palette's own transparency, which RGB drops without a word
    return image if image.mode == "RGB" else image.convert("RGB")


def crop_image(image: Image.Image, window: CropWindow, size: tuple[int, int]) -> Image.Image:
    """Resize a window of an RGB image to `size` (H, W) with antialiasing, filled where it leaves the image.

    Only the visible part is resized, so memory never exceeds its pixels plus the output, however large the window. A
    pixel that lies partly outside the image is filled.
    """
    height, width = size
    left, right = visible_span(window.x0, window.width, width, image.width)
    top, bottom = visible_span(window.y0, window.height, height, image.height)
    if right == left or bottom == top:
        return Image.new("RGB", (width, height), FILL_RGB)
    x_step, y_step = window.width / width, window.height / height
    box = (
        max(0.0, window.x0 + left * x_step),
        max(0.0, window.y0 + top * y_step),
        min(image.width, window.x0 + right * x_step),
        min(image.height, window.y0 + bottom * y_step),
    )
    visible = image.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=box)
    if visible.size == (width, height):
        return visible
    crop = Image.new("RGB", (width, height), FILL_RGB)
    crop.paste(visible, (left, top))
    return crop


def encode_jpeg(crop: Image.Image, quality: int) -> bytes:
    """Encode an RGB crop as JPEG."""
    stream = io.BytesIO()
    crop.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """Decode a stored crop to (H, W, 3) uint8."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return np.array(image.convert("RGB"))
