"""Two photographs held against each other, pixel by pixel, to say whether they are the same picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from cocoprep.crops.image_source import ImageSource, Place
from cocoprep.crops.small_picture import squeeze
from cocoprep.errors import ImageError
from cocoprep.inspection.candidates import correlate
from cocoprep.inspection.opened import Opener, read_pixels
from cocoprep.processes import map_in_processes
from cocoprep.shards.leak_list import LeakKind

SIDE = 64  # of the pictures that are correlated, squeezed to squares
LEAST_ALIKE = 0.97  # of real photographs: copies have more, others of the same scene less; see docs/datasets.md
TOGETHER = 16  # pairs that a process is given at once
_FEW = 8


@dataclass(frozen=True)
class Pair:
    """Two photographs, each by the path of its folder, zip or tar and its name; and whether to see one mirrored."""

    one: tuple[str, str]
    other: tuple[str, str]
    mirrored: bool


@dataclass(frozen=True)
class Likeness:
    """How two photographs are the same.

    Attributes:
        kind: None where they are not.
        alike: their correlation.
        fault: why one of them cannot be decoded; empty where both can.
    """

    kind: LeakKind | None
    alike: float
    fault: str = ""


@dataclass(frozen=True)
class _Task:
    pairs: tuple[Pair, ...]
    places: Mapping[str, Mapping[str, Place]]


def compare_pairs(
    pairs: Sequence[Pair],
    opener: Opener,
    *,
    workers: int = 1,
    on_pair: Callable[[int, int], None] = lambda done, total: None,
) -> list[Likeness]:
    """Compare photographs of different content.

    Args:
        pairs: what to compare.
        opener: opens photographs.
        workers: processes.
        on_pair: told how many are done, of how many.

    Raises:
        BuildError: a process was lost.
    """
    starts = range(0, len(pairs), TOGETHER)
    tasks = [_task(pairs[start : start + TOGETHER], opener) for start in starts]
    compare = partial(_compare_some, opener=opener)
    processes = 1 if len(tasks) <= _FEW else min(workers, len(tasks))
    found: list[Likeness] = []
    on_pair(0, len(pairs))
    for some in map_in_processes(compare, tasks, processes=processes, doing="compares photographs"):
        found += some
        on_pair(len(found), len(pairs))
    return found


def _task(pairs: Sequence[Pair], opener: Opener) -> _Task:
    names: dict[str, set[str]] = {}
    for pair in pairs:
        for path, name in (pair.one, pair.other):
            names.setdefault(path, set()).add(name)
    places = {path: opener.open(path).places(wanted) for path, wanted in names.items()}
    return _Task(tuple(pairs), places)


def _compare_some(task: _Task, *, opener: Opener) -> list[Likeness]:
    images = {path: opener.open_part(path, places) for path, places in task.places.items()}
    return [_compare(pair, images) for pair in task.pairs]


def _compare(pair: Pair, images: Mapping[str, ImageSource]) -> Likeness:
    try:
        one, other = (read_pixels(images[path], name) for path, name in (pair.one, pair.other))
    except ImageError as error:
        return Likeness(None, 0.0, str(error))
    return likeness(one, other, mirrored=pair.mirrored)


def likeness(one: Image.Image, other: Image.Image, *, mirrored: bool) -> Likeness:
    """Say how two RGB photographs are the same; `mirrored`: one as it is, the other as seen in a mirror."""
    if not mirrored and one.size == other.size and np.array_equal(np.asarray(one), np.asarray(other)):
        return Likeness(LeakKind.SAME_PIXELS, 1.0)
    a, b = squeeze(one, SIDE), squeeze(other, SIDE)
    alike = float(correlate(a[None], (b[:, ::-1] if mirrored else b)[None])[0])
    kind = LeakKind.MIRRORED if mirrored else LeakKind.NEARLY_EQUAL
    return Likeness(kind if alike >= LEAST_ALIKE else None, alike)
