"""How often people are seen, by folder or source: the names that weights are given by, and what they come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cocoprep.checks import require, require_number, shown
from cocoprep.errors import ConfigError
from cocoprep.model.input.sources import HEAVIEST, FolderSources, folder_names

Weights = tuple[tuple[float, ...], ...]  # by folder and source
_Target = tuple[int, str | None]  # a folder, and a source of it or all of them


def resolve_weights(
    paths: Sequence[str], splits: Sequence[str], sources: Sequence[FolderSources], given: Mapping[str, float]
) -> Weights:
    """Return how often a person of each source of each folder is seen.

    That is the source's weight times the folder's; what is given takes the place of the manifest's.

    Args:
        paths: of the folders, as given.
        splits: of the folders.
        sources: of each folder.
        given: weights by name: the path or its last part, or the split, for a folder; `folder:source`, or `source`
            alone, for a source of it.

    Raises:
        ConfigError: a name means nothing, or several things; or a weight is out of range.
    """
    of_folder = [1.0] * len(paths)
    of_source = [dict(zip(one.names, one.weights, strict=True)) for one in sources]
    meanings, seen = _meanings(paths, splits, sources), dict[_Target, str]()
    for name, weight in given.items():
        require_number(f"--weight {name}", weight, 0, HEAVIEST)
        folder, source = target = _find(name, meanings)
        require(target not in seen, f"--weight {name}", "each folder or source once", seen.get(target, ""))
        seen[target] = name
        if source is None:
            of_folder[folder] = weight
        else:
            of_source[folder][source] = weight
    found = tuple(
        tuple(whole * weight for weight in own.values()) for whole, own in zip(of_folder, of_source, strict=True)
    )
    most = max(weight for one in found for weight in one)
    require(most <= HEAVIEST, "--weight", f"at most {HEAVIEST:g}, the folder's times the source's", most)
    return found


def _meanings(
    paths: Sequence[str], splits: Sequence[str], sources: Sequence[FolderSources]
) -> dict[str, list[_Target]]:
    """Return what every name may mean; a whole path means its folder alone, and a split what nothing else means."""
    found: defaultdict[str, list[_Target]] = defaultdict(list)
    called = folder_names(paths)
    for number, (path, split, own) in enumerate(zip(paths, splits, sources, strict=True)):
        short = {path.rstrip("/").rpartition("/")[2], called[number]}
        for name in own.names if own.names != ("",) else ():
            for key in (name, *(f"{folder}:{name}" for folder in {*short, split, path, path.rstrip("/")})):
                found[key].append((number, name))
        for key in short:
            found[key].append((number, None))
    for split in set(splits) - found.keys():
        found[split] = [(number, None) for number, own in enumerate(splits) if own == split]
    found.update({path.rstrip("/"): [(number, None)] for number, path in enumerate(paths)})
    found.update({path: [(number, None)] for number, path in enumerate(paths)})
    return found


def _find(name: str, meanings: Mapping[str, list[_Target]]) -> _Target:
    found = meanings.get(name, [])
    if len(found) == 1:
        return found[0]
    # Those names that mean one thing alone.
    names = [key for key, targets in meanings.items() if len(targets) == 1 and (not found or targets[0] in found)]
    told = ", ".join(shown(key) for key in names[:20])
    what = "several things are called so" if found else "nothing is called so"
    raise ConfigError(f"--weight {shown(name)}: {what}. Expected a folder of --data or a source of one: {told}.")
