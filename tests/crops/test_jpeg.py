"""JPEG photographs: the same pixels as Pillow's, damage is told, and what is harmless is read."""

from __future__ import annotations

import io
import random
import time
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.jpeg import MAX_SCANS, decode_crop, decode_photograph
from cocoprep.crops.pixels import decode_image
from cocoprep.errors import ImageError
from tests.builder.bad_input import encoded

WIDTH, HEIGHT = 160, 120


def photograph(mode="RGB"):
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), np.uint8))
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).convert(mode)


JPEG = encoded(photograph(), "JPEG", quality=90)
PROGRESSIVE = encoded(photograph(), "JPEG", quality=90, progressive=True)
SCAN, TABLES, EOI = JPEG.index(b"\xff\xda"), JPEG.index(b"\xff\xdb"), len(JPEG) - 2
STRAY = bytes(range(1, 41))


def decode(data):
    return np.asarray(decode_image(data, ImageInfo(1, "x.jpg", WIDTH, HEIGHT)))


def pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True, "quality": 30}])
def test_pixels_are_those_of_pillow_to_the_bit(mode, subsampling, options):
    data = encoded(photograph(mode), "JPEG", subsampling=subsampling, **options)
    np.testing.assert_array_equal(decode(data), pillow(data))


def test_those_in_rgb_too():
    data = encoded(photograph(), "JPEG", keep_rgb=True, subsampling="4:4:4")
    np.testing.assert_array_equal(decode(data), pillow(data))


def test_real_photographs_too(coco_mini):
    for path in sorted((coco_mini / "train2017").glob("*.jpg"))[:40]:
        data = path.read_bytes()
        np.testing.assert_array_equal(decode_photograph(data, "RGB", path.name), pillow(data))


@pytest.mark.parametrize(
    "data",
    [
        JPEG[: SCAN + 300] + JPEG[SCAN + 812 :],
        JPEG[: SCAN + 300] + bytes(512) + JPEG[SCAN + 812 :],
        JPEG[:-400] + b"\xff\xd9",
        JPEG[:EOI] + STRAY + JPEG[EOI:],
        PROGRESSIVE[:-400] + b"\xff\xd9",
        JPEG[:TABLES] + STRAY + JPEG[TABLES : SCAN + 300] + JPEG[SCAN + 812 :],
    ],
    ids=[
        "a part is gone",
        "a part is nought",
        "the end is gone",
        "pixels are left over",
        "progressive",
        "junk besides",
    ],
)
def test_damage_between_sound_ends_is_refused(data):
    assert np.abs(pillow(data).astype(int) - pillow(JPEG)).max() > 0 or STRAY in data  # which Pillow takes for sound
    with pytest.raises(ImageError, match=r"^'x\.jpg': damaged \(.*Corrupt JPEG data: "):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        JPEG[:TABLES] + STRAY + JPEG[TABLES:],
        JPEG[:TABLES] + bytes(10**7) + JPEG[TABLES:],
        JPEG[:EOI] + bytes(40) + JPEG[EOI:],
        JPEG[:EOI] + b"\x01\x02" + JPEG[EOI:],
        JPEG[:-2],
        JPEG + STRAY,
        JPEG + JPEG,
        PROGRESSIVE[:TABLES] + STRAY + PROGRESSIVE[TABLES:],
    ],
    ids=["junk before a segment", "much junk", "padding", "two stray bytes", "no end", "a tail", "two", "progressive"],
)
def test_what_harms_no_pixel_is_read(data):
    np.testing.assert_array_equal(decode(data), pillow(PROGRESSIVE if b"\xff\xc2" in data else JPEG))


def test_damage_of_any_kind_is_read_or_refused():
    rng = random.Random(0)
    told = 0
    for _ in range(300):
        data = bytearray(rng.choice([JPEG, PROGRESSIVE]))
        for _ in range(rng.choice([1, 1, 4])):
            start = rng.randrange(2, len(data))
            data[start : start + rng.randrange(8)] = rng.randbytes(rng.randrange(8))
        with suppress(ImageError):
            decode(bytes(data))
            told -= 1
        told += 1
    assert told > 100


def test_a_progressive_one_of_very_many_scans_is_refused_at_once():
    start = PROGRESSIVE.rindex(b"\xff\xda")
    many = PROGRESSIVE[:start] + (MAX_SCANS + 1) * PROGRESSIVE[start:-2] + PROGRESSIVE[-2:]
    began = time.process_time()
    with pytest.raises(ImageError, match=rf"a JPEG of 1\d\d scans, more than the limit of {MAX_SCANS}"):
        decode(many)
    assert time.process_time() - began < 0.5


def test_a_stored_crop_is_what_pillow_decodes_and_the_callers_own():
    for data in (JPEG, PROGRESSIVE, encoded(photograph("L"), "JPEG", quality=50)):
        pixels = decode_crop(data, (HEIGHT, WIDTH))
        assert np.array_equal(pixels, pillow(data))
        assert pixels.flags.owndata
        assert pixels.flags.writeable


def test_a_stored_crop_of_another_size_or_damaged_is_refused():
    with pytest.raises(ImageError, match="expected a JPEG of 64 x 64 pixels, found 120 x 160"):
        decode_crop(JPEG, (64, 64))
    for data in (b"", b"\xff\xd8", JPEG[:SCAN], JPEG[: SCAN + 500]):
        with pytest.raises(ValueError, match=r"\w"):
            decode_crop(data, (HEIGHT, WIDTH))
