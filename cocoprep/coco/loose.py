"""Entries whose numbers are written in another form than COCO's: as text, or joints as triples.

Looked at only where an entry cannot be read as COCO's, so that it costs the others nothing.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from cocoprep.coco.entries import TEXT_NUMBER, TRIPLES, Entry

_NUMBER = re.compile(r"\s*[-+]?\d{1,20}(\.\d{0,30})?([eE][-+]?\d{1,3})?\s*", re.ASCII)  # no NaN, no infinity
_CHANGED = ("bbox", "area", "iscrowd", "keypoints", "num_keypoints")


class _LooseEntry(msgspec.Struct, gc=False):
    id: Any = None
    image_id: Any = None
    category_id: Any = None
    bbox: Any = None
    area: Any = None
    keypoints: Any = None
    iscrowd: Any = 0
    num_keypoints: Any = None
    segmentation: msgspec.Raw = msgspec.Raw()
    keypoints_21: msgspec.Raw = msgspec.Raw()


_decoder = msgspec.json.Decoder(_LooseEntry)


def read_loosely(raw: msgspec.Raw) -> tuple[Entry, frozenset[str]] | None:
    """Return an entry with its numbers in COCO's form, and the kinds of what was guessed; None where it has others."""
    kinds: set[str] = set()
    try:
        found = _decoder.decode(raw)
        for name in _CHANGED:
            setattr(found, name, _plain(getattr(found, name), kinds))
        if isinstance(found.keypoints, list) and found.keypoints and all(map(_is_triple, found.keypoints)):
            found.keypoints = [number for triple in found.keypoints for number in triple]
            kinds.add(TRIPLES)
        return msgspec.convert(found, Entry, from_attributes=True), frozenset(kinds)
    except (msgspec.DecodeError, RecursionError):
        return None


def _plain(value: Any, kinds: set[str]) -> Any:
    """Return a value with a number for every text that is one."""
    if isinstance(value, list):
        return [_plain(one, kinds) for one in value]
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        kinds.add(TEXT_NUMBER)
        return float(value)
    return value


def _is_triple(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3
