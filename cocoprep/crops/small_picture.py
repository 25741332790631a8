"""A photograph made small and grey, at the least work: what it is compared by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.crops.jpeg import decode_photograph
from cocoprep.crops.pixels import open_picture, to_rgb
from cocoprep.errors import ImageError


def decode_thumbnail(data: bytes, name: str, side: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return a photograph squeezed to a square, and its size. Its EXIF orientation is not applied.

    Args:
        data: the file.
        name: of the photograph, for errors.
        side: of the square, in pixels.

    Returns:
        (side, side) uint8 grey, and the stored (width, height).

    Raises:
        ImageError: not an image, too large, cut short or damaged.
    """
    try:
        image = open_picture(data, name)
        size = image.size
        return squeeze(_decode(data, image, name, 2 * side), side), size
    except (ImageError, MemoryError):  # want of memory is not the photograph's fault
        raise
    except Exception as error:  # decoders raise whatever a hostile file provokes
        raise ImageError(f"{name}: cannot be decoded ({type(error).__name__}: {error})") from error


def squeeze(picture: Image.Image, side: int) -> NDArray[np.uint8]:
    """Return a picture as (side, side) uint8 grey, whatever its aspect."""
    return np.asarray(picture.convert("L").resize((side, side), Image.Resampling.BILINEAR))


def _decode(data: bytes, image: Image.Image, name: str, least: int) -> Image.Image:
    if image.format in ("JPEG", "MPO") and image.mode != "CMYK":
        pixels = decode_photograph(data, "GRAY", name, least=least)
        if pixels is not None:
            return Image.fromarray(pixels[:, :, 0])
    image.load()
    return to_rgb(image)
