"""Which photograph a file name means, where tools write other names than the photographs have.

A name under which something lies is that photograph's. Any other is held against the names of all that is there, each
read backwards, from the file name up through the folders: one must be the end of the other. Prefixes, addresses,
escapes, Unicode's forms and the case of letters are passed over. Where that finds none at all, and the names lie in one
folder and the photographs in another, what the two are called is passed over too. Nothing is opened or fetched by such
a name: it only chooses among what is there, and only where nothing else fits.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from unicodedata import normalize
from urllib.parse import parse_qs, unquote

from msgspec.structs import replace

from cocoprep.checks import shown
from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.image_source import ImageSource, check_file_name
from cocoprep.errors import ImageError
from cocoprep.pose.nouns import counted

MOST_NAMES = 2_000_000  # that are looked through
_MOST_PARTS = 64  # of a name that is looked for
_MOST_BYTES = 4096  # of a name that is taken: the longest path Linux takes
_MOST_FITS = 50  # that are compared by their spelling
_MOST_SAID = 4  # of the ways in which names differ
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*(?P<path>[^?#]*)")
_DRIVE = re.compile(r"[A-Za-z]:")

PREFIX, BELOW, ADDRESS, ESCAPES, UNICODE, CASE = "prefix", "below", "address", "escapes", "unicode", "case"
MOVED = "moved"
_SAID = {
    PREFIX: "without what stands before it",
    BELOW: "in a folder that the name leaves out",
    ADDRESS: "at the end of an address",
    ESCAPES: "with escapes read",
    UNICODE: "in another Unicode form",
    CASE: "in another case of letters",
    MOVED: "in the folder that all photographs are in, in place of that of all names",
}


@dataclass(frozen=True)
class FoundNames:
    """What the file names of an annotation file mean.

    Attributes:
        own: the photograph's own name, by a file name that is another.
        refused: file names that fit two photographs, or a photograph that another name fits too; and why.
        absent: file names that nothing fits, and why.
        notes: what was guessed, in sentences.
    """

    own: dict[str, str]
    refused: dict[str, str]
    absent: dict[str, str]
    notes: tuple[str, ...]

    def rename(self, images: Mapping[int, ImageInfo]) -> dict[int, ImageInfo]:
        """Return entries of `images` with the photographs' own names."""
        return {
            key: replace(image, file_name=self.own[image.file_name]) if image.file_name in self.own else image
            for key, image in images.items()
        }


@dataclass(frozen=True)
class _Fit:
    own: str
    kinds: tuple[str, ...]
    departures: frozenset[str]


def find_names(file_names: Iterable[str], images: ImageSource) -> FoundNames:
    """Find the photographs of all file names of an annotation file; see the module."""
    wanted = list(dict.fromkeys(file_names))
    exact = images.find(wanted)
    open_names = [name for name in wanted if name not in exact]
    there = _Reversed(open_names, images)
    refused, only, absent = dict[str, str](), dict[str, _Fit](), dict[str, str]()
    for name in open_names:  # of the many that may fit each, none is kept
        match there.fits(name):
            case []:
                absent[name] = _nothing(name, images, there.alike(name))
            case [fit]:
                only[name] = fit
            case several:
                refused[name] = _several(name, several)
    if not (exact or only or refused):
        for name, fit in there.moved(open_names):
            only[name] = fit
            del absent[name]
    refused |= _shared(exact, only)
    fits = {name: fit for name, fit in only.items() if name not in refused}
    notes = [*_found_note(fits), *_refused_note(refused)]
    if there.given_up:
        notes.append(f"over {MOST_NAMES} files among the photographs: none was looked for under another name")
    return FoundNames({name: fit.own for name, fit in fits.items()}, refused, absent, tuple(notes))


def _several(name: str, fits: Sequence[_Fit]) -> str:
    one, other, *_ = sorted(fit.own for fit in fits)
    return f"{shown(name)}: both {shown(one)} and {shown(other)} fit"


def _shared(exact: Mapping[str, str], fits: Mapping[str, _Fit]) -> dict[str, str]:
    """Return the names that must not have the photograph that fits them, since another name has it or fits it too."""
    claims: dict[str, list[str]] = {}
    for name, fit in fits.items():
        claims.setdefault(fit.own, []).append(name)
    for name, own in exact.items():
        if own in claims:
            claims[own].append(name)
    return {
        name: f"{shown(name)}: {shown(own)} fits, but fits {shown(next(n for n in names if n != name))} too"
        for own, names in claims.items()
        if len(names) > 1
        for name in names
        if name not in exact
    }


class _Reversed:
    """The photographs' own names, parts in reverse, in order: what ends alike begins alike and stands together."""

    def __init__(self, names: Iterable[str], images: ImageSource) -> None:
        last = {_folded(parts[-1]) for name in names for parts, _ in _forms(name)}
        endings = {name.rpartition(".")[2] for name in last}
        self._names: list[tuple[str, str]] = []
        self._shared: list[str] | None = None  # the folders that all lie in that end as the photographs wanted
        self.given_up = False
        for count, own in enumerate(images.names() if last else ()):
            if count == MOST_NAMES:
                self._names, self.given_up = [], True
                break
            if self._shared != [] and _folded(own.rpartition(".")[2]) in endings and not _is_hidden(own):
                self._shared = _shared_folders(self._shared, own.split("/"))
            if _folded(own.rpartition("/")[2]) in last and _can_be_taken(own):
                self._names.append((_backwards(_folded(own).split("/")), own))
        self._names.sort()

    def fits(self, name: str) -> list[_Fit]:
        """Return what fits a file name best: nothing, one, or some of several, none better than all others."""
        for parts, kinds in _forms(name):
            folded = [_folded(part) for part in parts]
            found = self._beginning(_backwards(folded))
            for length in range(len(parts) - 1, 0, -1):
                found = found or self._equal(_backwards(folded[-length:]))
            if found:
                if len(found) == _MOST_FITS:  # there may be more
                    return [_fit(own, parts, kinds) for own in sorted(found)[:2]]
                fits = [_fit(own, parts, kinds) for own in found]
                best = min(fits, key=lambda fit: len(fit.departures))
                is_best = all(fit is best or best.departures < fit.departures for fit in fits)
                return [best] if is_best else fits
        return []

    def moved(self, names: Iterable[str]) -> Iterator[tuple[str, _Fit]]:
        """Yield what fits names of which each is taken without the folders that all share, and so are the own names."""
        forms = {name: form for name in names if (form := next(_forms(name), None))}
        folders: list[str] | None = None
        for parts, _ in forms.values():
            folders = _shared_folders(folders, parts)
        start = "".join(f"{_folded(part)}/" for part in reversed(self._shared or []))
        for name, (parts, kinds) in forms.items():
            found = self._equal(_backwards([_folded(part) for part in parts[len(folders or ()) :]]) + start)
            if len(found) == 1:
                yield name, _Fit(found[0], (*kinds, MOVED), frozenset())

    def alike(self, name: str) -> str | None:
        """Return what has a file name's last part, in whatever folder."""
        lasts = (_folded(parts[-1]) for parts, _ in _forms(name))
        return next((own for last in lasts for own in self._beginning(f"{last}/")), None)

    def _beginning(self, key: str) -> list[str]:
        return [own for _, own in takewhile(lambda name: name[0].startswith(key), self._from(key))]

    def _equal(self, key: str) -> list[str]:
        return [own for _, own in takewhile(lambda name: name[0] == key, self._from(key))]

    def _from(self, key: str) -> Iterator[tuple[str, str]]:
        start = bisect_left(self._names, (key,))
        return (self._names[n] for n in range(start, min(start + _MOST_FITS, len(self._names))))


def _forms(name: str) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """Yield what a file name may mean, the plainest first: the parts of a path, and what was done to get them."""
    url = _URL.match(name)
    forms: list[tuple[str, tuple[str, ...]]] = [] if url else [(name, ())]
    path = url["path"] if url else re.split(r"[?#]", name)[0]
    of_address = () if path == name else (ADDRESS,)
    forms += [(path, of_address)] if of_address else []
    forms += [(unquote(path), (*of_address, ESCAPES))] if "%" in path else []
    forms += [(value, (ADDRESS,)) for value in _of_query(name.partition("?")[2])]
    for text, kinds in forms:
        parts = _parts(text)
        if 0 < len(parts) <= _MOST_PARTS:
            yield parts, kinds


def _of_query(query: str) -> list[str]:
    """Return the path in an address such as Label Studio's `/data/local-files/?d=folder/1.jpg`."""
    try:
        return parse_qs(query, max_num_fields=20).get("d", [])[:1]
    except ValueError:
        return []


def _parts(path: str) -> list[str]:
    """Return the parts of a path that say where a photograph lies: none of a drive, and none before a step up."""
    parts = path[2:].split("/") if _DRIVE.match(path) else path.split("/")
    if ".." in parts:
        parts = parts[len(parts) - parts[::-1].index("..") :]
    return [part for part in parts if part not in ("", ".")]


def _fit(own: str, parts: list[str], kinds: tuple[str, ...]) -> _Fit:
    """Return how a photograph's own name fits the parts of a file name, which `kinds` led to."""
    others = own.split("/")
    length = min(len(parts), len(others))
    tail, other = "/".join(parts[-length:]), "/".join(others[-length:])
    departures = {BELOW} if len(others) > length else set()
    if tail != other:
        departures.add(UNICODE)
        if normalize("NFC", tail) != normalize("NFC", other):
            departures.add(CASE)
    said = [kind for kind in (BELOW, CASE if CASE in departures else UNICODE) if kind in departures]
    if (len(parts) > length and ADDRESS not in kinds) or not (kinds or said):
        said.insert(0, PREFIX)
    return _Fit(own, (*kinds, *said), frozenset(departures))


def _folded(text: str) -> str:
    return normalize("NFC", normalize("NFC", text).casefold())


def _backwards(parts: list[str]) -> str:
    return "".join(f"{part}/" for part in reversed(parts))


def _shared_folders(shared: list[str] | None, parts: list[str]) -> list[str]:
    """Return those of the first folders that a further path shares; of the first path, all of its folders."""
    if shared is None:
        return parts[:-1]
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(shared, parts[:-1], strict=False))
    return [part for part, _ in alike]


def _is_hidden(own: str) -> bool:
    return own.startswith((".", "__MACOSX/")) or "/." in own


def _can_be_taken(own: str) -> bool:
    try:
        check_file_name(own)
        return not _is_hidden(own) and len(own.encode()) <= _MOST_BYTES
    except (ImageError, UnicodeEncodeError):  # of an archive, whose names may be anything
        return False


def _nothing(name: str, images: ImageSource, alike: str | None) -> str:
    if alike is not None:
        return f"{shown(name)}: {images.nothing}; {shown(alike)} is in another folder than it says"
    try:
        check_file_name(name)
    except ImageError as error:
        return str(error)
    return f"{name!r}: {images.nothing}"


def _found_note(fits: Mapping[str, _Fit]) -> list[str]:
    """Say how many photographs were found under another name, by what was passed over, with an example of each."""
    if not fits:
        return []
    # The most frequent first, and in no order of the file.
    counts = sorted(Counter(fit.kinds for fit in fits.values()).items(), key=lambda pair: (-pair[1], pair[0]))
    kinds = []
    for kind, count in counts[:_MOST_SAID]:
        name = min(name for name, fit in fits.items() if fit.kinds == kind)
        said = ", ".join(_SAID[part] for part in kind)
        kinds.append(f"{count} {said} ({shown(name)} is {shown(fits[name].own)})")
    if rest := sum(count for _, count in counts[_MOST_SAID:]):
        kinds.append(f"{rest} in other ways")
    said = counted(len(fits), "file names are not quite the photographs' own")
    return [f"{said}. Found: {'; '.join(kinds)}"]


def _refused_note(refused: Mapping[str, str]) -> list[str]:
    if not refused:
        return []
    said = counted(len(refused), "file names could mean several photographs, or share one")
    return [f"{said}, left out: {min(refused.values())}"]
