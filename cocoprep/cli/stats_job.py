"""The steps of `cocoprep stats`: read one data set after the other, measure, write, print."""

from __future__ import annotations

from cocoprep.cli.keypoints import open_table
from cocoprep.cli.paths import tell_of_tar
from cocoprep.cli.say import say, say_note
from cocoprep.cli.stats_options import StatsOptions, make_room
from cocoprep.cli.stats_page import write_page
from cocoprep.cli.stats_report import print_statistics, say_known
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.read_data_set import read_data_set, short_names
from cocoprep.inspection.read_file import Reading
from cocoprep.inspection.shifts import find_shifts
from cocoprep.inspection.statistics import Statistics, measure
from cocoprep.inspection.stats_json import statistics_as_json
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.nouns import counted
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.json_file import write_json
from cocoprep.storage.store import FileStore


def run_stats(options: StatsOptions) -> None:
    """Do all that was asked for."""
    files = AnyFiles()
    options.check()
    crop = CropConfig(input_size=options.input_size, bbox_scale=options.bbox_scale)
    table = None if options.keypoints is None else open_table(options.keypoints, files)
    reading = Reading(table, options.category, options.visibility)
    make_room(options, files)
    found: list[Statistics] = []
    written: list[str] = []
    for path, name in zip(options.paths, short_names(options.paths), strict=True):
        data_set = read_data_set(path, name, files, reading)
        found.append(measure(data_set, crop))
        if options.out is not None:
            written += _draw_examples(options, options.out, data_set, len(found), crop=crop, files=files)
        if options.page is not None:
            write_page(
                options.page,
                data_set,
                found[-1],
                images=options.images[0] if options.images else None,
                follow_links=options.follow_links,
                people=options.page_people,
                files=files,
            )
    shifts = find_shifts(found) if len(found) > 1 else []
    if options.out is not None:
        written += _draw_charts(options.out, found, written, files)
    if options.json_file is not None:
        write_json(options.json_file, statistics_as_json(found, shifts), files)
        written.append(options.json_file)
    if options.page is not None:
        written.append(options.page)
    # Last, since whoever reads what is printed may stop reading.
    print_statistics(found, shifts)
    say_known(found)
    for path in written:
        say(path)


def _draw_charts(out: str, found: list[Statistics], examples: list[str], files: FileStore) -> list[str]:
    """Draw the charts, and remove examples of an earlier run; return the paths of charts."""
    from cocoprep.inspection.stats_output import remove_old_examples, write_charts

    written = write_charts(out, found, files)
    remove_old_examples(out, examples, files)
    return written


def _draw_examples(
    options: StatsOptions, out: str, data_set: DataSet, number: int, *, crop: CropConfig, files: FileStore
) -> list[str]:
    """Draw examples of one of the data sets, where its photographs are known; return the paths of pictures."""
    from cocoprep.inspection.examples import draw_examples, photographs_of
    from cocoprep.inspection.stats_output import write_examples

    given = options.images[number - 1] if number <= len(options.images) else None
    paths = photographs_of(data_set, given)
    if not paths:
        return []
    for path in paths.values():
        tell_of_tar(path, files)
        if given is None and not files.exists(path):
            say_note(f"{data_set.name}: no examples are drawn, since the photographs are not at {path} any more.")
            return []
    pictures, faults = draw_examples(data_set, paths, crop, files, follow_links=options.follow_links)
    if faults:
        say_note(
            f"warning: {data_set.name}: {counted(len(faults), 'photographs are not shown')}, the first because: "
            f"{faults[0]:.1000}"
        )
    several = len(options.paths) > 1
    return write_examples(out, pictures, files, number=number if several else None, name=data_set.name)
