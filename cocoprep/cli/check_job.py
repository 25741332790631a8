"""The steps of `cocoprep check`: read the data set, check it, write, print."""

from __future__ import annotations

from cocoprep.cli.check_options import CheckOptions, make_room
from cocoprep.cli.check_report import print_suspects
from cocoprep.cli.keypoints import open_table
from cocoprep.cli.paths import tell_of_tar
from cocoprep.cli.say import say, say_note
from cocoprep.errors import CocoprepError
from cocoprep.inspection.check.check import CheckedLabels, check_labels
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.read_data_set import read_data_set, short_names
from cocoprep.inspection.read_file import Reading
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
        from cocoprep.cli.check_run import ask_network  # which loads TensorFlow

        predicted = ask_network(options.run_dir, data_set, files)
    found = check_labels(data_set, predicted)
    written = [] if options.out is None else _write(options, options.out, data_set, found, files)
    if options.json_file is not None:
        from cocoprep.inspection.check.output import suspects_as_json

        write_json(options.json_file, suspects_as_json(data_set, found), files)
        written.append(options.json_file)
    for note in (*data_set.notes, *found.notes):
        say_note(note)
    print_suspects(found, data_set)
    for path in written:
        say(path)
    _judge(options, found)


def _write(options: CheckOptions, out: str, data_set: DataSet, found: CheckedLabels, files: FileStore) -> list[str]:
    from cocoprep.inspection.check.output import SHEET, write_sheet, write_tables
    from cocoprep.inspection.examples import photographs_of

    written = write_tables(out, data_set, found, files)
    paths = photographs_of(data_set, options.images)
    gone = [path for path in paths.values() if options.images is None and not files.exists(path)]
    if gone:
        say_note(f"no sheet is drawn, since the photographs are not at {gone[0]} any more. Name them with --images.")
    if gone or not paths:
        files.delete(files.join(out, SHEET))  # of an earlier run: it would be of other suspects
        return written
    for path in paths.values():
        tell_of_tar(path, files)
    sheet, faults = write_sheet(out, data_set, found, options.images, files, follow_links=options.follow_links)
    if faults:
        say_note(f"warning: {counted(len(faults), 'photographs are not shown')}, the first because: {faults[0]:.1000}")
    return written if sheet is None else [*written, sheet]


def _judge(options: CheckOptions, found: CheckedLabels) -> None:
    most, count = options.max_suspects, found.people_suspected
    if most is not None and count > most:
        where = "Name a folder with --out to have them listed." if options.out is None else f"All are in {options.out}."
        raise CocoprepError(f"--max-suspects: expected {most} annotations at most, found {count}. {where}")
