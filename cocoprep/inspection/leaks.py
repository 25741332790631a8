"""Photographs that two data sets share, or that are in one of them twice, found by content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from cocoprep.inspection.candidates import BEST, Candidates, find_candidates
from cocoprep.inspection.fingerprints import Fingerprint, is_flat, stack_thumbnails
from cocoprep.inspection.likeness import Likeness, Pair, compare_pairs
from cocoprep.inspection.listed import Listed, Photograph
from cocoprep.inspection.opened import Opener
from cocoprep.inspection.reading import Seen, photographs_of
from cocoprep.shards.leak_list import Leak, Leaked, LeakKind

_SURENESS = list(LeakKind)
OnDone = Callable[[int, int], None]


@dataclass(frozen=True)
class FoundLeaks:
    """What was found, and what could not be compared.

    Attributes:
        leaks: each photograph that is to be dropped once for each data set that has it before, in the order of the
            data sets and of the images' ids.
        flat: how many photographs are of one grey all over, and were compared by their files alone.
        faults: why pairs could not be compared.
    """

    leaks: list[Leak]
    flat: int = 0
    faults: list[str] = field(default_factory=list)


class _Contents:
    """The photographs by their content: which are there, in what order, and who has them."""

    def __init__(self, photographs: Sequence[Photograph], digests: Sequence[bytes | None]) -> None:
        self.photographs = photographs
        self.holders: dict[bytes, list[int]] = {}
        for place, digest in enumerate(digests):
            if digest is not None:
                self.holders.setdefault(digest, []).append(place)
        self.order = list(self.holders)  # by the first photograph of each
        self._first: dict[tuple[bytes, int], int] = {}
        for digest, places in self.holders.items():
            for place in places:
                self._first.setdefault((digest, photographs[place].source), place)

    def before(self, place: int, digest: bytes, *, across: bool) -> Iterator[tuple[int, int]]:
        """Yield each data set, up to a photograph's own, that has a content before it, and its first photograph."""
        own = self.photographs[place].source
        for source in range(own if across else own + 1):
            first = self._first.get((digest, source))
            if first is not None and first < place:
                yield source, first


def find_leaks(
    listed: Sequence[Listed],
    seen: Seen,
    opener: Opener,
    *,
    across: bool = False,
    workers: int = 1,
    on_photograph: OnDone = lambda done, total: None,
    on_pair: OnDone = lambda done, total: None,
) -> FoundLeaks:
    """Find the photographs that are the same as one before them: of a data set named before, or with a smaller id.

    Args:
        listed: the data sets, in the order in which they keep their photographs.
        seen: their photographs' fingerprints.
        opener: opens photographs.
        across: photographs that are twice in one data set are passed over.
        workers: processes and threads.
        on_photograph: told of how many photographs it is known which others may be the same, of how many.
        on_pair: told of how many of these pairs it is known whether they are, of how many.

    Raises:
        BuildError: a process was lost.
    """
    photographs = photographs_of(listed)
    contents = _Contents(photographs, seen.digests)
    found = _same_files(contents, across=across)
    comparable, flat = _comparable(contents, seen.known)
    homes = np.array([photographs[contents.holders[d][0]].source for d in comparable], np.int64)
    candidates = find_candidates(
        stack_thumbnails([seen.known[digest] for digest in comparable]), homes, across=across, workers=workers,
        on_rows=on_photograph,
    )  # fmt: skip
    options = _options(contents, comparable, candidates, found, across=across)
    wanted = sorted({candidate for ranked in options.values() for _, candidate in ranked})
    pairs = [_pair(contents, listed, comparable, candidates, number) for number in wanted]
    compared = compare_pairs(pairs, opener, workers=workers, on_pair=on_pair)
    likenesses = dict(zip(wanted, compared, strict=True))
    found |= _confirmed(options, likenesses, candidates)
    faults = list(dict.fromkeys(one.fault for one in compared if one.fault))
    return FoundLeaks(_as_leaks(found, photographs, seen.digests, listed), flat, faults)


_Key = tuple[int, int]  # the photograph that is to be dropped, and the data set that has it before
_Match = tuple[int, LeakKind, float, int]  # the photograph that is kept, and how sure that is


def _same_files(contents: _Contents, *, across: bool) -> dict[_Key, _Match]:
    return {
        (place, source): (first, LeakKind.SAME_FILE, 1.0, 0)
        for digest, places in contents.holders.items()
        for place in places[1:]
        for source, first in contents.before(place, digest, across=across)
    }


def _comparable(contents: _Contents, known: dict[bytes, Fingerprint]) -> tuple[list[bytes], int]:
    """Return the contents by whose pictures they can be known again, and of how many photographs that is not so."""
    decoded = [digest for digest in contents.order if digest in known]
    flat = is_flat(stack_thumbnails([known[digest] for digest in decoded]))
    count = sum(len(contents.holders[d]) for d, one in zip(decoded, flat, strict=True) if one)
    return [digest for digest, one in zip(decoded, flat, strict=True) if not one], count


def _options(
    contents: _Contents,
    comparable: Sequence[bytes],
    candidates: Candidates,
    found: dict[_Key, _Match],
    *,
    across: bool,
) -> dict[_Key, list[tuple[int, int]]]:
    """Return what may be the same as a photograph, by it and data set: photographs and candidates, the best first."""
    options: dict[_Key, list[tuple[int, int]]] = {}
    for number in np.argsort(-candidates.alike, kind="stable").tolist():
        ends = comparable[candidates.later[number]], comparable[candidates.earlier[number]]
        for own, other in (ends, ends[::-1]):
            for place in contents.holders[own]:
                for source, first in contents.before(place, other, across=across):
                    ranked = options.setdefault((place, source), [])
                    if (place, source) not in found and len(ranked) < BEST:
                        ranked.append((first, number))
    return options


def _pair(
    contents: _Contents, listed: Sequence[Listed], comparable: Sequence[bytes], candidates: Candidates, number: int
) -> Pair:
    def where(content: int) -> tuple[str, str]:
        photograph = contents.photographs[contents.holders[comparable[content]][0]]
        return listed[photograph.source].source.images, photograph.name

    return Pair(
        where(candidates.later[number]), where(candidates.earlier[number]), mirrored=bool(candidates.mirrored[number])
    )


def _confirmed(
    options: dict[_Key, list[tuple[int, int]]], likenesses: dict[int, Likeness], candidates: Candidates
) -> dict[_Key, _Match]:
    """Return of every photograph and data set the surest match."""
    found = {}
    for key, ranked in options.items():
        sure = [
            (_SURENESS.index(kind), -likenesses[number].alike, first, number)
            for first, number in ranked
            if (kind := likenesses[number].kind) is not None
        ]
        if sure:
            place, against, first, number = min(sure)
            found[key] = (first, _SURENESS[place], -against, int(candidates.bits[number]))
    return found


def _as_leaks(
    found: dict[_Key, _Match],
    photographs: Sequence[Photograph],
    digests: Sequence[bytes | None],
    listed: Sequence[Listed],
) -> list[Leak]:
    def leaked(place: int) -> Leaked:
        one, digest = photographs[place], digests[place] or b""
        return Leaked(
            listed[one.source].source.name, one.image_id, one.own_id, one.info.file_name, digest.hex()
        )  # fmt: skip

    return [
        Leak(kind, leaked(first), leaked(place), alike, bits)
        for (place, _), (first, kind, alike, bits) in sorted(found.items())
    ]
