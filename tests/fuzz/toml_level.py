"""TOML settings with values, names or a spelling that no recipe has."""

from __future__ import annotations

import json
import tomllib
from random import Random
from typing import Any

from tests.fuzz.bytes_level import damage_bytes
from tests.fuzz.json_level import Literal, Pairs, change_json, respell

SPELLINGS = (
    b"nan",
    b"inf",
    b"-inf",
    b"1_000",
    b"0x10",
    b"1979-05-27",
    b"07:32:00",
    b"1979-05-27T07:32:00Z",
    b"'''a'''",
)
LINES = (
    b"epochs = 1\nepochs = 2",
    b"[network]\n[network]",
    b"[[augment]]",
    b"a.b.c = 1",
    b"= 1",
    b"x",
    b'"\\u001b" = 1',
)
LINES += (b"network.stacks.x = 1", b"[" + b"a." * 900 + b"a]", b"x = " + b"[" * 5_000, b"x = " + b"9" * 5_000, b"\xff")


def damage_toml(data: bytes, rng: Random) -> bytes:
    """Return settings with a fault in a value most often, else in the text."""
    what = rng.random()
    if what < 0.15:
        return damage_bytes(data, rng)
    if what < 0.3:
        lines = data.split(b"\n")
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(LINES))
        return b"\n".join(lines)
    changed = change_json(tomllib.loads(data.decode()), rng)
    return respell(write_toml(changed, rng), rng)


def write_toml(settings: Any, rng: Random) -> bytes:
    """Spell settings out, tables inline where they are nested."""
    if isinstance(settings, dict):
        settings = Pairs(settings.items())
    if not isinstance(settings, Pairs):
        return _value(settings, rng)
    return b"".join(json.dumps(name).encode() + b" = " + _value(value, rng) + b"\n" for name, value in settings)


def _value(value: Any, rng: Random) -> bytes:
    if isinstance(value, Literal):
        return bytes(value)
    if value is None:
        return rng.choice(SPELLINGS)
    if isinstance(value, (dict, Pairs)):
        pairs = value.items() if isinstance(value, dict) else value
        return b"{" + b", ".join(json.dumps(n).encode() + b" = " + _value(one, rng) for n, one in pairs) + b"}"
    if isinstance(value, list):
        return b"[" + b", ".join(_value(one, rng) for one in value) + b"]"
    return json.dumps(value).encode()
