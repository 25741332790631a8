"""The steps of `cocoprep check`: read the data set, check it, write, print."""

from __future__ import annotations

from cocoprep.cli.check_options import CheckOptions, make_room
from cocoprep.cli.check_report import print_suspects
from cocoprep.cli.data_page import write_page
from cocoprep.cli.keypoints import open_table
from cocoprep.cli.photographs import find_photographs, say_faults
from cocoprep.cli.say import say, say_note
from cocoprep.errors import CocoprepError
from cocoprep.inspection.check.check import CheckedLabels, check_labels
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.read_data_set import read_data_set, short_names
from cocoprep.inspection.read_file import Reading
from cocoprep.inspection.statistics import measure
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.nouns import counted
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.json_file import write_json
from cocoprep.storage.store import FileStore


def run_check(options: CheckOptions) -> None:
    """Do all that was asked for."""
    files = AnyFiles()
    options.check()
    table = None if options.keypoints is None else open_table(options.keypoints, files)
    make_room(options, files)
    (name,) = short_names([options.path])
    data_set = read_data_set(options.path, name, files, Reading(table, options.category, options.visibility))
    predicted = None
    if options.run_dir is not None:
        from cocoprep.cli.check_run import ask_network  # which asks for what training needs

        predicted = ask_network(options.run_dir, data_set, files)
    found = check_labels(data_set, predicted)
    written = _write(options, data_set, found, files)
    for note in (*data_set.notes, *_not_read(data_set), *found.notes):
        say_note(note)
    print_suspects(found, data_set)
    for path in written:
        say(path)
    _judge(options, found)


def _write(options: CheckOptions, data_set: DataSet, found: CheckedLabels, files: FileStore) -> list[str]:
    """Write all that was asked for; return the paths."""
    written: list[str] = []
    photographs = None
    if options.out is not None or options.page is not None:
        photographs = find_photographs(data_set, options.images, files, follow_links=options.follow_links)
    if options.out is not None:
        from cocoprep.inspection.check.output import write_sheet, write_tables

        written += write_tables(options.out, data_set, found, files)
        sheet = write_sheet(options.out, data_set, found, photographs, files)
        written += [] if sheet is None else [sheet]
    if options.json_file is not None:
        from cocoprep.inspection.check.output import suspects_as_json

        write_json(options.json_file, suspects_as_json(data_set, found), files)
        written.append(options.json_file)
    if options.page is not None:
        write_page(
            options.page,
            data_set,
            measure(data_set, CropConfig()),
            photographs=photographs,
            people=options.page_people,
            files=files,
            checked=found,
            network=_network(options.run_dir, files),
        )
        written.append(options.page)
    say_faults(data_set.name, photographs)
    return written


def _not_read(data_set: DataSet) -> list[str]:
    """Return what of a file could not be checked, as a sentence, if there is any."""
    count = 0 if data_set.manifest is not None else data_set.entries.malformed
    if not count:
        return []
    told = counted(count, "annotations are malformed and not checked")
    return [f"{told}: a build drops them too, and its ledger says what is wrong with each"]


def _network(run_dir: str | None, files: FileStore) -> dict[str, str]:
    if run_dir is None:
        return {}
    from cocoprep.cli.run_provenance import network_of

    return {"network": network_of(run_dir, files)}


def _judge(options: CheckOptions, found: CheckedLabels) -> None:
    most, count = options.max_suspects, found.people_suspected
    if most is not None and count > most:
        listed = options.out or options.page or options.json_file
        where = f"All are in {listed}." if listed else "Name a folder with --out to have them listed."
        raise CocoprepError(f"--max-suspects: expected {most} annotations at most, found {count}. {where}")
