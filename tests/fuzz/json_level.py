"""JSON with one or a few entries that no program of ours writes, or a spelling that no JSON has."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

from tests.fuzz.bytes_level import damage_bytes


class Literal(bytes):
    """A value in a spelling of its own."""


class Pairs(list):
    """An object whose names need not be different."""


def write_json(value: Any) -> bytes:
    """Spell a value out, with the literals in it as they are."""
    if isinstance(value, Literal):
        return bytes(value)
    if isinstance(value, (dict, Pairs)):
        pairs = value.items() if isinstance(value, dict) else value
        return b"{" + b",".join(write_json(name) + b":" + write_json(one) for name, one in pairs) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(write_json, value)) + b"]"
    return json.dumps(value).encode()


def _nested(opened: bytes, closed: bytes, depth: int) -> Literal:
    return Literal(opened * depth + b"0" + closed * depth)


NUMBERS = (
    *(Literal(text) for text in (b"NaN", b"Infinity", b"-Infinity", b"1e308", b"-1e308", b"1e999", b"-0.0", b"1e-320")),
    *(0, 1, -1, 2, 0.5, 3, 16, 255, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, 10**18),
    Literal(b"1" + b"0" * 400),
    Literal(b"-1" + b"0" * 400),
    Literal(b"1" + b"0" * 5000),
    Literal(b"1e5"),
    Literal(b"1.0"),
)
TEXTS = (
    *(
        "",
        " ",
        "x",
        "0",
        "1",
        "true",
        "null",
        "nan",
        "AP",
        "../../evil",
        "/etc/hostname",
        "a/b",
        ".",
        "..",
        "C:/x",
        "~",
    ),
    *("\x1b]0;owned\x07\x1b[31m", "\x9b31m", "\x00", "a\nb", "\r", "\u202eright to left", "\u2028", "\x7f\x08"),
    *("x" * 100_000, "\N{PERSON WITH BALL}" * 9_000, "\x1b" * 5_000, "\xe9" * 300, "%s%n{0}", "[red]x[/]", "<script>"),
    *(Literal(b'"\\ud800"'), Literal(b'"\\udfff\\ud800"'), Literal(b'"\xff\xfe"'), Literal(b'"\\u001b]8;;x\\u0007"')),
    Literal(b'"\\x41"'),
)
OTHERS = (
    *(None, True, False, [], {}, [[]], [{}], {"": None}, [None], [0] * 17, [0] * 51, [0, 0, 0, 0], {"a": {"b": {}}}),
    *(_nested(b"[", b"]", 10_000), _nested(b'{"a":', b"}", 10_000), _nested(b"[", b"]", 600), _nested(b"[", b"]", 100)),
    Literal(b"[" + b",".join([b"0"] * 100_000) + b"]"),
    Literal(b""),
    Literal(b"nul"),
)
NAMES = (
    "",
    "id",
    "image_id",
    "digest",
    "shards",
    "split",
    "name",
    "\x1b[31m",
    "x" * 5_000,
    "a\nb",
    "\u202e",
    "content",
)


def odd_value(rng: Random) -> Any:
    """Return a value that may stand anywhere in JSON, and should not."""
    return copy.deepcopy(rng.choice(rng.choice((NUMBERS, NUMBERS, TEXTS, OTHERS))))  # which others may change


def change_json(value: Any, rng: Random, *, changes: int | None = None) -> Any:
    """Return a copy of a value with a few entries changed; the copy may hold literals."""
    root = [copy.deepcopy(value)]
    for _ in range(changes or rng.choice((1, 1, 1, 2, 3, 6))):
        holder, key = _place(root, rng)
        rng.choice(_CHANGES)(holder, key, rng, root)
    return root[0]


def damage_json(data: bytes, rng: Random) -> bytes:
    """Return JSON that is changed in its values, its spelling or its bytes."""
    if rng.random() < 0.12:
        return damage_bytes(data, rng)
    return respell(write_json(change_json(json.loads(data), rng)), rng)


def respell(data: bytes, rng: Random) -> bytes:
    """Return JSON in another encoding now and then, with something before or behind it."""
    if rng.random() < 0.9:
        return data
    return rng.choice(_SPELLINGS)(data)


_SPELLINGS = (
    lambda data: b"\xef\xbb\xbf" + data,
    lambda data: b"\xef\xbb\xbf" * 2 + data,
    lambda data: data.decode(errors="replace").encode("utf-16"),
    lambda data: data.decode(errors="replace").encode("utf-32"),
    lambda data: data.decode(errors="replace").encode("utf-8", errors="replace").replace(b'"', b"'"),
    lambda data: data + b"]",
    lambda data: data + b" " * 100_000,
    lambda data: data[:-1] + b",}" if data.endswith(b"}") else data[:-1] + b",]",
    lambda data: b"/* a note */" + data,
    lambda data: b"[" * 100_000 + data,
    lambda data: b"[" + data + b"]",
    lambda data: b'{"a":' + data + b"}",
)


def _place(root: list[Any], rng: Random) -> tuple[Any, Any]:
    """Return the holder and the key of a value somewhere below `root`; near the top as likely as far down."""
    holder: Any = root
    key: Any = 0
    while True:
        inner = holder[key]
        if isinstance(inner, (list, dict)) and not isinstance(inner, Pairs) and inner and rng.random() < 0.8:
            holder, key = inner, rng.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        else:
            return holder, key


def _replace(holder: Any, key: Any, rng: Random, root: list[Any]) -> None:
    holder[key] = odd_value(rng)


def _drop(holder: Any, key: Any, rng: Random, root: list[Any]) -> None:
    if holder is not root:
        del holder[key]


def _rename(holder: Any, key: Any, rng: Random, root: list[Any]) -> None:
    if isinstance(holder, dict):
        holder[rng.choice((*NAMES, key[:-1], key + "s", key.upper()))] = holder.pop(key)


def _add(holder: Any, key: Any, rng: Random, root: list[Any]) -> None:
    if isinstance(holder, dict):
        holder[rng.choice(NAMES)] = odd_value(rng)
    elif holder is not root:
        holder.insert(key, odd_value(rng))


def _double(holder: Any, key: Any, rng: Random, root: list[Any]) -> None:
    if isinstance(holder, list) and holder is not root:
        holder[key:key] = [copy.deepcopy(holder[key])] * rng.choice((1, 1, 2, 50))
    elif isinstance(holder[key], dict):  # a name twice, with another value
        pairs = Pairs(holder[key].items())
        if pairs:
            pairs.append((rng.choice(pairs)[0], odd_value(rng)))
        holder[key] = pairs


def _exchange(holder: Any, key: Any, rng: Random, root: list[Any]) -> None:
    """Put a copy of some other value of the document here."""
    other, of = _place(root, rng)
    if len(write_json(other[of])) < 1_000_000:
        holder[key] = copy.deepcopy(other[of])


def _nudge(holder: Any, key: Any, rng: Random, root: list[Any]) -> None:
    found = holder[key]
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        holder[key] = odd_value(rng)
        return
    made = rng.choice((found + 1, found - 1, -found, found * 2, found * 1_000, float(found), str(found), found + 0.5))
    holder[key] = made


def _empty(holder: Any, key: Any, rng: Random, root: list[Any]) -> None:
    found = holder[key]
    holder[key] = type(found)() if isinstance(found, (list, dict, str)) else rng.choice(NUMBERS)


def _shuffle(holder: Any, key: Any, rng: Random, root: list[Any]) -> None:
    if isinstance(holder[key], list):
        rng.shuffle(holder[key])


_CHANGES = (_replace, _replace, _replace, _replace, _drop, _rename, _add, _double, _exchange, _nudge, _nudge, _empty)
_CHANGES += (_shuffle,)
