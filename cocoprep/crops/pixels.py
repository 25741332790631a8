"""Pixels: decoding photographs, cropping, JPEG encoding.

Files are not trusted: none may exhaust memory, and what is damaged is refused.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.jpeg import decode_photograph
from cocoprep.errors import ImageError
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import visible_span

MAX_PIXELS = 1 << 26  # Pillow holds RGB in 4 bytes a pixel, 268 MB; with the decoder's own, 7 bytes for a moment
MAX_WEBP_PIXELS = MAX_PIXELS // 2  # decoders of WebP hold 16 bytes a pixel
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")  # an MPO, as some cameras write, opens as the JPEG it begins with
FILL_RGB = (124, 116, 104)  # ImageNet's mean colour: near zero once a network has normalised it

# Sizes are checked here, against the annotation file, before a pixel is decoded.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Of EXIF that is damaged: all that is asked of it is how a picture lies, and then it lies as it is stored.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def decode_image(data: bytes, info: ImageInfo) -> Image.Image:
    """Decode a photograph to 8-bit RGB as stored, EXIF orientation not applied; `FILL_RGB` where it is transparent.

    Raises:
        ImageError: not an image, of another size than the annotation file says, too large, cut short or damaged.
    """
    name = repr(info.file_name)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if (width, height) != (info.width, info.height):
            raise ImageError(
                f"{name}: {width} x {height} pixels, but the annotation file says {info.width} x {info.height}"
            )
        most = MAX_WEBP_PIXELS if image.format == "WEBP" else MAX_PIXELS
        if width * height > most:
            raise ImageError(f"{name}: {width} x {height} pixels, more than the limit of {most}")
        if image.format in ("JPEG", "MPO"):
            pixels = decode_photograph(data, "CMYK" if image.mode == "CMYK" else "RGB", name)
            if pixels is not None and image.mode != "CMYK":
                return Image.fromarray(pixels)
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
    if image.has_transparency_data:
        # Below what is transparent lie colours that nobody has seen: there is no picture, as outside of it.
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (*FILL_RGB, 255))
        image = Image.alpha_composite(ground, image)
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
