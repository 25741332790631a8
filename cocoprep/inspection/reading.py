"""The fingerprints of all photographs, taken by several processes, each content once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

from cocoprep.crops.image_source import Place
from cocoprep.errors import ConfigError, ImageError
from cocoprep.inspection.fingerprint_folder import FingerprintFolder, FingerprintWriter
from cocoprep.inspection.fingerprints import Fingerprint, digest_of, fingerprint
from cocoprep.inspection.listed import Listed, Photograph
from cocoprep.inspection.opened import Opener
from cocoprep.processes import map_in_processes

TOGETHER = 64  # photographs that a process is given at once
_FEW = 8  # of such tasks: then other processes take longer to start than they save


@dataclass(frozen=True)
class Task:
    """Photographs of one data set for one process.

    Attributes:
        images: path of the folder, zip or tar.
        names: of the photographs.
        places: where they lie in a tar, as `ImageSource.places` returns them.
    """

    images: str
    names: tuple[str, ...]
    places: Mapping[str, Place]


@dataclass
class Seen:
    """What is known of photographs once they have been read.

    Attributes:
        digests: of each photograph's file, in the order of the photographs; None where it cannot be read.
        known: the fingerprints by digest; of what cannot be decoded there is none.
        faults: of photographs that cannot be read or decoded, by their place: why.
        reused: of how many the fingerprint was there.
    """

    digests: list[bytes | None] = field(default_factory=list)
    known: dict[bytes, Fingerprint] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    reused: int = 0


_Result = tuple[bytes | None, Fingerprint | None, str]


def see_photographs(
    listed: Sequence[Listed],
    folder: FingerprintFolder,
    opener: Opener,
    *,
    workers: int = 1,
    on_photograph: Callable[[int, int], None] = lambda done, total: None,
) -> Seen:
    """Read every photograph, and take the fingerprints that are not known.

    What is interrupted is kept, so that the next run takes the rest.

    Args:
        listed: the data sets.
        folder: keeps fingerprints.
        opener: opens photographs.
        workers: processes.
        on_photograph: told how many are done, of how many.

    Raises:
        BuildError: a process was lost.
        ConfigError: of a data set none can be read.
    """
    folder.prepare()
    kept = folder.names()
    tasks = list(_tasks(listed, opener))
    total = sum(len(task.names) for task in tasks)
    look = partial(_look, opener=opener, folder=folder, kept=kept)
    seen, writer = Seen(known=folder.load(kept)), FingerprintWriter(folder)
    processes = 1 if len(tasks) <= _FEW else min(workers, len(tasks))
    on_photograph(0, total)
    try:
        for found in map_in_processes(look, tasks, processes=processes, doing="reads photographs"):
            _add(found, seen, writer)
            on_photograph(len(seen.digests), total)
    finally:
        writer.flush()
    _check_some_are_read(listed, seen)
    return seen


def _check_some_are_read(listed: Sequence[Listed], seen: Seen) -> None:
    """Raise ConfigError where nothing can be said of a data set: that must not look as if nothing were found."""
    start = 0
    for one in listed:
        digests = seen.digests[start : start + len(one.photographs)]
        start += len(digests)
        if not any(digest in seen.known for digest in digests):
            raise ConfigError(
                f"--source: of {len(digests)} photographs in {one.source.images} none can be read (one of them: "
                f"{seen.faults[start - 1]:.300}). Are they the photographs of {one.source.name}?"
            )


def photographs_of(listed: Sequence[Listed]) -> list[Photograph]:
    """Return all photographs, those of the first data set first: the order of `Seen.digests`."""
    return [photograph for one in listed for photograph in one.photographs]


def _tasks(listed: Sequence[Listed], opener: Opener) -> Iterator[Task]:
    for one in listed:
        images = opener.open(one.source.images)
        for start in range(0, len(one.photographs), TOGETHER):
            names = tuple(photograph.name for photograph in one.photographs[start : start + TOGETHER])
            yield Task(one.source.images, names, images.places(names))


@lru_cache(maxsize=1)
def _known(folder: FingerprintFolder, kept: tuple[str, ...]) -> frozenset[bytes]:
    """Return the digests that need not be decoded again; each process reads them once."""
    return frozenset(folder.load(kept))


def _look(task: Task, *, opener: Opener, folder: FingerprintFolder, kept: tuple[str, ...]) -> list[_Result]:
    """Return of each photograph its digest, its fingerprint where that is not known, and what is wrong with it."""
    images, known = opener.open_part(task.images, task.places), _known(folder, kept)
    found: list[_Result] = []
    for name in task.names:
        digest = None
        try:
            data = images.read(name)
            digest = digest_of(data)
            found.append((digest, None if digest in known else fingerprint(data, name), ""))
        except ImageError as error:
            found.append((digest, None, str(error)))
    return found


def _add(found: list[_Result], seen: Seen, writer: FingerprintWriter) -> None:
    new = {}
    for digest, taken, fault in found:
        place = len(seen.digests)
        seen.digests.append(digest)
        if fault:
            seen.faults[place] = fault
        elif taken is None or taken.sha256 in seen.known:
            seen.reused += 1
        else:
            seen.known[taken.sha256] = new[taken.sha256] = taken
    writer.add(new.values())
