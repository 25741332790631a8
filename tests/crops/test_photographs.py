"""Photographs from folders and zips: what is refused, what is read, and that neither paths nor pixels run wild."""

from __future__ import annotations

import gc
import os
import random
import stat
import struct
import subprocess
import sys
import tempfile
import textwrap
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.image_source import MAX_FILE_BYTES, check_file_name, photograph_digest
from cocoprep.crops.photographs import open_images
from cocoprep.crops.pixels import FILL_RGB, MAX_PIXELS, crop_image, decode_image
from cocoprep.errors import ConfigError, ImageError
from cocoprep.pose.affine import CropWindow
from cocoprep.storage.local import LocalFiles
from tests.builder.bad_input import (
    BAD_CONTENT,
    BAD_FILES,
    BAD_NAMES,
    HEIGHT,
    JPEG,
    ODD_CONTENT,
    WIDTH,
    as_nobody,
    encoded,
    huge_png,
    photograph,
)
from tests.support.sources import refused


def info(width=WIDTH, height=HEIGHT, name="x.jpg"):
    return ImageInfo(1, name, width, height)


def decode(data, **size):
    return decode_image(data, info(**size))


def pixel(picture, **options):
    """Return the colour of a picture of one colour that went through a PNG."""
    (colour,) = {color for _, color in decode(encoded(picture, "PNG", **options)).getcolors()}
    return colour


# Content


@pytest.mark.parametrize("kind", BAD_CONTENT)
def test_what_is_no_picture_is_refused(kind):
    data, says = BAD_CONTENT[kind]
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert str(caught.value).startswith("'x.jpg': ")
    assert says in str(caught.value)


@pytest.mark.parametrize("kind", ODD_CONTENT)
def test_an_unusual_picture_is_read_as_rgb(kind):
    picture = decode(ODD_CONTENT[kind])
    assert (picture.mode, picture.size) == ("RGB", (WIDTH, HEIGHT))


@pytest.mark.parametrize("kind", ["CMYK JPEG", "progressive JPEG", "MPO", "PNG", "PNG with alpha", "WebP", "BMP"])
def test_its_colours_are_those_of_the_photograph(kind):
    found = np.asarray(decode(ODD_CONTENT[kind]), int)
    assert np.abs(found - np.asarray(photograph(), int)).mean() < 6


@pytest.mark.parametrize(
    ("kind", "alpha"),
    [
        ("palette PNG", [255] * 16),
        ("palette PNG with a transparent colour", [255] * 3 + [0] + [255] * 12),
        ("palette PNG with many", range(16)),
    ],
)
def test_a_palette_has_its_own_transparency(kind, alpha):
    palette = photograph().quantize(16)
    share = np.take(np.array(alpha), np.asarray(palette))[..., None] / 255
    expected = np.asarray(palette.convert("RGB")) * share + np.array(FILL_RGB) * (1 - share)
    assert np.abs(np.asarray(decode(ODD_CONTENT[kind])) - expected).max() <= 1


@pytest.mark.parametrize(
    ("grey16", "grey8"), [(0, 0), (255, 0), (256, 1), (256 * 100, 100), (256 * 200 + 255, 200), (65_535, 255)]
)
def test_16_bit_grey_keeps_its_high_byte(grey16, grey8):
    picture = Image.fromarray(np.full((HEIGHT, WIDTH), grey16, np.uint16))
    assert picture.mode == "I;16"
    assert pixel(picture) == (grey8, grey8, grey8)


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L", "I"])
def test_every_16_bit_mode_is_scaled_alike(mode):
    from cocoprep.crops.pixels import to_rgb

    order = ">" if mode.endswith("B") else "<"
    raw = np.array([[0, 25_600, 65_535]], f"{order}u2" if mode != "I" else "<i4").tobytes()
    picture = Image.frombytes(mode, (3, 1), raw)
    assert np.asarray(to_rgb(picture))[0].tolist() == [[0] * 3, [100] * 3, [255] * 3]


@pytest.mark.parametrize(
    ("picture", "options", "colour"),
    [
        (Image.new("1", (WIDTH, HEIGHT), 1), {}, (255, 255, 255)),
        (Image.new("L", (WIDTH, HEIGHT), 77), {}, (77, 77, 77)),
        (Image.new("L", (WIDTH, HEIGHT), 77), {"transparency": 77}, FILL_RGB),
        (Image.new("LA", (WIDTH, HEIGHT), (77, 255)), {}, (77, 77, 77)),
        (Image.new("LA", (WIDTH, HEIGHT), (77, 0)), {}, FILL_RGB),
        (Image.new("RGBA", (WIDTH, HEIGHT), (1, 2, 3, 255)), {}, (1, 2, 3)),
        (Image.new("RGBA", (WIDTH, HEIGHT), (1, 2, 3, 0)), {}, FILL_RGB),
        (Image.new("RGBA", (WIDTH, HEIGHT), (24, 16, 4, 128)), {}, (74, 66, 54)),
        (Image.new("RGB", (WIDTH, HEIGHT), (1, 2, 3)), {"transparency": (1, 2, 3)}, FILL_RGB),
    ],
)
def test_what_is_transparent_is_filled_as_what_lies_outside(picture, options, colour):
    assert pixel(picture, **options) == colour


def test_the_size_must_be_the_annotation_files():
    with pytest.raises(ImageError, match="64 x 48 pixels, but the annotation file says 64 x 47"):
        decode(JPEG, height=47)


# Bombs


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (8193, 8192), (2**26 + 1, 1), (2**31 - 1, 2**31 - 1)])
@pytest.mark.parametrize("agrees", [True, False])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_before_a_pixel_is_decoded(width, height, agrees, monkeypatch):
    assert width * height > MAX_PIXELS
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("decoded"))
    with pytest.raises(ImageError) as caught:
        decode(huge_png(width, height), **({"width": width, "height": height} if agrees else {}))
    if agrees and width * height < 2 * Image.MAX_IMAGE_PIXELS:
        assert f"{width} x {height} pixels, more than the limit of {MAX_PIXELS}" in str(caught.value)


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells the peak of memory")
PEAK_KB = """
def peak_kb():
    # Not getrusage's ru_maxrss, which begins with that of the process that started this one.
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
"""


def measure(script):
    """Run a script in a fresh process, with `peak_kb` at hand; return what it prints."""
    command = [sys.executable, "-c", PEAK_KB + textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@needs_proc
def test_decoding_and_cropping_are_bound_by_the_pixels_that_are_there():
    """The square window of a very wide picture has billions of pixels; next to none of them exist."""
    script = """
        import io
        from PIL import Image
        from cocoprep.pose.affine import CropWindow
        from cocoprep.coco.annotations import ImageInfo
        from cocoprep.crops.pixels import crop_image, decode_image

        stream = io.BytesIO()
        Image.new("RGB", (65_000, 1), (9, 9, 9)).save(stream, "PNG")
        before = peak_kb()
        picture = decode_image(stream.getvalue(), ImageInfo(1, "x.png", 65_000, 1))
        for width in (65_000, 81_250.0, 1e6, 1e9, 1e15):
            crop_image(picture, CropWindow(0.0, -width / 2, width, width), (308, 308))
            crop_image(picture, CropWindow(-width / 2, -width / 2, width, width), (308, 308))
        crop_image(picture, CropWindow(0.0, 0.0, 65_000.0, 1.0), (308, 308))
        print(peak_kb() - before)
    """
    assert int(measure(script)) < 20_000  # KiB


@pytest.mark.parametrize(
    ("window", "visible"),
    [
        ((0, 0, 64, 48), 1.0),
        ((32, 0, 64, 48), 0.5),
        ((1e9, 1e9, 10, 10), 0.0),
        ((-1e9, -1e9, 2e9, 2e9), 0.0),
        ((63.999, 0, 1e-3, 1e-3), 1.0),
        ((-1e6, 0, 1e6, 10), 0.0),
    ],
)
def test_a_window_anywhere_gives_a_crop_of_the_size_asked_for(window, visible):
    crop = crop_image(Image.new("RGB", (WIDTH, HEIGHT), (9, 9, 9)), CropWindow(*map(float, window)), (48, 64))
    assert crop.size == (64, 48)
    colours = {colour: count / crop.width / crop.height for count, colour in crop.getcolors()}
    assert colours.get((9, 9, 9), 0) == pytest.approx(visible)
    assert colours.get(FILL_RGB, 0) == pytest.approx(1 - visible)


# Damage at random


def damage(data, rng):
    """Return content with a few bytes changed, some removed or repeated; most of it near the front."""
    broken = bytearray(data)
    for _ in range(rng.choice((1, 2, 4, 16))):
        place = rng.randrange(min(len(broken), rng.choice((60, len(broken)))))
        broken[place] = rng.choice((0, 255, broken[place] ^ 1 << rng.randrange(8), rng.randrange(256)))
    cut = rng.randrange(len(broken))
    shape = rng.randrange(12)
    if shape == 0:
        del broken[cut:]
    elif shape == 1:
        del broken[cut : cut + rng.randrange(1, 30)]
    elif shape == 2:
        broken[cut:cut] = broken[: rng.randrange(1, 300)]
    return with_crcs(bytes(broken)) if data.startswith(b"\x89PNG") and rng.random() < 0.7 else bytes(broken)


def with_crcs(png):
    """Make the checksums of a PNG right again, so that what lies behind them is reached."""
    out, place = bytearray(png), 8
    while place + 12 <= len(out):
        end = place + 8 + struct.unpack(">I", out[place : place + 4])[0]
        if end + 4 > len(out):
            break
        out[end : end + 4] = struct.pack(">I", zipfile.crc32(out[place + 4 : end]))
        place = end + 4
    return bytes(out)


@pytest.mark.parametrize("kind", ODD_CONTENT)
def test_damaged_pictures_are_read_or_refused_and_nothing_else(kind):
    rng = random.Random(kind)
    read = refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as outside of tests
        for _ in range(300):
            try:
                picture = decode(damage(ODD_CONTENT[kind], rng))
            except ImageError:
                refused += 1
            else:
                read += 1
                assert (picture.mode, picture.size) == ("RGB", (WIDTH, HEIGHT))
    assert refused
    assert read


# Names


@pytest.mark.parametrize("kind", [k for k in BAD_NAMES if BAD_NAMES[k][1].startswith(("expected", "with"))])
def test_a_name_that_could_lead_out_is_refused(kind):
    name, says = BAD_NAMES[kind]
    with pytest.raises(ImageError) as caught:
        check_file_name(name)
    assert repr(name) in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["1.jpg", "sub/1.jpg", "./1.jpg", "a b.jpg", "..1.jpg", "1..jpg", "~/1.jpg", "é.jpg", "人.jpg", "12:30:01.jpg",
     "sub/c:1.jpg", "-rf", "$HOME/1.jpg", "%2e%2e/1.jpg", "x" * 200],
)  # fmt: skip
def test_names_that_stay_within_the_folder_are_not(name):
    check_file_name(name)


# Folders


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "images"
    made.mkdir()
    (made / "good.jpg").write_bytes(JPEG)
    (tmp_path / "outside.jpg").write_bytes(JPEG)
    return made


def test_a_folder_gives_its_files(folder):
    source = open_images(str(folder), LocalFiles())
    assert source.read("good.jpg") == source.read("./good.jpg") == JPEG
    assert source.digest("good.jpg") == photograph_digest(JPEG)


@pytest.mark.parametrize("kind", BAD_FILES)
def test_what_is_no_file_of_the_folder_is_refused(kind, folder):
    plant, says = BAD_FILES[kind]
    plant(folder, "x.jpg")
    assert says in refused(open_images(str(folder), LocalFiles()), "x.jpg")


@pytest.mark.parametrize("kind", BAD_NAMES)
def test_a_bad_name_is_refused_by_a_folder(kind, folder):
    name, says = BAD_NAMES[kind]
    assert says in refused(open_images(str(folder), LocalFiles()), name)


def test_a_refusal_names_no_place_on_this_machine(folder):
    """It goes into sidecars and the ledger, which are the same on every machine."""
    source = open_images(str(folder), LocalFiles())
    for kind, (plant, _) in BAD_FILES.items():
        plant(folder, f"{kind}.jpg")
        assert str(folder.parent) not in refused(source, f"{kind}.jpg")


def test_links_within_the_folder_are_followed(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "link.jpg").symlink_to("../good.jpg")
    (folder / "other").symlink_to("sub")
    source = open_images(str(folder), LocalFiles())
    assert source.read("sub/link.jpg") == source.read("other/link.jpg") == JPEG


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert open_images(str(link), LocalFiles()).read("good.jpg") == JPEG


def test_a_folder_beside_that_begins_alike_is_outside(folder, tmp_path):
    beside = tmp_path / "images2"
    beside.mkdir()
    (beside / "good.jpg").write_bytes(JPEG)
    (folder / "x").symlink_to(beside)
    assert "leads out" in refused(open_images(str(folder), LocalFiles()), "x/good.jpg")


def test_a_link_with_an_odd_target_is_refused_in_plain_text(folder):
    os.symlink(b"../caf\xe9.jpg", os.fsencode(folder / "x.jpg"))
    refused(open_images(str(folder), LocalFiles()), "x.jpg").encode()


def test_a_file_that_may_not_be_read():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x.jpg").write_bytes(JPEG)
        (Path(folder) / "x.jpg").chmod(0)
        Path(folder).chmod(0o755)
        with as_nobody():
            assert "cannot be read (Permission denied)" in refused(open_images(folder, LocalFiles()), "x.jpg")


def test_a_file_that_is_too_large_is_not_read(folder):
    with open(folder / "large.jpg", "wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    says = refused(open_images(str(folder), LocalFiles()), "large.jpg")
    assert f"{MAX_FILE_BYTES + 1} bytes, more than the limit of {MAX_FILE_BYTES}" in says


def test_refusals_leave_no_file_open(folder):
    for kind, (plant, _) in BAD_FILES.items():
        plant(folder, f"{kind}.jpg")
    source = open_images(str(folder), LocalFiles())
    gc.collect()  # of other tests
    before = len(os.listdir("/dev/fd"))
    for kind in BAD_FILES:
        refused(source, f"{kind}.jpg")
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_bytes(JPEG), lambda path: path.touch()])
def test_what_is_neither_folder_nor_zip(make, tmp_path):
    make(tmp_path / "images.zip")
    with pytest.raises(ConfigError, match=r"--images: .*images\.zip") as caught:
        open_images(str(tmp_path / "images.zip"), LocalFiles())
    assert "expected a folder, a .zip or a .tar" in str(caught.value) or "fetch it again" in str(caught.value)


# Zips


def write_zip(path, members, method=zipfile.ZIP_DEFLATED):
    """Write a zip of (name or ZipInfo, content); names may come twice."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.filterwarnings("ignore", message="Duplicate name")
        for name, content in members:
            archive.writestr(name, content, method)
    return path


def open_zip(path):
    return open_images(str(path), LocalFiles())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("inside", ["", "train2017/", "photos/", "photos/2017/"])
def test_members_are_found(inside, method, tmp_path):
    members = [(f"{inside}{name}", JPEG) for name in ("1.jpg", "sub/2.jpg", "é.jpg")]
    path = write_zip(tmp_path / "train2017.zip", [(inside, b""), *members] if inside else members, method)
    source = open_zip(path)
    named = inside if inside.count("/") > 1 else ""  # only one folder is passed over
    named = named.removeprefix("photos/")
    for name in ("1.jpg", "sub/2.jpg", "é.jpg"):
        assert source.read(named + name) == source.read(inside + name) == JPEG
        assert source.digest(named + name) == photograph_digest(JPEG)
    assert "no such member in the zip" in refused(source, "3.jpg")


def test_a_macs_own_folder_does_not_hide_the_shared_one(tmp_path):
    path = write_zip(tmp_path / "a.zip", [("photos/1.jpg", JPEG), ("__MACOSX/photos/._1.jpg", b"notes")])
    assert open_zip(path).read("1.jpg") == JPEG


def test_names_that_a_zip_does_not_say_the_encoding_of(tmp_path):
    """`zip` and Macs write UTF-8, old tools for DOS their own code page, some tools for Windows backslashes."""
    path = write_zip(tmp_path / "a.zip", [("é/1.jpg", JPEG), ("2\xff.jpg", JPEG), ("sub\\3.jpg", JPEG)])
    data = path.read_bytes().replace("2\xff.jpg".encode(), b"2\x81\x98.jpg")  # no UTF-8
    for mark, flags in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        places = [n for n in range(len(data)) if data.startswith(mark, n)]
        for at in places:
            data = data[: at + flags] + bytes(2) + data[at + flags + 2 :]
    path.write_bytes(data)
    source = open_zip(path)
    assert set(source.names()) == {"é/1.jpg", "2üÿ.jpg", "sub/3.jpg"}
    assert all(source.read(name) == JPEG for name in source.names())


def test_a_zip_without_members_gives_nothing(tmp_path):
    assert "no such member" in refused(open_zip(write_zip(tmp_path / "a.zip", [])), "1.jpg")


@pytest.mark.parametrize("kind", BAD_NAMES)
def test_a_bad_name_is_refused_by_a_zip(kind, tmp_path):
    """Even where the zip has a member of that very name."""
    name, _ = BAD_NAMES[kind]
    if name in ("", "too long a part"):
        members = [("good.jpg", JPEG)]
    else:
        members = [("good.jpg", JPEG), (zipfile.ZipInfo(name), JPEG)]
    source = open_zip(write_zip(tmp_path / "a.zip", members))
    if kind in ("too long a part", "through a file"):  # for a zip they are names like any other
        assert source.read(name) == JPEG
    else:
        refused(source, name)
    assert source.read("good.jpg") == JPEG


def member(name, **fields):
    made = zipfile.ZipInfo(name)
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def patched(path, name, offset, form, value):
    """Overwrite a field of a member in the zip's directory; offsets are those of the zip format."""
    data = bytearray(path.read_bytes())
    entry = data.rindex(name.encode()) - 46
    assert data[entry : entry + 4] == b"PK\1\2"
    struct.pack_into(form, data, entry + offset, value)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_limit_are_refused(method, tmp_path):
    path = write_zip(tmp_path / "a.zip", [("1.jpg", JPEG)], method)
    assert f"zip method {method}, expected stored or deflated" in refused(open_zip(path), "1.jpg")


def test_a_symbolic_link_in_a_zip(tmp_path):
    link = member("1.jpg", external_attr=(stat.S_IFLNK | 0o777) << 16, create_system=3)
    path = write_zip(tmp_path / "a.zip", [(link, b"/etc/hostname"), ("2.jpg", JPEG)])
    assert "a symbolic link in the zip" in refused(open_zip(path), "1.jpg")
    assert open_zip(path).read("2.jpg") == JPEG


def test_a_name_used_twice(tmp_path):
    path = write_zip(tmp_path / "a.zip", [("1.jpg", JPEG), ("2.jpg", JPEG), ("1.jpg", b"other"), ("1.jpg", JPEG)])
    assert "holds this name more than once" in refused(open_zip(path), "1.jpg")
    assert open_zip(path).read("2.jpg") == JPEG


@pytest.mark.parametrize(
    ("offset", "form", "value", "says"),
    [
        (8, "<H", 1, "encrypted"),
        (10, "<H", 99, "zip method 99"),
        (16, "<I", 12345, "damaged in the zip (Bad CRC-32"),
        (20, "<I", 10, "damaged in the zip"),
        (24, "<I", 10, "damaged in the zip (Bad CRC-32"),
        (24, "<I", MAX_FILE_BYTES + 1, f"more than the limit of {MAX_FILE_BYTES}"),
        (24, "<I", 0xFFFFFFFE, "more than the limit"),
        (42, "<I", 1, "damaged in the zip"),
        (42, "<I", 0x7FFFFFFF, "damaged in the zip"),
    ],
)
def test_a_member_whose_directory_entry_lies(offset, form, value, says, tmp_path):
    path = write_zip(tmp_path / "a.zip", [("1.jpg", JPEG), ("2.jpg", JPEG)])
    patched(path, "1.jpg", offset, form, value)
    source = open_zip(path)
    with pytest.raises(ImageError) as caught:
        source.read("1.jpg")
    assert says in str(caught.value)
    assert source.read("2.jpg") == JPEG


@needs_proc
def test_a_deflate_bomb_never_unpacks_to_more_than_it_says(tmp_path):
    bomb = write_zip(tmp_path / "a.zip", [("1.jpg", bytes(1 << 26))])
    assert bomb.stat().st_size < 100_000
    patched(bomb, "1.jpg", 24, "<I", 1000)
    script = f"""
        from cocoprep.errors import ImageError
        from cocoprep.storage.local import LocalFiles
        from cocoprep.crops.photographs import open_images
        source = open_images({str(bomb)!r}, LocalFiles())
        before = peak_kb()
        try:
            source.read("1.jpg")
        except ImageError as error:
            print(peak_kb() - before, error)
    """
    grown, error = measure(script).split(" ", 1)
    assert "damaged in the zip (Bad CRC-32" in error
    assert int(grown) < 5_000  # KiB


def harm_directory(data, offset, value):
    end = data.rindex(b"PK\5\6")
    struct.pack_into("<I", data, end + offset, value)


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data.__delitem__(slice(len(data) // 2, None)),
        lambda data: data.__delitem__(slice(len(data) - 1, None)),
        lambda data: data.__delitem__(slice(0, len(data))),
        lambda data: harm_directory(data, 12, 0x7FFFFFFF),  # the directory's size
        lambda data: harm_directory(data, 12, 7),
        lambda data: data.__setitem__(slice(data.index(b"PK\1\2"), data.index(b"PK\1\2") + 2), b"XX"),
        lambda data: data.__setitem__(data.index(b"PK\1\2") + 6, 99),  # the version needed
        lambda data: data.__setitem__(slice(data.rindex("é.jpg".encode()), data.rindex("é.jpg".encode()) + 1), b"\xff"),
    ],
)
def test_a_zip_that_cannot_be_opened_is_an_error_that_names_it(harm, tmp_path):
    path = write_zip(tmp_path / "photos.zip", [("1.jpg", JPEG), ("é.jpg", JPEG)])
    data = bytearray(path.read_bytes())
    harm(data)
    path.write_bytes(bytes(data))
    with pytest.raises(ConfigError, match=r"--images: .*photos\.zip is not a zip that can be read \(.+fetch it again"):
        open_zip(path)


def test_a_directory_that_points_outside_gives_no_member(tmp_path):
    path = write_zip(tmp_path / "a.zip", [("1.jpg", JPEG)])
    data = bytearray(path.read_bytes())
    harm_directory(data, 16, 0x7FFFFFFF)
    path.write_bytes(bytes(data))
    with pytest.raises(ImageError, match=r"'1\.jpg': damaged in the zip"):
        open_zip(path).read("1.jpg")


def test_damaged_zips_are_read_or_refused_and_nothing_else(tmp_path):
    rng = random.Random(0)
    whole = write_zip(tmp_path / "whole.zip", [("1.jpg", JPEG), ("sub/2.jpg", JPEG), ("é.jpg", JPEG)]).read_bytes()
    outcomes = set()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 2, 4))):
            data[rng.choice((rng.randrange(len(data)), len(data) - 1 - rng.randrange(250)))] = rng.randrange(256)
        (tmp_path / "a.zip").write_bytes(bytes(data))
        try:
            source = open_zip(tmp_path / "a.zip")
        except ConfigError:
            outcomes.add("no zip")
            continue
        for name in ("1.jpg", "sub/2.jpg", "é.jpg"):
            try:
                assert source.read(name) == JPEG
                outcomes.add("read")
            except ImageError:
                outcomes.add("refused")
    assert outcomes == {"no zip", "read", "refused"}


def test_a_zip_is_closed_with_its_source(tmp_path):
    path = write_zip(tmp_path / "a.zip", [("1.jpg", JPEG)])
    gc.collect()  # of other tests
    before = len(os.listdir("/dev/fd"))
    source = open_zip(path)
    source.read("1.jpg")
    assert len(os.listdir("/dev/fd")) == before + 1
    del source
    gc.collect()
    assert len(os.listdir("/dev/fd")) == before


def test_the_digest_of_a_member_is_that_of_its_content(tmp_path):
    source = open_zip(write_zip(tmp_path / "a.zip", [("1.jpg", JPEG), ("2.jpg", b"")]))
    for name in ("1.jpg", "2.jpg"):
        assert source.digest(name) == photograph_digest(source.read(name))
    assert source.read("2.jpg") == b""
