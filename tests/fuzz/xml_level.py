"""XML with odd attributes and elements, what a DOCTYPE may do, or damaged bytes."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz.bytes_level import damage_bytes

VALUES = (
    *(b"", b"x", b"nan", b"1e999", b"-1", b"1,2", b"1,2;3,4", b"1,2,3", b";", b"9" * 5000,
      b"../../etc/passwd", b"/etc"),
    *(b"x" * 100_000, b"&#27;[31m", b"&#x9b;31m", b"&lt;x&gt;", "\u202e".encode(), b"&undefined;", b"\xff",
      b"\0", b"0"),
    *(b"&#xD800;", b"C:\\x\\a.jpg", b"http://x/../y.jpg", b"1e300,1e300", b"nan,nan", b"7", b"\t\n", b"&amp;" * 9000),
)  # fmt: skip
_BOMB = b'<!DOCTYPE a [<!ENTITY a "xxxxxxxxxx">' + b"".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
)
PIECES = (
    *(b"<track/>", b"<image/>", b"<image name='../a.jpg'/>", b"<skeleton/>", b"<skeleton label='person'/>",
      b"<points/>"),
    *(b"<box/>", b"<a>" * 5000, b"<a>" * 20, b"</image>", b"<![CDATA[<skeleton>]]>", b"<!-- -->", b"<?x y?>", b"]]>"),
    *(b"<label><name>person</name><parent>person</parent></label>", b"<label><parent>person</parent></label>"),
    *(b"<skeleton label='\xe2\x80\xae'><points label='x' points='1,2'/></skeleton>", b"text " * 50_000, b"&j;"),
    b"<skeleton label='person'>" + b"".join(b"<points label='p%d' points='1,%d'/>" % (n, n) for n in range(2000)),
)  # fmt: skip
_ATTRIBUTE = re.compile(rb'(?<==")[^"]*(?=")')
_TAG = re.compile(rb">")


def damage_xml(data: bytes, rng: Random) -> bytes:
    """Return XML with a few faults."""
    if rng.random() < 0.15:
        return damage_bytes(data, rng)
    if rng.random() < 0.1:
        declared = data.index(b"?>") + 2
        doctype = rng.choice((_BOMB + b"]>", b"<!DOCTYPE a>", b'<!DOCTYPE a SYSTEM "file:///etc/passwd">'))
        return data[:declared] + doctype + data[declared:].replace(b"a.jpg", b"&j;")
    for _ in range(rng.choice((1, 1, 2, 4))):
        pattern, odd = (_ATTRIBUTE, rng.choice(VALUES)) if rng.random() < 0.7 else (_TAG, rng.choice(PIECES))
        place = rng.choice(list(pattern.finditer(data)))
        end = place.end()
        data = data[: place.start() if pattern is _ATTRIBUTE else end] + odd + data[end:]
    return data
