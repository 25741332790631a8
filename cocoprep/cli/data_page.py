"""The page of a data set, as commands write it: what it is made of, and where that is from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from cocoprep.cli.digests import with_digest
from cocoprep.cli.stats_report import figure_groups
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.statistics import Statistics
from cocoprep.shards.manifest import annotation_paths
from cocoprep.storage.store import FileStore
from cocoprep.version import __version__

if TYPE_CHECKING:
    from cocoprep.inspection.check.check import CheckedLabels
    from cocoprep.inspection.photographs import Photographs


def write_page(
    path: str,
    data_set: DataSet,
    statistics: Statistics,
    *,
    photographs: Photographs | None,
    people: int | None,
    files: FileStore,
    checked: CheckedLabels | None = None,
    network: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write the page of a data set.

    Args:
        path: of the page.
        data_set: what is shown.
        statistics: of it.
        photographs: of it; None where there are none.
        people: how many the gallery shows at most; None for as many as usual.
        files: where all of it lies.
        checked: what its labels were found to be; None where they were not checked.
        network: what was asked about them, by name, for where the page is from.
    """
    from cocoprep.cli.progress import CountProgress
    from cocoprep.report.data_set import PEOPLE, write_data_page

    figures = [[(name, value) for name, value in group] for group in figure_groups([statistics])]
    with CountProgress("drawing", data_set.table.noun.many) as progress:
        write_data_page(
            path,
            data_set,
            statistics,
            figures,
            files,
            provenance={**provenance_of(data_set, statistics, files), **network},
            photographs=photographs,
            checked=checked,
            people=people or PEOPLE,
            on_picture=progress.update,
        )


def provenance_of(data_set: DataSet, statistics: Statistics, files: FileStore) -> dict[str, str]:
    """Return where a data set is from, by what it is."""
    manifest, crop = data_set.manifest, statistics.crop
    found = {"joints": f"{len(data_set.table)}, table {data_set.table.name}"}
    if manifest is None:
        found["annotations"] = with_digest(data_set.path, files)
        found["crops"] = _crops(crop.input_size, crop.bbox_scale)
    else:
        built = ", ".join(f"{name} {number}" for name, number in manifest.versions.items())
        found["data"] = f"{data_set.path}, fingerprint {manifest.fingerprint}, built by {built}"
        found["built from"] = annotation_paths(manifest)
        found["crops"] = _crops(manifest.crop.input_size, manifest.crop.bbox_scale)
    return found | {"page by": f"cocoprep {__version__}"}


def _crops(size: tuple[int, int], scale: float) -> str:
    return f"{size[1]} x {size[0]} px at {scale:g} of the box"
