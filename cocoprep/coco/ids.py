"""Numbers for the ids of a file: its own where they can serve, else what follows from what they stand for.

Never from a place in the file: one that is shuffled keeps its numbers.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

NO_ID, ZERO_ID, TEXT_ID, SHARED_ID, TWICE = "no id", "id 0", "text id", "shared id", "twice"
_LEAST, _MOST = -(2**63), 2**63 - 1
_NUMBERS = 1 << 52  # float64, which is all that pycocotools and JavaScript have, holds them exactly


def number_of(own: Any) -> int | None:
    """Return the whole number that an id plainly is, written as one or as text; None where it is none."""
    if type(own) is int:  # of nearly all files, all
        return own if _LEAST <= own <= _MOST else None
    if isinstance(own, str) and own.isascii() and len(own) <= 20 and own.removeprefix("-").isdigit():
        return number_of(int(own)) if str(int(own)) == own else None
    return number_of(int(own)) if isinstance(own, float) and own.is_integer() else None


def text_of(own: Any) -> str:
    """Return an id of any kind as text."""
    return own if isinstance(own, str) else msgspec.json.encode(own).decode()


class Ids(msgspec.Struct, gc=False):
    """The ids of an entry whose other fields may be anything, as the file has them."""

    id: Any = None
    image_id: Any = None
    category_id: Any = None


_decoder = msgspec.json.Decoder(Ids)


def read_ids(raw: msgspec.Raw) -> Ids:
    """Return whatever ids an entry has; none where it is no object."""
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return Ids()


def image_number(own: Any) -> int | None:
    """Return the number of an image id; None where there is no id."""
    number = number_of(own)
    if number is None and own is not None:
        return number_for(b"image", _bytes_of(own))
    return number


def _bytes_of(own: Any) -> bytes:
    return text_of(own).encode("utf-8", "surrogatepass")


def number_for(*parts: bytes) -> int:
    """Return the number, from 1, of something that has no number of its own."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(len(part).to_bytes(8, "little") + part)
    return 1 + int.from_bytes(sha.digest()[:8], "little") % _NUMBERS


@dataclass(frozen=True)
class Numbering:
    """Numbers of N annotations.

    Attributes:
        numbers: of each, no two alike but those of an annotation that is there twice.
        twice: places of those that are equal to one before, id and all.
        guesses: counts those whose own id could not serve, and those that are there twice, by kind.
    """

    numbers: list[int]
    twice: set[int] = field(default_factory=set)
    guesses: Counter[str] = field(default_factory=Counter)


def number_annotations(own: Sequence[Any], content: Callable[[int], bytes]) -> Numbering:
    """Give N annotations numbers that are theirs alone.

    Args:
        own: their ids as the file has them, of any kind; None where there is none.
        content: of a place, all that makes the annotation what it is, but for its id. Asked only where it is needed.
    """
    done = Numbering([number_of(one) or 0 for one in own])  # pycocotools takes an id of 0 for nobody
    uses = Counter(done.numbers)
    first: dict[tuple[bytes, bytes], int] = {}
    places: dict[int, int] = {}  # of each that is there twice, that of the one before
    for n, number in enumerate(done.numbers):
        if number == 0 or uses[number] > 1:
            before = first.setdefault((_bytes_of(own[n]), content(n)), n)
            if before != n:
                places[n] = before
    _number_by_content(done, own, first)
    for n, before in places.items():
        done.numbers[n] = done.numbers[before]
    done.twice.update(places)
    done.guesses[TWICE] += len(places)
    return done


def _number_by_content(done: Numbering, own: Sequence[Any], first: dict[tuple[bytes, bytes], int]) -> None:
    """Number those of `first` whose own numbers are 0 or also another's: place by id and content."""
    numbers = done.numbers
    uses = Counter(numbers[n] for n in first.values())
    taken = {number for number in numbers if uses[number] < 2}
    for key, n in sorted(first.items()):
        if numbers[n] == 0 or uses[numbers[n]] > 1:
            done.guesses[_kind(own[n])] += 1
            number = number_for(*key)
            while number in taken:
                number = number_for(number.to_bytes(8, "little"))
            taken.add(number)
            numbers[n] = number


def _kind(own: Any) -> str:
    if own is None:
        return NO_ID
    return {None: TEXT_ID, 0: ZERO_ID}.get(number_of(own), SHARED_ID)
