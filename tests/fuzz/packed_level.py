"""Text as it comes out of other tools: in gzip, in a zip, in UTF-16, or in none of them rightly."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from random import Random

from tests.fuzz.bytes_level import damage_bytes
from tests.fuzz.json_level import damage_json
from tests.fuzz.zip_level import damage_zip

BOMB_BYTES = 100 << 20
_BOMB = gzip.compress(bytes(BOMB_BYTES), 9)


def damage_packed(data: bytes, rng: Random) -> bytes:
    """Return JSON packed or encoded, with a fault in the JSON, in what is around it, or in neither."""
    inner = damage_json(data, rng) if rng.random() < 0.3 else data
    return rng.choice(_FORMS)(inner, rng)


def _gzip(data: bytes, rng: Random) -> bytes:
    packed = gzip.compress(data, mtime=0)
    what = rng.random()
    if what < 0.1:
        return rng.choice((_BOMB, gzip.compress(_BOMB, mtime=0), packed + packed, packed + b"tail", b"\x1f\x8b"))
    return damage_bytes(packed, rng) if what < 0.6 else packed


def _zip(data: bytes, rng: Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(rng.choice(("labels.json", "a/b.json", "__MACOSX/x.json", "../x.json")), data)
        if rng.random() < 0.3:
            archive.writestr("__MACOSX/._labels.json", b"notes")
    return damage_zip(stream.getvalue(), rng) if rng.random() < 0.6 else stream.getvalue()


def _in_other_letters(data: bytes, rng: Random) -> bytes:
    encoding = rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin-1", "utf-7", "cp037"))
    text = data.decode(errors="replace").encode(encoding, "replace")
    if rng.random() < 0.3:
        text = rng.choice((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) + text
    return damage_bytes(text, rng) if rng.random() < 0.5 else text


def _one_in_another(data: bytes, rng: Random) -> bytes:
    return rng.choice((_gzip, _zip))(_PLAIN[rng.randrange(len(_PLAIN))](data, rng), rng)


_PLAIN: tuple[Callable[[bytes, Random], bytes], ...] = (_gzip, _zip, _in_other_letters)
_FORMS = (*_PLAIN, _one_in_another)
