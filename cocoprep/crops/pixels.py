"""Photographs: where they come from (a folder or a zip), decoding, cropping, JPEG encoding.

Files are not trusted: names may not leave the folder, and no file may exhaust memory.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cocoprep.coco.annotations import ImageInfo
from cocoprep.errors import ImageError
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import visible_span

MAX_PIXELS = 1 << 26  # Pillow holds RGB in 4 bytes a pixel: 268 MB
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")  # an MPO, as some cameras write, opens as the JPEG it begins with
FILL_RGB = (124, 116, 104)  # ImageNet's mean colour: near zero once a network has normalised it

# Sizes are checked here, against the annotation file, before a pixel is decoded.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


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
    except (ImageError, MemoryError):  # want of memory is not the photograph's fault
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
