"""What names of joints say: which are alike, which side one is on, and which two are each other's in a mirror."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Side = Literal["left", "right", "centre"]

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_MARK = "|"  # which is in no word
# Glued to a word only what nothing else begins or ends with: `rear` is no r-ear.
_MARKER = re.compile(r"(?<![^_])(?:left|right|(?:lt|rt|l|r)(?![^_]))|(?:left|right)(?![^_])")
_SIDES: dict[str, Side] = {"left": "left", "l": "left", "right": "right", "r": "right"}
_OTHER: dict[Side, Side] = {"left": "right", "right": "left"}


def name_key(name: str) -> tuple[Side, str]:
    """Return what two names of one joint have in common, however they are spelt: `L_Eye` and `left eye` are alike."""
    return _split(name)


def side_of(name: str) -> Side:
    """Return the side that a name says; `centre` where it says none, or both.

    Its first or its last word says it, or else `left` or `right` between others, as in `medial_left_elbow`.
    """
    return _split(name)[0]


def read_pair(one: str, other: str) -> tuple[Side, str]:
    """Return the side of the first of two mirror partners, and what both are called without it.

    Where their names say no sides, the first is the left one, and both are called as it is. A mere `left` and `right`
    are both a side.
    """
    for read in (_split, _marked):
        (side, shared), opposite = read(one), read(other)
        if _opposite(side, shared) == opposite:
            return side, "_".join(filter(None, re.split(f"[{_MARK}_]", shared))) or "side"
    swapped = side_of(one) == "right" and side_of(other) != "right"
    return ("right", _split(other)[1]) if swapped else ("left", _split(one)[1])


def mirror_partners(names: Sequence[str]) -> tuple[int, ...]:
    """Return for each of K names the place of its mirror partner, whose name is the same but for the side.

    Names that say none by themselves are partners where they differ in nothing but `left` and `right` at the beginning
    or the end of a word, as `lefteye` and `righteye`, or in a word `l` and `r`, `lt` and `rt`. A joint without a
    partner, or with more than one, is its own.
    """
    partners = list(range(len(names)))
    _pair([_split(name) for name in names], partners)
    _pair([_marked(name) if side_of(name) == "centre" else ("centre", "") for name in names], partners)
    return tuple(partners)


def _pair(read: Sequence[tuple[Side, str]], out: list[int]) -> None:
    """Write the places of those that are partners, by side and name without it."""
    places: dict[tuple[Side, str], list[int]] = {}
    for k, key in enumerate(read):
        places.setdefault(key, []).append(k)
    for key, found in places.items():
        opposite = _opposite(*key)
        others = places.get(opposite, []) if opposite else []
        if len(found) == len(others) == 1:
            out[found[0]] = others[0]


def _opposite(side: Side, shared: str) -> tuple[Side, str] | None:
    return (_OTHER[side], shared) if side in _OTHER else None


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


def _marked(name: str) -> tuple[Side, str]:
    """Return the side that the only marker of one in a name says, and the name with `_MARK` in its place."""
    joined = "_".join(_words(name))
    markers = list(_MARKER.finditer(joined))
    # A name of a letter or two is one among others, such as p, q, r.
    if len(markers) != 1 or joined in ("l", "r", "lt", "rt"):
        return "centre", joined
    (found,) = markers
    return "left" if found[0].startswith("l") else "right", f"{joined[: found.start()]}{_MARK}{joined[found.end() :]}"
