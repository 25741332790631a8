"""The sources that the people of a built folder are of, and what each is called beside those of other folders.

S sources, K joints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.checks import printable, require_number
from cocoprep.errors import ConfigError, RecordError
from cocoprep.shards.dataset import ShardDataset
from cocoprep.shards.manifest import Manifest

HEAVIEST = 1000.0  # of all weights
_LONGEST = 100  # characters of a name that is shown


@dataclass(frozen=True, slots=True)
class FolderSources:
    """The sources of one folder: one without a name where it was built of one.

    Attributes:
        names: (S,) as the manifest has them.
        weights: (S,) how often one of their people is seen, against one of weight 1.
        looked_for: (S, K) which joints each labels; of the others it never says that they are not there.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    looked_for: NDArray[np.bool_]


def sources_of(manifest: Manifest, folder: str) -> FolderSources:
    """Return the sources of a folder.

    Raises:
        RecordError: no build has written them.
    """
    joints = manifest.keypoints.names
    if not manifest.sources:
        return FolderSources(("",), (1.0,), np.ones((1, len(joints)), np.bool_))
    names = tuple(source.name for source in manifest.sources)
    try:
        for source in manifest.sources:
            require_number(f"weight of {source.name!r:.100}", source.weight, 0, HEAVIEST)
            if not set(source.joints) <= set(joints) or names.count(source.name) > 1:
                raise ConfigError(f"source {source.name!r:.100}: there twice, or of other joints than the folder's")
    except ConfigError as error:
        raise RecordError(f"{folder}: its manifest: no build has written this ({error}) Build it again.") from error
    looked_for = np.array([[joint in source.joints for joint in joints] for source in manifest.sources], np.bool_)
    return FolderSources(names, tuple(source.weight for source in manifest.sources), looked_for)


def joints_looked_for(dataset: ShardDataset, annotation_ids: Iterable[int]) -> NDArray[np.bool_] | None:
    """Return (N, K) which joints the source of each person labels, all of those who have no record.

    None where the folder was built of one source.

    Raises:
        RecordError: as `sources_of` and `ShardDataset.sources`.
    """
    if len(dataset.manifest.sources) < 2:
        return None
    labels = sources_of(dataset.manifest, dataset.folder).looked_for
    labels = np.concatenate([labels, np.ones_like(labels[:1])])
    places = dict(zip(dataset.annotation_ids, dataset.sources, strict=True))
    found: NDArray[np.bool_] = labels[[places.get(number, -1) for number in annotation_ids]]
    return found


def folder_names(paths: Sequence[str]) -> tuple[str, ...]:
    """Return what folders are called: by the ends of their paths, as much of each as tells it from the others."""
    parts = [[part for part in path.split("/") if part] or [path] for path in paths]

    def tails(length: int) -> list[str]:
        return ["/".join(path[-length:]) for path in parts]

    longest = max(map(len, parts))
    lengths = range(1, longest + 1)
    found = []
    for number in range(len(parts)):
        length = next((n for n in lengths if tails(n).count(tails(n)[number]) == 1), longest)
        found.append(tails(length)[number])
    return tuple(shown_name(name) for name in found)


def source_names(folders: Sequence[str], sources: Sequence[FolderSources]) -> tuple[str, ...]:
    """Return what the sources of several folders are called: by name, after the folder's where others have it too.

    The source of a folder that was built of one is called as the folder.

    Args:
        folders: what the folders are called.
        sources: of each folder.
    """
    shared = Counter([name for one in sources for name in one.names] + list(folders))
    return tuple(
        shown_name((f"{folder}:{name}" if shared[name] > 1 else name) if name else folder)
        for folder, one in zip(folders, sources, strict=True)
        for name in one.names
    )


def shown_name(name: str) -> str:
    """Return a name as it may be shown: it may be a stranger's."""
    return printable(name).replace("\n", " ")[-_LONGEST:]
