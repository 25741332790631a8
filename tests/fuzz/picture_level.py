"""Pictures that are cut short, lie about their size, or hold what no camera writes."""

from __future__ import annotations

import io
import struct
import zlib
from random import Random

from PIL import Image

from tests.fuzz.bytes_level import ODD_NUMBERS, damage_bytes, patched

SIDES = (0, 1, 2, 100, 4096, 8192, 30_000, 65_535, 2**31 - 1)
MODES = {"JPEG": ("RGB", "L", "CMYK"), "PNG": ("RGB", "L", "P", "RGBA", "LA", "1", "I;16"), "WEBP": ("RGB", "RGBA")}
MODES |= {"BMP": ("RGB", "L", "P", "1"), "GIF": ("P",), "TIFF": ("RGB",), "PPM": ("RGB",), "ICO": ("RGBA",)}
ORIENTATION = 0x0112  # EXIF's tag


def damage_picture(data: bytes, rng: Random) -> bytes:
    """Return a picture with a fault in its parts, or in its bytes."""
    if rng.random() < 0.25:
        return damage_bytes(data, rng)
    if data.startswith(b"\xff\xd8"):
        return _damage_jpeg(data, rng)
    if data.startswith(b"\x89PNG"):
        return _damage_png(data, rng)
    if data.startswith(b"BM"):
        return _damage_bmp(data, rng)
    return _damage_riff(data, rng) if data.startswith(b"RIFF") else damage_bytes(data, rng)


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    """Return a picture as a file of a form."""
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def other_picture(rng: Random, size: tuple[int, int] = (32, 32)) -> bytes:
    """Return a sound picture, but of a form, a mode or a size that few expect; or nothing of a picture."""
    form = rng.choice(list(MODES))
    mode = rng.choice(MODES[form])
    size = rng.choice((size, size, (1, 1), (300, 2), (2000, 2000)))
    options = rng.choice(({}, {"progressive": True}, {"exif": _exif(rng)})) if form == "JPEG" else {}
    picture = Image.new("RGB" if mode == "I;16" else mode, size)
    return saved(picture.convert("L").convert("I;16") if mode == "I;16" else picture, form, **options)


def as_form(data: bytes, rng: Random) -> bytes:
    """Return the same picture in another form, another mode, or with an orientation."""
    with Image.open(io.BytesIO(data)) as picture:
        form = rng.choice(("JPEG", "JPEG", "PNG", "PNG", "WEBP", "BMP"))
        mode = rng.choice(MODES[form])
        made = picture.convert("L").convert("I;16") if mode == "I;16" else picture.convert(mode)
        options = {"exif": _exif(rng)} if form in ("JPEG", "PNG", "WEBP") and rng.random() < 0.5 else {}
        if form == "PNG" and mode == "P" and rng.random() < 0.5:
            options["transparency"] = 0
        return saved(made, form, **options)


def stated_size(data: bytes) -> tuple[int, int] | None:
    """Return the (width, height) that a picture states, None where it states none."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except Exception:  # whatever a damaged picture provokes
        return None


def _exif(rng: Random) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 65_535))
    made = exif.tobytes()
    return damage_bytes(made, rng)[:60_000] if rng.random() < 0.5 else made


def _segments(data: bytes) -> list[tuple[int, bytes]]:
    """Return (marker, content) of a JPEG's segments; the last holds all from the first scan on."""
    found, position = [], 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], struct.unpack(">H", data[position + 2 : position + 4])[0]
        if marker == 0xDA:
            break
        found.append((marker, data[position + 4 : position + 2 + length]))
        position += 2 + length
    return [*found, (0xDA, data[position:])]


def _joined(segments: list[tuple[int, bytes]], rng: Random, *, lie_at: int | None = None) -> bytes:
    parts = [b"\xff\xd8"]
    for n, (marker, content) in enumerate(segments):
        if marker == 0xDA:
            parts.append(content)
            continue
        length = rng.choice((0, 1, 2, 3, len(content), 65_535)) if n == lie_at else len(content) + 2
        parts.append(struct.pack(">BBH", 0xFF, marker, length & 0xFFFF) + content)
    return b"".join(parts)


def _damage_jpeg(data: bytes, rng: Random) -> bytes:
    segments = _segments(data)
    at = rng.randrange(len(segments))
    what = rng.random()
    frames = [n for n, (marker, _) in enumerate(segments) if 0xC0 <= marker <= 0xC2]
    if what < 0.3 and frames:
        marker, content = segments[frames[0]]
        for offset in rng.choice(((1,), (3,), (1, 3), (0,), (5,), (7,), (10,))):
            form = ">H" if offset in (1, 3) else ">B"
            content = patched(content, offset, form, rng.choice((*SIDES, 0x11, 0x44, 0xFF)))
        segments[frames[0]] = marker, content
    elif what < 0.45:
        return _joined(segments, rng, lie_at=at)
    elif what < 0.6:
        segments[at] = segments[at][0], damage_bytes(segments[at][1], rng)[:60_000]
    elif what < 0.7:
        del segments[at]
    elif what < 0.8:
        segments.insert(at, rng.choice(segments[:-1] or segments))
    elif what < 0.9:
        segments[at] = (
            rng.choice((0xC1, 0xC2, 0xC3, 0xC9, 0xDD, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE)),
            segments[at][1][:60_000],
        )
    else:
        segments.insert(0, (0xE1, _exif(rng)))
    return _joined(segments, rng)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, position = [], 8
    while position + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[position : position + 8])
        found.append((name, data[position + 8 : position + 8 + length]))
        position += 12 + length
    return found


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return a PNG of chunks, each with its CRC."""
    parts = [struct.pack(">I", len(c)) + name + c + struct.pack(">I", zlib.crc32(name + c)) for name, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _damage_png(data: bytes, rng: Random) -> bytes:
    chunks = _chunks(data)
    at = rng.randrange(len(chunks))
    bomb = zlib.compress(bytes(1 << 24), 9)
    more = ((b"zTXt", b"x\0\0" + bomb), (b"iCCP", b"x\0\0" + bomb), (b"tRNS", b"\0" * 300), (b"PLTE", b"\1" * 768))
    more += ((b"eXIf", _exif(rng)), (b"acTL", struct.pack(">II", 2**31 - 1, 0)), (b"gAMA", b"\0" * 4), (b"tEXt", b"\0"))
    what = rng.random()
    if what < 0.4:
        offset = rng.choice((0, 4, 8, 9, 10, 11, 12))
        form, choices = (">I", SIDES) if offset < 8 else (">B", (0, 1, 2, 3, 4, 6, 7, 8, 16, 255))
        chunks[0] = chunks[0][0], patched(chunks[0][1], offset, form, rng.choice(choices))
    elif what < 0.6:
        chunks.insert(rng.randrange(len(chunks)), rng.choice(more))
    elif what < 0.7:
        chunks[at] = chunks[at][0], damage_bytes(chunks[at][1], rng)
    elif what < 0.8:
        del chunks[at]
    elif what < 0.9:
        chunks.insert(at, chunks[rng.randrange(len(chunks))])
    else:
        chunks = [(name, bomb if name == b"IDAT" else content) for name, content in chunks]
    return png_of(chunks)


def _damage_bmp(data: bytes, rng: Random) -> bytes:
    # Offsets of: file size, start of the pixels, size of the header, width, height, planes, bits, method, colours.
    offset, form = rng.choice(
        ((2, "<I"), (10, "<I"), (14, "<I"), (18, "<i"), (22, "<i"), (28, "<H"), (30, "<I"), (46, "<I"))
    )
    form = form.replace("i", "I")
    return patched(data, offset, form, rng.choice((*SIDES, *ODD_NUMBERS, 1, 2, 3, 4, 8, 16, 24, 32, 40, 124)))


def _damage_riff(data: bytes, rng: Random) -> bytes:
    places = [4, 16, *range(20, min(len(data) - 4, 40))]
    place = rng.choice(places)
    return patched(data, place, rng.choice(("<I", "<H", "<B")), rng.choice((*SIDES, *ODD_NUMBERS)))
