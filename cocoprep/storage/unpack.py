"""Text files as tools write them: in gzip or a zip, in UTF-16, with a byte order mark. All unpacking has bounds."""

from __future__ import annotations

import codecs
import io
import zipfile
import zlib

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FREE_BYTES = 64 << 20  # what may come of anything; beyond, no more than so many times what there was
_MOST_TIMES = 100  # JSON of keypoints deflates to a third or a tenth
_WBITS_GZIP = 31


def unpack_text(data: bytes) -> bytes:
    """Return the text of a file, in UTF-8 and without a byte order mark where it says in what it is.

    Raises:
        ValueError: it is packed, and damaged, or unpacks to absurdly much, or holds no file or several.
    """
    if data.startswith(_GZIP):
        data = _inflate(data)
    elif data.startswith(_ZIP):
        data = _only_member(data)
    if data.startswith(_UTF_16):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError as error:
            raise ValueError(f"it begins as UTF-16 and is none ({error})") from error
    return data.removeprefix(codecs.BOM_UTF8)


def _bound(packed: int) -> int:
    return max(_FREE_BYTES, _MOST_TIMES * packed)


def _inflate(data: bytes) -> bytes:
    most, stream = _bound(len(data)), zlib.decompressobj(_WBITS_GZIP)
    try:
        text = stream.decompress(data, most)
    except zlib.error as error:
        raise ValueError(f"a damaged gzip file ({error})") from error
    if not stream.eof:
        raise ValueError("a gzip file that " + (f"holds over {most} bytes" if len(text) >= most else "is cut short"))
    return text


def _only_member(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # What a Mac adds are its own notes.
            members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
            if len(members) != 1:
                raise ValueError(f"a zip of {len(members)} files; expected one")
            if members[0].file_size > _bound(len(data)):
                raise ValueError(f"a zip whose file has {members[0].file_size} bytes, of {len(data)}")
            with archive.open(members[0]) as member:
                return member.read(members[0].file_size)
    except ValueError:
        raise
    except Exception as error:  # zipfile raises whatever a hostile archive provokes
        raise ValueError(f"a zip that cannot be read ({error!s:.200})") from error
