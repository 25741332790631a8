"""A data set written as one HTML page, with its pictures in a folder beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from cocoprep.inspection.check.check import CheckedLabels
from cocoprep.inspection.check.sheet import draw_suspect_pictures
from cocoprep.inspection.check.suspect import Suspect
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.fates import fates_of
from cocoprep.inspection.photographs import Photographs
from cocoprep.inspection.statistics import Statistics
from cocoprep.report.content import Picture
from cocoprep.report.data_page import DataPage, Rows, render_data_page
from cocoprep.report.entry import Entry, entry_of
from cocoprep.report.entry_pictures import EntryPictures, draw_entries
from cocoprep.report.page_pictures import PicturesFolder
from cocoprep.shards.dataset import ShardDataset
from cocoprep.storage.leftovers import sweep_beside
from cocoprep.storage.store import FileStore

PEOPLE = 2000  # in the gallery, unless more are asked for
SUSPECT_PX = 320


def write_data_page(
    path: str,
    data_set: DataSet,
    statistics: Statistics,
    figures: Sequence[Rows],
    files: FileStore,
    *,
    provenance: Mapping[str, str],
    photographs: Photographs | None = None,
    checked: CheckedLabels | None = None,
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
        checked: what its labels were found to be; None where they were not checked.
        people: how many entries the gallery shows at most; the surest suspects first, and some of each reason to drop.
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
    infos = {image.image_id: image for image in data_set.images}
    suspects = () if checked is None else checked.suspects
    chosen = fates.choose(people, list(dict.fromkeys(one.annotation_id for one in suspects))[:people])
    entries = _with_own_keys([entry_of(fates.fate(n), data_set, crop, infos) for n in chosen])
    folder = PicturesFolder(path, files)
    dataset = ShardDataset(data_set.path, files) if built else None
    drawn = draw_entries(entries, crop, dataset=dataset, photographs=photographs, infos=infos)
    written = folder.write_entries(entries, _counted(drawn, len(entries), on_picture))
    surroundings = _write_suspects(folder, data_set, suspects, entries, photographs)
    faults = [] if photographs is None else photographs.faults
    page = DataPage(
        title=f"{data_set.name}: " + ("what it holds" if checked is None else "labels that look wrong"),
        notes=(*statistics.notes, *(() if checked is None else checked.notes)),
        provenance=provenance,
        figures=figures,
        fates=fates,
        entries=entries,
        files=written,
        charts=folder.write_charts(statistics),
        checked=checked,
        surroundings=surroundings,
        faults=faults,
        with_photographs=photographs is not None,
        table=data_set.table,
        crop=crop,
        command=f"cocoprep show {data_set.path}" if built else "",
    )
    folder.remove_old()
    sweep_beside(path, files)
    with files.create(path) as stream:
        stream.write(render_data_page(page).encode("utf-8", "replace"))
    return faults


def _write_suspects(
    folder: PicturesFolder,
    data_set: DataSet,
    suspects: Sequence[Suspect],
    entries: Sequence[Entry],
    photographs: Photographs | None,
) -> Mapping[int, Picture]:
    """Draw all that is about each suspect whose person is shown; return the pictures by the suspect's place."""
    shown = {one.fate.annotation_id for one in entries if one.fate.place is not None}
    in_question = {n: one for n, one in enumerate(suspects) if one.annotation_id in shown}
    pictures = draw_suspect_pictures(data_set, in_question.values(), photographs, SUSPECT_PX)
    return folder.write_suspects(zip(in_question, pictures, strict=True))


def _with_own_keys(entries: Sequence[Entry]) -> list[Entry]:
    """Return entries, of several with one key the first: of a file, whose rows nobody has counted."""
    return list({one.key: one for one in reversed(entries)}.values())[::-1]


def _counted(
    drawn: Iterable[tuple[int, EntryPictures]], total: int, on_picture: Callable[[int, int], None]
) -> Iterable[tuple[int, EntryPictures]]:
    for done, one in enumerate(drawn, start=1):
        yield one
        on_picture(done, total)
