"""A data set written as one HTML page, with its pictures in a folder beside it."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote

from cocoprep.inspection.charts import CHARTS
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.fates import fates_of
from cocoprep.inspection.statistics import Statistics
from cocoprep.report.content import Picture
from cocoprep.report.data_page import DataPage, Rows, render_data_page
from cocoprep.report.entry import Entry, SuspectLabel, entry_of
from cocoprep.report.entry_pictures import EntryPictures, Photographs, draw_entries
from cocoprep.report.gallery import Files
from cocoprep.shards.dataset import ShardDataset
from cocoprep.storage.store import FileStore

PEOPLE = 2000  # in the gallery, unless more are asked for
IN_FOLDER = 1000  # entries whose pictures lie in one folder: some drives choke on more
_OURS = re.compile(r"(?:row|a)-?\d+(?:-maps)?\.jpg")


def write_data_page(
    path: str,
    data_set: DataSet,
    statistics: Statistics,
    figures: Sequence[Rows],
    files: FileStore,
    *,
    provenance: Mapping[str, str],
    photographs: Photographs | None = None,
    suspects: Sequence[SuspectLabel] = (),
    people: int = PEOPLE,
    on_picture: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """Write the page of a data set.

    Args:
        path: of the page. Its pictures lie beside it in a folder of its name: `train.html`, `train-pictures/`.
        data_set: what is shown.
        statistics: of it.
        figures: groups of figures by name, to be listed.
        files: where the page and a built folder lie.
        provenance: where the data are from, by name.
        photographs: of what has no record; None where there are none.
        suspects: labels that look wrong, surest first, such as `cocoprep check` finds.
        people: how many entries the gallery shows at most; those of suspects first, and some of each reason to drop.
        on_picture: told how many entries have pictures now, of how many.

    Returns:
        Why photographs could not be read.

    Raises:
        OutputError: it cannot be written.
        RecordError: a built folder is damaged.
    """
    built = data_set.manifest is not None
    crop = data_set.manifest.crop.config() if data_set.manifest is not None else statistics.crop
    fates = fates_of(data_set, crop, files)
    names = {image.image_id: image.file_name for image in data_set.images}
    chosen = fates.choose(people, {one.annotation_id for one in suspects})
    entries = _with_own_keys([entry_of(fates.fate(n), data_set, crop, names) for n in chosen])
    folder = pictures_folder(path)
    dataset = ShardDataset(data_set.path, files) if built else None
    drawn = draw_entries(entries, crop, dataset=dataset, photographs=photographs)
    written = _write_pictures(folder, entries, _counted(drawn, len(entries), on_picture), files)
    faults = [] if photographs is None else photographs.faults
    page = DataPage(
        title=f"{data_set.name}: what it holds",
        notes=statistics.notes,
        provenance=provenance,
        figures=figures,
        fates=fates,
        entries=entries,
        files=written,
        charts=_write_charts(folder, statistics, files),
        suspects=suspects,
        faults=faults,
        with_photographs=photographs is not None,
        table=data_set.table,
        crop=crop,
        command=f"cocoprep show {data_set.path}" if built else "",
    )
    _remove_old(folder, written, files)
    _write(files, path, render_data_page(page).encode("utf-8", "replace"))
    return faults


def pictures_folder(path: str) -> str:
    """Return the folder beside a page that its pictures lie in."""
    return f"{os.path.splitext(path)[0]}-pictures"


def _with_own_keys(entries: Sequence[Entry]) -> list[Entry]:
    """Return entries, of several with one key the first: of a file, whose rows nobody has counted."""
    return list({one.key: one for one in reversed(entries)}.values())[::-1]


def _counted(
    drawn: Iterable[tuple[int, EntryPictures]], total: int, on_picture: Callable[[int, int], None]
) -> Iterable[tuple[int, EntryPictures]]:
    for done, one in enumerate(drawn, start=1):
        yield one
        on_picture(done, total)


def _write_pictures(
    folder: str, entries: Sequence[Entry], drawn: Iterable[tuple[int, EntryPictures]], files: FileStore
) -> dict[str, Files]:
    """Write pictures as they are drawn; return their addresses, from the page, by the entries' keys."""
    written: dict[str, Files] = {}
    base = _address(folder)
    made: set[str] = set()
    for n, pictures in drawn:
        key, within = entries[n].key, str(n // IN_FOLDER)
        place = files.join(folder, within)
        if within not in made:
            files.make_folder(place)
            made.add(within)
        address = f"{base}/{within}/{key}"
        _write(files, files.join(place, f"{key}.jpg"), pictures.crop, sync=False)
        if pictures.maps is not None:
            _write(files, files.join(place, f"{key}-maps.jpg"), pictures.maps, sync=False)
        written[key] = Files(f"{address}.jpg", f"{address}-maps.jpg" if pictures.maps is not None else "")
    return written


def _write_charts(folder: str, statistics: Statistics, files: FileStore) -> dict[str, Picture]:
    files.make_folder(folder)
    found = {}
    for name, draw in CHARTS.items():
        picture = draw([statistics])
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        _write(files, files.join(folder, name), stream.getvalue())
        found[name] = Picture(f"{_address(folder)}/{name}", picture.size)
    return found


def _address(folder: str) -> str:
    """Return a folder's address from the page beside it: a name may hold what addresses are cut at."""
    return quote(os.path.basename(folder))


def _remove_old(folder: str, written: Mapping[str, Files], files: FileStore) -> None:
    """Remove pictures of an earlier page of this name, so that those in the folder are of one."""
    base = _address(folder)
    ours = {name for one in written.values() for name in (one.crop, one.maps) if name}
    within = 0
    while files.is_folder(place := files.join(folder, str(within))):
        for name in files.list_names(place):
            if _OURS.fullmatch(name) and f"{base}/{within}/{name}" not in ours:
                files.delete(files.join(place, name))
        within += 1


def _write(files: FileStore, path: str, data: bytes, *, sync: bool = True) -> None:
    with files.create(path, sync=sync) as stream:
        stream.write(data)
