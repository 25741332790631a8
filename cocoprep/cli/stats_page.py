"""The page of a data set, as commands write it: what it is made of, and where that is from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cocoprep.cli.paths import tell_of_tar
from cocoprep.cli.say import say_note
from cocoprep.cli.stats_report import figure_groups
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.statistics import Statistics
from cocoprep.pose.nouns import counted
from cocoprep.shards.manifest import annotation_paths
from cocoprep.storage.digests import digest_file
from cocoprep.storage.store import FileStore
from cocoprep.version import __version__

if TYPE_CHECKING:
    from cocoprep.report.entry import SuspectLabel
    from cocoprep.report.entry_pictures import Photographs


def write_page(
    path: str,
    data_set: DataSet,
    statistics: Statistics,
    *,
    images: str | None,
    follow_links: bool,
    people: int | None,
    files: FileStore,
    suspects: Sequence[SuspectLabel] = (),
) -> None:
    """Write the page of a data set, and say why photographs are missing on it.

    Args:
        path: of the page.
        data_set: what is shown.
        statistics: of it.
        images: where its photographs are; None for where a build has read them, if one has.
        follow_links: links in their folder may lead out of it.
        people: how many the gallery shows at most; None for as many as usual.
        files: where all of it lies.
        suspects: labels that look wrong, surest first.
    """
    from cocoprep.cli.progress import CountProgress
    from cocoprep.report.data_set import PEOPLE, write_data_page

    figures = [[(name, value) for name, value in group] for group in figure_groups([statistics])]
    photographs = _photographs(data_set, images, files, follow_links=follow_links)
    with CountProgress("drawing", data_set.table.noun.many) as progress:
        faults = write_data_page(
            path,
            data_set,
            statistics,
            figures,
            files,
            provenance=provenance_of(data_set, statistics, files),
            photographs=photographs,
            suspects=suspects,
            people=people or PEOPLE,
            on_picture=progress.update,
        )
    if faults:
        say_note(
            f"warning: {data_set.name}: {counted(len(faults), 'photographs are not on the page')}, the first because: "
            f"{faults[0]:.1000}"
        )


def _photographs(data_set: DataSet, images: str | None, files: FileStore, *, follow_links: bool) -> Photographs | None:
    """Open the photographs, given or where a build found them; say so where they are not there any more."""
    from cocoprep.inspection.examples import photographs_of
    from cocoprep.report.entry_pictures import open_photographs

    paths = photographs_of(data_set, images)
    if not paths:
        return None
    for path in paths.values():
        tell_of_tar(path, files)
        if images is None and not files.exists(path):
            say_note(
                f"{data_set.name}: what has no record has no picture on the page, since the photographs are not at "
                f"{path} any more: name them by --images."
            )
            return None
    return open_photographs(data_set, paths, files, follow_links=follow_links)


def provenance_of(data_set: DataSet, statistics: Statistics, files: FileStore) -> dict[str, str]:
    """Return where a data set is from, by what it is."""
    manifest, crop = data_set.manifest, statistics.crop
    found = {"joints": f"{len(data_set.table)}, table {data_set.table.name}"}
    if manifest is None:
        found["annotations"] = data_set.path
        if "://" in data_set.path or os.path.isfile(data_set.path):  # a pipe is read once
            found["annotations"] += f" (SHA-256 {digest_file(data_set.path, files).sha256[:16]})"
        found["crops"] = _crops(crop.input_size, crop.bbox_scale)
    else:
        built = ", ".join(f"{name} {number}" for name, number in manifest.versions.items())
        found["data"] = f"{data_set.path}, fingerprint {manifest.fingerprint}, built by {built}"
        found["built from"] = annotation_paths(manifest)
        found["crops"] = _crops(manifest.crop.input_size, manifest.crop.bbox_scale)
    return found | {"page by": f"cocoprep {__version__}"}


def _crops(size: tuple[int, int], scale: float) -> str:
    return f"{size[1]} x {size[0]} px at {scale:g} of the box"
