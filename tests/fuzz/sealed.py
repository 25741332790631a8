"""Files that carry a digest of themselves, changed and sealed again: whoever writes one can seal it."""

from __future__ import annotations

import hashlib
import json
from random import Random
from typing import Any

import msgspec

from cocoprep.shards.seal import seal
from tests.fuzz.json_level import change_json, damage_json, write_json


def damage_sealed(data: bytes, rng: Random) -> bytes:
    """Return a sealed file changed, mostly behind a digest that is right."""
    if rng.random() < 0.1:
        return damage_json(data, rng)
    body = json.loads(data)
    del body["digest"]
    return seal_anything(change_json(body, rng))


def seal_anything(body: Any) -> bytes:
    """Seal a value with literals in it; where it cannot be decoded and sealed, give it some digest all the same."""
    text = write_json(body)
    try:
        decoded = msgspec.json.decode(text, type=dict[str, Any])
        decoded.pop("digest", None)
        return seal(decoded)
    except (ValueError, RecursionError, OverflowError):
        digest = hashlib.sha256(text).hexdigest().encode()
        return text[:-1] + b',"digest":"' + digest + b'"}' if text.endswith(b"}") else text
