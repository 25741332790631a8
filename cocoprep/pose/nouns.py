"""What those with joints are called in sentences: people, or by the name of their category."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 40  # characters: the name is a stranger's
_ONE = {
    "have": "has",
    "are": "is",
    "say": "says",
    "state": "states",
    "name": "names",
    "could": "could",
    "cannot": "cannot",
}
_MANY = re.compile(rf"((?:\w+ )*?\w+)s( of the \w+)? ({'|'.join(_ONE)})\b")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Noun:
    """One of them, and several."""

    one: str
    many: str

    @property
    def a(self) -> str:
        """Return one of them with its article."""
        return f"{'an' if self.one[0].lower() in 'aeiou' else 'a'} {self.one}"

    @property
    def their(self) -> str:
        """Return the possessive of several."""
        return self.many + ("'" if self.many[-1] in "sS" else "'s")

    def of(self, number: int) -> str:
        """Return what so many are called."""
        return self.one if number == 1 else self.many

    def count(self, number: int) -> str:
        """Return so many of them in words."""
        return f"{number} {self.of(number)}"


def counted(number: int, sentence: str) -> str:
    """Return a sentence behind the number of its subject: 2 annotations have no box, 1 annotation has no box."""
    if number == 1 and (found := _MANY.match(sentence)):
        rest = re.sub(r"\btheir\b", "its", sentence[found.end() :])
        return f"1 {found[1]}{found[2] or ''} {_ONE[found[3]]}{rest}"
    return f"{number} {sentence}"


def noun_of(category: str) -> Noun:
    """Return the noun of a category: the words of its name, with an s for several."""
    one = " ".join(_WORD.findall(category))[:LONGEST].strip()
    if one.casefold() in ("person", "people"):
        return Noun("person", "people")
    if not one:
        return Noun("instance", "instances")
    ends_plain = one[-1].isascii() and one[-1] not in "sS"
    return Noun(one, one + "s" if ends_plain else one)
