"""JPEG photographs, decoded by libjpeg-turbo through simplejpeg, which tells of damage that Pillow decodes in silence.

What libjpeg warns of, it goes on after: with blocks that are shifted, of wrong colours, or grey to the end.
"""

from __future__ import annotations

import re

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from cocoprep.errors import ImageError

MAX_SCANS = 100  # each passes over the whole picture; encoders make 10, or 30 at most
_EOI, _SOI, _SOS = 0xD9, 0xD8, 0xDA
_EXTRANEOUS = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
_NO_END = "Premature end of JPEG file"
_DAMAGE = ("Corrupt JPEG data", _NO_END)
_END = bytes((0xFF, _EOI))
_MAX_SEGMENTS = 1 << 16  # before the pixels; more are not looked through
_STRAY_BYTES = 2  # no more of them are taken for an encoder's odd habit


def decode_photograph(data: bytes, colours: str, name: str, *, least: int = 0) -> NDArray[np.uint8] | None:
    """Decode a JPEG, EXIF orientation not applied.

    Args:
        data: the file.
        colours: `RGB`, `GRAY`, or `CMYK` where it has four components.
        name: of the photograph, for errors.
        least: as small as it comes at less work, but no side below so many pixels; 0 for as it is.

    Returns:
        (H, W, 3), (H, W, 1) or (H, W, 4) uint8; None where simplejpeg cannot decode it: Pillow may, or
        say what is wrong.

    Raises:
        ImageError: damaged, or of more than `MAX_SCANS` scans.
    """
    scans = data.count(bytes((0xFF, _SOS)))
    if scans > MAX_SCANS:
        raise ImageError(f"{name}: a JPEG of {scans} scans, more than the limit of {MAX_SCANS}")
    try:
        return _decode(data, colours, least, strict=True)
    except ValueError as error:
        warning = str(error)
    mended = _mend(warning, data)
    if mended != data:  # what that was is harmless, and there may be more
        return decode_photograph(mended, colours, name, least=least)
    if _is_damage(warning, data):
        raise ImageError(f"{name}: damaged ({warning:.200})")
    try:
        return _decode(data, colours, least, strict=False)
    except ValueError:
        return None


def decode_crop(data: bytes, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode a stored crop to (H, W, 3) uint8 RGB, the caller's own and bit for bit what Pillow decodes.

    Args:
        data: the JPEG.
        size: its (H, W), which is checked before memory is taken.

    Raises:
        ImageError: it is of another size.
        ValueError: it is none, or damaged.
    """
    height, width, *_ = simplejpeg.decode_jpeg_header(data)
    if (height, width) != size:
        raise ImageError(f"expected a JPEG of {size[0]} x {size[1]} pixels, found {height} x {width}")
    return _decode(data, "RGB", 0, strict=True)


def _decode(data: bytes, colours: str, least: int, *, strict: bool) -> NDArray[np.uint8]:
    # As Pillow does, to the bit, unless it is to be small.
    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
        data, colours, fastdct=least > 0, fastupsample=False, min_height=least, min_width=least, strict=strict
    )
    return pixels


def _mend(warning: str, data: bytes) -> bytes:
    """Return a JPEG without what libjpeg warns of, where it lies outside of the pixels; else as it is."""
    if _NO_END in warning and not data.endswith(_END):
        return data + _END
    return _without_junk(data)[0] if _EXTRANEOUS.search(warning) else data


def _is_damage(warning: str, data: bytes) -> bool:
    """Tell whether libjpeg's words mean that pixels are wrong."""
    found = _EXTRANEOUS.search(warning)
    if found is None:
        return any(words in warning for words in _DAMAGE)
    count, marker = int(found[1]), int(found[2], 16)
    if marker != _EOI:
        return count > _STRAY_BYTES
    # Coded pixels that are left over mean that those before were read at a wrong place; padding means nothing.
    end = data.find(_END, _without_junk(data)[1])
    return count > _STRAY_BYTES and len(set(data[end - count : end])) > 1


def _without_junk(data: bytes) -> tuple[bytes, int]:
    """Return a JPEG without what lies between the segments before its first scan, and where that scan begins."""
    place, sound = 2, bytearray(data[:2])
    for _ in range(_MAX_SEGMENTS):
        place = data.find(b"\xff", place)
        if place < 0 or place + 4 > len(data):
            break
        marker = data[place + 1]
        if marker in (0x00, 0x01, _SOI, 0xFF):  # junk; no segment; or fill
            place += 1
        elif marker == _SOS:
            return bytes(sound) + data[place:], len(sound)
        else:
            end = place + 2 + int.from_bytes(data[place + 2 : place + 4])
            sound += data[place:end]
            place = end
    return data, len(data)
