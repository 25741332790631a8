"""JSON that carries a digest of itself."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from cocoprep.errors import RecordError


def canonical_json(value: Any) -> bytes:
    """Encode as JSON with sorted keys: equal values, equal bytes."""
    return msgspec.json.encode(value, order="sorted")


def seal(value: Any) -> bytes:
    """Encode as readable JSON that carries a digest of itself, so that a flipped bit in it is found too."""
    body = msgspec.to_builtins(value, str_keys=True)
    digest = hashlib.sha256(canonical_json(body)).hexdigest()
    return msgspec.json.format(msgspec.json.encode({**body, "digest": digest}, order="sorted"), indent=1) + b"\n"


def unseal(data: bytes, path: str) -> dict[str, Any]:
    """Check what `seal` made and return it without the digest.

    Raises:
        RecordError: not JSON, or changed since it was written.
    """
    try:
        body = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{path}: damaged ({error}). Build the folder again.") from error
    digest = body.pop("digest", None)
    # Compared as bytes too: a flipped bit in white space or in a number's spelling changes no value.
    if digest != hashlib.sha256(canonical_json(body)).hexdigest() or seal(body) != data:
        raise RecordError(f"{path}: its content does not match its digest; it was changed or damaged. Build again.")
    return body
