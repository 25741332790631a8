"""Text in gzip, a zip or UTF-16 is read; what is damaged, or a bomb, is told."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile

import pytest

from cocoprep.storage import unpack
from cocoprep.storage.unpack import unpack_text

TEXT = '{"näme": "日本"}'
PLAIN = TEXT.encode()


def zipped(*files, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        codecs.BOM_UTF8 + PLAIN,
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        gzip.compress(PLAIN),
        gzip.compress(TEXT.encode("utf-16")),
        zipped(("labels.json", PLAIN)),
        zipped(("a/", b""), ("a/labels.json", PLAIN), ("__MACOSX/a/._labels.json", b"x"), method=zipfile.ZIP_STORED),
    ],
    ids=["plain", "mark", "utf-16", "utf-16-be", "gzip", "gzip of utf-16", "zip", "zip of a Mac"],
)
def test_the_text_is_the_same(data):
    assert unpack_text(data) == PLAIN


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (gzip.compress(PLAIN)[:-9], "a gzip file that is cut short"),
        (b"\x1f\x8b" + b"x" * 50, "a damaged gzip file"),
        (zipped(("a", b"1"), ("b", b"2")), "a zip of 2 files; expected one"),
        (zipped(), ""),
        (zipped(("a", PLAIN))[:-30], "a zip that cannot be read"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8\x00", "begins as UTF-16 and is none"),
    ],
    ids=["gzip cut", "gzip damaged", "two files", "no file", "zip cut", "utf-16"],
)
def test_what_cannot_be_unpacked_is_told(data, says):
    if not says:
        assert unpack_text(data) == data  # an empty zip has no beginning of a file's
        return
    with pytest.raises(ValueError, match=says):
        unpack_text(data)


def test_no_bomb_unpacks(monkeypatch):
    monkeypatch.setattr(unpack, "_FREE_BYTES", 1000)
    bomb = bytes(10**6)
    with pytest.raises(ValueError, match="a gzip file that holds over"):
        unpack_text(gzip.compress(bomb))
    with pytest.raises(ValueError, match="a zip whose file has 1000000 bytes"):
        unpack_text(zipped(("a", bomb)))


def test_a_zip_that_lies_of_a_size_gives_no_more_than_it_says():
    data = bytearray(zipped(("a", bytes(5000))))
    for place in (data.index(b"PK\x01\x02") + 24, 22):
        data[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(ValueError, match="cannot be read"):
        unpack_text(bytes(data))
