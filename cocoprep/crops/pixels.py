"""Pixels: decoding photographs, cropping, JPEG encoding.

Files are not trusted: none may exhaust memory, and what is damaged is refused.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.jpeg import decode_photograph
from cocoprep.crops.orientation import ExifTally, how_it_lies, orientation_of, upright_size
from cocoprep.errors import ImageError
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import visible_span

# Pillow holds RGB in 4 bytes a pixel, 268 MB; with the decoder's own, or a copy that is turned, 8 bytes for a moment.
MAX_PIXELS = 1 << 26
MAX_WEBP_PIXELS = MAX_PIXELS // 2  # decoders of WebP hold 16 bytes a pixel
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")  # an MPO, as some cameras write, opens as the JPEG it begins with
FILL_RGB = (124, 116, 104)  # ImageNet's mean colour: near zero once a network has normalised it

# Sizes are checked here, against the annotation file, before a pixel is decoded.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Of EXIF that is damaged: all that is asked of it is how a picture lies, and then it lies as it is stored.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def decode_image(data: bytes, info: ImageInfo, exif: Exif = "auto", *, out: ExifTally | None = None) -> Image.Image:
    """Decode a photograph to 8-bit RGB; `FILL_RGB` where it is transparent.

    Args:
        data: the file.
        info: its entry in the annotation file; where that states no size, any will do.
        exif: whether its pixels are taken as stored or upright, see `how_it_lies`.
        out: counts what became of its EXIF orientation.

    Raises:
        ImageError: not an image, of another size than the annotation file says, too large, cut short or damaged.
    """
    name = repr(info.file_name)
    try:
        image = open_picture(data, name)
        lying = how_it_lies(info, image.size, orientation_of(image), exif)
        picture = _decode(data, image, name)
        if lying.turn is not None:
            picture = picture.transpose(lying.turn)
    except (ImageError, MemoryError):  # want of memory is not the photograph's fault
        raise
    except Exception as error:  # decoders raise whatever a hostile file provokes
        raise ImageError(f"{name}: cannot be decoded ({type(error).__name__}: {error})") from error
    if out is not None:
        out.add(lying.tally(info.file_name))
    return picture


def open_picture(data: bytes, name: str) -> Image.Image:
    """Open a picture of which no pixel is decoded yet.

    Raises:
        ImageError: not an image, or too large; besides, whatever a hostile file provokes.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: expected a JPEG, PNG, WebP or BMP picture, found {len(data)} bytes that are none"
        ) from error
    most = MAX_WEBP_PIXELS if image.format == "WEBP" else MAX_PIXELS
    if image.width * image.height > most:
        raise ImageError(f"{name}: {image.width} x {image.height} pixels, more than the limit of {most}")
    return image


def size_of(data: bytes, name: str, exif: Exif) -> tuple[tuple[int, int], bool]:
    """Return the (width, height) of a picture by its header, and whether that hangs upon how it is taken.

    Args:
        data: the file, or as much of it as its header takes.
        name: of the picture, for errors.
        exif: whether it is taken as stored or upright; where nothing states its size, `auto` takes it as stored.

    Raises:
        ImageError: not an image, too large, or its header is damaged or cut short.
    """
    try:
        image = open_picture(data, name)
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # decoders raise whatever a hostile file provokes
        raise ImageError(f"{name}: its header cannot be read ({type(error).__name__}: {error})") from error
    upright = upright_size(image.size, orientation_of(image))
    return upright if exif == "upright" else image.size, exif == "auto" and upright != image.size


def _decode(data: bytes, image: Image.Image, name: str) -> Image.Image:
    """Return an opened picture's pixels as they are stored, RGB."""
    if image.format in ("JPEG", "MPO"):
        pixels = decode_photograph(data, "CMYK" if image.mode == "CMYK" else "RGB", name)
        if pixels is not None and image.mode != "CMYK":
            return Image.fromarray(pixels)
    image.load()
    return to_rgb(image)


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a decoded picture as 8-bit RGB, `FILL_RGB` where it is transparent."""
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
