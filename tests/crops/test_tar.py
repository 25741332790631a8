"""Photographs in a tar: where its members lie, what is refused, and that no header costs more than it is worth."""

from __future__ import annotations

import gc
import io
import os
import random
import shutil
import struct
import subprocess
import tarfile
import time

import pytest

from cocoprep.crops import tar_index
from cocoprep.crops.image_source import MAX_FILE_BYTES, photograph_digest
from cocoprep.crops.photographs import open_images
from cocoprep.crops.tar_index import index_tar, is_tar_head
from cocoprep.errors import ConfigError, ImageError
from cocoprep.storage.local import LocalFiles
from tests.builder.bad_input import BAD_NAMES, JPEG
from tests.support.sources import refused

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "GNU": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
NAMES = ("1.jpg", "sub/2.jpg", "é.jpg", "a b.jpg")
LONG = "/".join(["folder" * 10] * 4) + "/1.jpg"  # over the 100 bytes of a plain header, and the 255 of ustar's


def tar_bytes(members, form=tarfile.GNU_FORMAT):
    """Return a tar of (name or TarInfo, content)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, content in members:
            made = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if made.isreg():
                made.size = len(content)
            archive.addfile(made, io.BytesIO(content))
    return stream.getvalue()


def member(name, kind, **fields):
    made = tarfile.TarInfo(name)
    made.type = kind
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def open_tar(tmp_path, data, name="photos.tar"):
    (tmp_path / name).write_bytes(data)
    return open_images(str(tmp_path / name), LocalFiles())


def index(data):
    return list(index_tar(io.BytesIO(data), len(data)))


# What is there


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("inside", ["", "./", "photos/", "train2017/"])
def test_members_are_found(inside, form, tmp_path):
    folder = [(member(inside, tarfile.DIRTYPE), b"")] if inside else []
    members = [(inside + name, JPEG + name.encode()) for name in NAMES]
    source = open_tar(tmp_path, tar_bytes(folder + members, FORMATS[form]), "train2017.tar")
    for name in NAMES:
        assert source.read(name) == JPEG + name.encode()
        assert source.digest(name) == photograph_digest(JPEG + name.encode())
    own = source.find([*NAMES, "3.jpg"])
    assert set(own) == set(NAMES)
    assert sorted(own.values()) == sorted(source.names())
    assert all(source.read(own[name]) == source.read(name) for name in NAMES)
    assert "no such member in the tar" in refused(source, "3.jpg")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("by_reading", [False, True])
def test_the_index_is_that_of_pythons_own_reader(form, by_reading):
    rng = random.Random(form)
    names = [f"{'x' * rng.randrange(60)}/{n}-{'é' * rng.randrange(20)}.jpg" for n in range(60)]
    names += [LONG] if form != "ustar" else []
    data = tar_bytes([(name, rng.randbytes(rng.choice((0, 1, 511, 512, 513, 5000)))) for name in names], FORMATS[form])
    found = index_tar(io.BytesIO(data), len(data), by_reading=by_reading)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert [(name, place.start, place.size) for name, place in found] == [
            (info.name, info.offset_data, info.size) for info in archive
        ]


@pytest.mark.skipif(shutil.which("tar") is None, reason="needs tar")
@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "pax"])
def test_what_the_tar_command_writes(form, tmp_path):
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    (folder / "1.jpg").write_bytes(JPEG)
    (folder / "sub" / "2.jpg").write_bytes(JPEG + b"2")
    (folder / "link.jpg").symlink_to("1.jpg")
    os.link(folder / "1.jpg", folder / "same.jpg")
    os.mkfifo(folder / "pipe.jpg")
    with open(folder / "sparse.jpg", "wb") as stream:
        stream.truncate(1 << 22)
        for at in range(0, 1 << 22, 1 << 16):  # more pieces than a header lists
            stream.seek(at)
            stream.write(b"piece")
    sparse = ["--sparse"] if form in ("gnu", "oldgnu", "pax") else []
    order = ["1.jpg", "link.jpg", "same.jpg", "sparse.jpg", "sub/2.jpg", *(["pipe.jpg"] if form != "v7" else [])]
    archive = tmp_path / "photos.tar"
    subprocess.run(["tar", f"--format={form}", *sparse, "-cf", archive, "-C", folder, *order], check=True)
    source = open_images(str(archive), LocalFiles())
    assert source.read("1.jpg") == JPEG
    assert source.read("sub/2.jpg") == JPEG + b"2"  # stands after all the others
    assert "a symbolic link in the tar" in refused(source, "link.jpg")
    assert "a hard link in the tar" in refused(source, "same.jpg")
    if sparse:
        assert "sparse in the tar" in refused(source, "sparse.jpg")
    if form != "v7":
        assert "no regular file in the tar" in refused(source, "pipe.jpg")


def test_a_tar_without_members_is_no_tar(tmp_path):
    """Nor is a file of zeros, as a download that was cut off may leave it."""
    with pytest.raises(ConfigError, match="not a zip that can be read"):
        open_tar(tmp_path, bytes(10240))


def test_numbers_that_octal_digits_cannot_hold(tmp_path):
    data = bytearray(tar_bytes([("1.jpg", JPEG)]))
    data[124:136] = b"\x80" + len(JPEG).to_bytes(11, "big")
    assert open_tar(tmp_path, with_checksum(data)).read("1.jpg") == JPEG


def test_signed_checksums_of_old_tars(tmp_path):
    data = bytearray(tar_bytes([("é.jpg", JPEG)]))
    signed = 256 + sum(struct.unpack("148b8x356b", data[:512]))
    data[148:156] = b"%06o\0 " % signed
    assert is_tar_head(bytes(data[:512]))
    assert open_tar(tmp_path, bytes(data)).read("é.jpg") == JPEG


# What is refused


def with_checksum(data, at=0):
    """Set the checksum of the header at a byte right."""
    data = bytearray(data)
    data[at + 148 : at + 156] = b" " * 8
    data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    return bytes(data)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (tarfile.SYMTYPE, "a symbolic link in the tar"),
        (tarfile.LNKTYPE, "a hard link in the tar"),
        (tarfile.CHRTYPE, "no regular file in the tar"),
        (tarfile.BLKTYPE, "no regular file in the tar"),
        (tarfile.FIFOTYPE, "no regular file in the tar"),
        (b"Z", "no regular file in the tar"),
    ],
)
def test_what_is_no_regular_file(kind, says, tmp_path):
    odd = member("1.jpg", kind, linkname="/etc/hostname")
    source = open_tar(tmp_path, tar_bytes([(odd, b""), ("2.jpg", JPEG)]))
    assert says in refused(source, "1.jpg")
    assert source.read("2.jpg") == JPEG


@pytest.mark.parametrize("kind", BAD_NAMES)
def test_a_bad_name_is_refused(kind, tmp_path):
    """Even where the tar has a member of that very name."""
    name, _ = BAD_NAMES[kind]
    members = [("good.jpg", JPEG)] + ([(name, JPEG)] if name and "\0" not in name else [])
    source = open_tar(tmp_path, tar_bytes(members, tarfile.PAX_FORMAT))
    if kind in ("too long a part", "through a file"):  # for a tar they are names like any other
        assert source.read(name) == JPEG
    else:
        refused(source, name)
    assert source.read("good.jpg") == JPEG


def test_a_name_used_twice(tmp_path):
    source = open_tar(tmp_path, tar_bytes([("1.jpg", JPEG), ("2.jpg", JPEG), ("1.jpg", b"other")]))
    assert "holds this name more than once" in refused(source, "1.jpg")
    assert source.read("2.jpg") == JPEG


def test_a_member_that_is_too_large(tmp_path):
    with open(tmp_path / "photos.tar", "wb") as stream:
        stream.write(member("1.jpg", tarfile.REGTYPE, size=MAX_FILE_BYTES + 1).tobuf())
        stream.truncate(512 + MAX_FILE_BYTES + 512)
    source = open_images(str(tmp_path / "photos.tar"), LocalFiles())
    assert f"more than the limit of {MAX_FILE_BYTES}" in refused(source, "1.jpg")


def pax(records):
    """Return a pax header with its records, which may be of any form."""
    head = member("head", tarfile.XHDTYPE, size=len(records)).tobuf()
    return head + records.ljust(-(-len(records) // 512) * 512, b"\0")


def patched(offset, value):
    """Return a sound tar one of whose fields is another."""
    data = bytearray(tar_bytes([("1.jpg", JPEG), ("2.jpg", JPEG)]))
    data[offset : offset + len(value)] = value
    return with_checksum(data)


TAIL = tar_bytes([("1.jpg", JPEG)])
DAMAGED = {
    "cut in a photograph": (TAIL[:700], "cut short: '1.jpg' ends at byte"),
    "cut in a header": (tar_bytes([("1.jpg", b"")])[:512] + TAIL[:100], "cut short at byte 612"),
    "a header that is none": (tar_bytes([("1.jpg", b"")])[:512] + b"x" * 512, "no header of a tar at byte 512"),
    "a size beyond the file": (patched(124, b"77777777777\0"), "cut short: '1.jpg' ends at byte 8589935103"),
    "a size beyond all files": (patched(124, b"\x80" + b"\xff" * 11), "cut short: '1.jpg'"),
    "a negative size": (patched(124, b"\xff" * 12), "for a number at byte 0"),
    "a size that is no number": (patched(124, b"12x45678901\0"), "for a number at byte 0"),
    "a pax size beyond the file": (pax(b"21 size=999999999999\n") + TAIL, "cut short"),
    "a pax size of many digits": (pax(b"47 size=%s\n" % (b"9" * 38)) + TAIL, "for a number"),
    "a pax record without a length": (pax(b"path=1.jpg\n") + TAIL, "for a number"),
    "a pax record longer than it is": (pax(b"99 path=1.jpg\n") + TAIL, "a pax header at byte 0 that is none"),
    "a pax record of length 0": (pax(b"0 path=1.jpg\n") + TAIL, "a pax header at byte 0 that is none"),
    "pax headers without end": (pax(b"12 path=a.b\n") * 10_000, "more than 8 headers"),
    "a pax header of a gigabyte": (
        member("head", tarfile.XHDTYPE, size=1 << 30).tobuf() + TAIL, "a header of 1073741824 bytes at byte 0"
    ),
    "a long name of a gigabyte": (
        member("head", tarfile.GNUTYPE_LONGNAME, size=1 << 30).tobuf() + TAIL, "a header of 1073741824 bytes"
    ),
    "one size for all": (
        member("head", tarfile.XGLTYPE, size=9).tobuf() + b"9 size=0\n".ljust(512, b"\0") + TAIL,
        "that gives all members one name or size",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_tar_is_one_error_that_names_it(kind, tmp_path):
    data, says = DAMAGED[kind]
    source = open_tar(tmp_path, data)
    with pytest.raises(
        ConfigError, match=r"--images: .*photos\.tar is not a tar that can be read .*fetch it again"
    ) as e:
        source.read("1.jpg")
    assert says in str(e.value)


def test_more_members_than_any_data_set(monkeypatch):
    monkeypatch.setattr(tar_index, "MOST_MEMBERS", 3)
    members = [(f"{n}.jpg", b"") for n in range(3)]
    assert len(index(tar_bytes(members[:2]))) == 2
    with pytest.raises(ValueError, match="more than 3 members"):
        index(tar_bytes(members))


@pytest.mark.parametrize(
    ("tool", "ending", "plain"),
    [("gzip", ".tgz", "gunzip"), ("bzip2", ".tbz2", "bunzip2"), ("xz", ".txz", "unxz"), ("zstd", ".tar.zst", "unzstd")],
)
def test_a_packed_tar_is_refused_with_a_cure_that_works(tool, ending, plain, tmp_path):
    if shutil.which(tool) is None or shutil.which(plain) is None:
        pytest.skip(f"needs {tool} and {plain}")
    path = tmp_path / f"photos{ending}"
    path.write_bytes(subprocess.run([tool, "-c"], input=TAIL, capture_output=True, check=True).stdout)
    with pytest.raises(ConfigError, match="packed as a whole") as caught:
        open_images(str(path), LocalFiles())
    cure = str(caught.value).rpartition(": ")[2].split(" ")
    assert cure == [plain, str(path)]
    subprocess.run(cure, check=True, capture_output=True)
    assert open_images(str(tmp_path / "photos.tar"), LocalFiles()).read("1.jpg") == JPEG


def test_damaged_tars_are_read_or_refused_and_nothing_else(tmp_path):
    rng = random.Random(0)
    whole = tar_bytes([("1.jpg", JPEG), (LONG, JPEG), ("é.jpg", JPEG)], tarfile.PAX_FORMAT)
    outcomes = set()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 2, 4))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            source = open_tar(tmp_path, bytes(data))
            for name in ("1.jpg", LONG, "é.jpg"):
                try:
                    outcomes.add("read" if source.read(name) == JPEG else "other pixels")
                except ImageError:
                    outcomes.add("refused")
        except ConfigError:
            outcomes.add("no tar")
    assert outcomes == {"no tar", "read", "refused", "other pixels"}  # the last: a tar has no checksums of content


# What other processes are told


def test_a_process_that_is_told_does_not_look_through_the_tar(tmp_path):
    data = tar_bytes([("x/1.jpg", JPEG), ("x/2.jpg", JPEG + b"2"), (member("x/3.jpg", tarfile.FIFOTYPE), b"")])
    names = ["1.jpg", "x/2.jpg", "3.jpg", "4.jpg"]
    places = open_tar(tmp_path, data).places(names)
    assert set(places) == {"1.jpg", "x/2.jpg", "3.jpg"}
    with open(tmp_path / "photos.tar", "r+b") as stream:  # from here on, walking fails
        stream.seek(places["1.jpg"].start + 1024)
        stream.write(b"x" * 100)
    source = open_images(str(tmp_path / "photos.tar"), LocalFiles())
    source.learn(places)
    assert source.read("x/2.jpg") == JPEG + b"2"
    assert "no regular file" in refused(source, "3.jpg")
    assert "no such member" in refused(source, "2.jpg")  # it was not asked for by this name
    source.learn({})
    assert "no such member" in refused(source, "x/2.jpg")


def test_a_pax_header_of_many_records_is_read_once(tmp_path):
    start = time.process_time()
    source = open_tar(tmp_path, pax(b"12 path=a.b\n" + b"6 a=b\n" * 170_000) + TAIL)
    assert source.read("a.b") == JPEG
    assert time.process_time() - start < 3  # over 7 s where what follows a record is copied each time


def test_a_tar_that_was_cut_short_since(tmp_path):
    source = open_tar(tmp_path, tar_bytes([("1.jpg", JPEG)]))
    assert source.read("1.jpg") == JPEG
    os.truncate(tmp_path / "photos.tar", 600)
    again = open_images(str(tmp_path / "photos.tar"), LocalFiles())
    again.learn(source.places(["1.jpg"]))
    assert "cut short in the tar" in refused(again, "1.jpg")


def test_a_tar_is_closed_with_its_source(tmp_path):
    gc.collect()  # of other tests
    before = len(os.listdir("/dev/fd"))
    source = open_tar(tmp_path, tar_bytes([("1.jpg", JPEG)]))
    source.read("1.jpg")
    assert len(os.listdir("/dev/fd")) == before + 1
    del source
    gc.collect()
    assert len(os.listdir("/dev/fd")) == before
