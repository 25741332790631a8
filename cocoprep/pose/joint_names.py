"""What names of joints say: which are alike, which side one is on, and which two are each other's in a mirror."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Side = Literal["left", "right", "centre"]

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_SIDES: dict[str, Side] = {"left": "left", "l": "left", "right": "right", "r": "right"}


def name_key(name: str) -> tuple[Side, str]:
    """Return what two names of one joint have in common, however they are spelt: `L_Eye` and `left eye` are alike."""
    return _split(name)


def side_of(name: str) -> Side:
    """Return the side that a name says; `centre` where it says none, or both.

    Its first or its last word says it, or else `left` or `right` between others, as in `medial_left_elbow`.
    """
    return _split(name)[0]


def shared_name(name: str) -> str:
    """Return a name without its side, lower-case and with underscores: what both of a pair are called."""
    return _split(name)[1]


def mirror_partners(names: Sequence[str]) -> tuple[int, ...]:
    """Return for each of K names the place of its mirror partner, whose name is the same but for the side.

    A joint without a partner, or with more than one, is its own.
    """
    places: dict[tuple[Side, str], list[int]] = {}
    for k, name in enumerate(names):
        places.setdefault(_split(name), []).append(k)
    partners = list(range(len(names)))
    for (side, shared), found in places.items():
        others = places.get(("right" if side == "left" else "left", shared), []) if side != "centre" else []
        if len(found) == len(others) == 1:
            partners[found[0]] = others[0]
    return tuple(partners)


def _words(name: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(name)]


def _split(name: str) -> tuple[Side, str]:
    words = _words(name)
    first, last = (_SIDES.get(words[0]), _SIDES.get(words[-1])) if len(words) > 1 else (None, None)
    if first and not last:
        return first, "_".join(words[1:])
    if last and not first:
        return last, "_".join(words[:-1])
    between = [k for k, word in enumerate(words[1:-1], 1) if word in ("left", "right")]
    if not (first or last) and len(between) == 1:
        place = between[0]
        return _SIDES[words[place]], "_".join(words[:place] + words[place + 1 :])
    return "centre", "_".join(words) or name.strip().casefold()
