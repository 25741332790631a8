"""How a picture lies: the size that is stated decides between stored and upright pixels, and doubt is counted."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.orientation import ORIENTATION, ExifTally, exif_notes, orientation_of
from cocoprep.crops.pixels import decode_image, size_of
from cocoprep.errors import ImageError
from tests.builder.bad_input import encoded
from tests.fuzz.bytes_level import damage_bytes

WIDE, TALL, SQUARE = (20, 12), (12, 20), (16, 16)
ON_ITS_SIDE = (5, 6, 7, 8)


def exif_of(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def turned(orientation, *, size=WIDE, kind="PNG"):
    """Return a picture's file with an EXIF orientation, its pixels as stored, and as Pillow turns them upright."""
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(Image.fromarray(pixels), kind, exif=exif_of(orientation), **options)
    with Image.open(io.BytesIO(data)) as stored:
        upright = ImageOps.exif_transpose(stored).convert("RGB")
        return data, np.array(stored.convert("RGB")), np.array(upright)


def taken(data, stated, exif="auto"):
    """Return the pixels that are taken, and what is counted."""
    tally = ExifTally()
    picture = decode_image(data, ImageInfo(1, "a.jpg", *stated), exif, out=tally)
    return np.array(picture), tally


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "MPO"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_that_is_stated_decides(orientation, kind):
    data, stored, upright = turned(orientation, kind=kind)
    pixels, tally = taken(data, WIDE)
    np.testing.assert_array_equal(pixels, stored)
    doubtful = orientation in (2, 3, 4)
    assert tally == ExifTally(doubtful=int(doubtful), example="a.jpg" if doubtful else None)
    if orientation in ON_ITS_SIDE:
        pixels, tally = taken(data, TALL)
        np.testing.assert_array_equal(pixels, upright)
        assert tally == ExifTally(upright=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_square_picture_leaves_doubt_however_it_lies(orientation):
    data, stored, upright = turned(orientation, size=SQUARE)
    pixels, tally = taken(data, SQUARE)
    np.testing.assert_array_equal(pixels, stored)
    assert tally.doubtful == (orientation != 1)
    for rule, expected in (("stored", stored), ("upright", upright)):
        pixels, tally = taken(data, SQUARE, rule)
        np.testing.assert_array_equal(pixels, expected)
        assert tally == ExifTally(upright=int(rule == "upright" and orientation != 1))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rule", ["auto", "stored", "upright"])
def test_where_no_size_is_stated_any_will_do(orientation, rule):
    data, stored, upright = turned(orientation)
    pixels, tally = taken(data, (0, 0), rule)
    np.testing.assert_array_equal(pixels, upright if rule == "upright" else stored)
    assert tally.doubtful == (rule == "auto" and orientation != 1)
    (width, height), doubtful = size_of(data, "a.jpg", rule)
    assert (height, width) == pixels.shape[:2]
    assert doubtful == (rule == "auto" and orientation in ON_ITS_SIDE)


BOTH = "20 x 12 pixels as stored, 12 x 20 upright by its EXIF orientation, but the annotation file says"


@pytest.mark.parametrize(
    ("orientation", "stated", "rule", "says"),
    [
        (1, TALL, "auto", "20 x 12 pixels, but the annotation file says 12 x 20"),
        (3, TALL, "auto", "20 x 12 pixels, but the annotation file says 12 x 20"),
        (6, (20, 20), "auto", f"{BOTH} 20 x 20"),
        (6, TALL, "stored", f"{BOTH} 12 x 20; --exif stored takes it as stored, --exif auto as it fits"),
        (8, WIDE, "upright", f"{BOTH} 20 x 12; --exif upright takes it upright, --exif auto as it fits"),
    ],
)
def test_a_wrong_size_names_both(orientation, stated, rule, says):
    tally = ExifTally()
    with pytest.raises(ImageError) as caught:
        decode_image(turned(orientation)[0], ImageInfo(1, "a.jpg", *stated), rule, out=tally)
    assert str(caught.value) == f"'a.jpg': {says}"
    assert tally == ExifTally()


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_an_orientation_that_there_is_not_is_none(value):
    data = encoded(Image.new("RGB", WIDE), "JPEG", exif=exif_of(value))
    with Image.open(io.BytesIO(data)) as image:
        assert orientation_of(image) == 1
    assert taken(data, WIDE, "upright")[1] == ExifTally()


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of EXIF
def test_damaged_exif_takes_no_picture_with_it():
    rng, sound = random.Random(0), exif_of(6).tobytes()
    for _ in range(500):
        exif = damage_bytes(sound, rng)[:60_000]
        data = encoded(Image.new("RGB", WIDE, (9, 9, 9)), rng.choice(("JPEG", "PNG", "WEBP")), exif=exif)
        for stated in (WIDE, TALL):
            try:
                pixels, tally = taken(data, stated)
            except ImageError as error:
                assert stated == TALL, error  # noqa: PT017 - as stored it always has its size
            else:
                assert pixels.shape[:2] == stated[::-1]
                assert tally.upright == (stated == TALL)


@pytest.mark.parametrize("compressed", [True, False])
def test_exif_of_a_png_as_older_tools_write_it(compressed, monkeypatch):
    exif = exif_of(6).tobytes()
    words = PngInfo()
    words.add_text("Raw profile type exif", f"\nexif\n{len(exif):8d}\n{exif.hex()}\n", zip=compressed)
    data = encoded(Image.new("RGB", WIDE), "PNG", pnginfo=words)
    assert taken(data, TALL)[1] == ExifTally(upright=1)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("decoded"))
    assert size_of(data, "a.png", "upright") == (TALL, False)


@pytest.mark.parametrize("seen", [True, False])
def test_exif_of_a_png_counts_ahead_of_the_pixels(seen, monkeypatch):
    """Behind them it would take decoding, and a bomb could hide there."""
    data = turned(6)[0]
    chunk = struct.pack(">I", len(exif := exif_of(6).tobytes()[6:])) + b"eXIf" + exif
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    plain = encoded(Image.new("RGB", WIDE), "PNG")
    late = plain[:-12] + chunk + plain[-12:]
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("decoded"))
    with Image.open(io.BytesIO(data if seen else late)) as image:
        assert orientation_of(image) == (6 if seen else 1)
    assert size_of(data if seen else late, "a.png", "upright")[0] == (TALL if seen else WIDE)


def test_counts_add_up_and_are_told():
    tally = ExifTally(upright=2)
    for other in (ExifTally(doubtful=1, example="b.jpg"), ExifTally(1, 2, "c.jpg")):
        tally.add(other)
    assert tally == ExifTally(3, 3, "b.jpg")
    note, warning = exif_notes(tally, "auto")
    assert note.startswith("3 photographs are turned upright by their EXIF orientation: only so the size is")
    assert warning.startswith("warning: 3 photographs have an EXIF orientation, such as 'b.jpg', taken as")
    assert "Those that are turned are a sign that labels are of what viewers show" in warning
    assert "then give --exif upright; --exif stored ends this warning" in warning
    (alone,) = exif_notes(ExifTally(0, 3, "b.jpg"), "auto")
    assert "Labels that lie beside the people are a sign" in alone
    (note,) = exif_notes(ExifTally(upright=3), "upright")
    assert note.endswith(": --exif upright")
    assert exif_notes(ExifTally(), "auto") == ()
