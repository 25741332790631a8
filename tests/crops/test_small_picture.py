"""A photograph made small and grey: whatever its format and size, it looks like the photograph."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cocoprep.crops.small_picture import decode_thumbnail, squeeze
from cocoprep.errors import ImageError
from tests.builder.bad_input import encoded

SIDE = 32


def photograph(size=(640, 427)):
    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("size", [(640, 427), (427, 640), (63, 40), (3000, 70)])
def test_it_looks_like_the_photograph(form, size):
    picture = photograph(size)
    thumbnail, found = decode_thumbnail(encoded(picture, form), "'x'", SIDE)
    assert found == size
    assert thumbnail.shape == (SIDE, SIDE)
    assert thumbnail.dtype == np.uint8
    assert np.corrcoef(thumbnail.ravel(), squeeze(picture, SIDE).ravel())[0, 1] > 0.98


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_of_other_colours(mode):
    thumbnail, _ = decode_thumbnail(encoded(photograph().convert(mode), "JPEG"), "'x'", SIDE)
    assert np.corrcoef(thumbnail.ravel(), squeeze(photograph(), SIDE).ravel())[0, 1] > 0.98


def test_its_orientation_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(photograph(), "JPEG", exif=exif)
    assert (
        decode_thumbnail(turned, "'x'", SIDE)[0] == decode_thumbnail(encoded(photograph(), "JPEG"), "'x'", SIDE)[0]
    ).all()
    assert decode_thumbnail(turned, "'x'", SIDE)[1] == (640, 427)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"none", "expected a JPEG, PNG, WebP or BMP picture"),
        (encoded(photograph(), "JPEG")[:-3000], "damaged"),
        (encoded(photograph(), "PNG")[:-3000], "cannot be decoded"),
        (encoded(Image.new("L", (9000, 9000)), "PNG"), "more than the limit"),
    ],
)
def test_what_is_wrong_is_told(data, says):
    with pytest.raises(ImageError, match=f"'x': .*{says}"):
        decode_thumbnail(data, "'x'", SIDE)


def test_a_large_jpeg_is_not_decoded_in_full():
    import tracemalloc

    stream = io.BytesIO()
    photograph((8000, 6000)).save(stream, "JPEG")
    tracemalloc.start()
    decode_thumbnail(stream.getvalue(), "'x'", SIDE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8000 * 6000 / 8
