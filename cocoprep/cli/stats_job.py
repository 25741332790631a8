"""The steps of `cocoprep stats`: read one data set after the other, measure, write, print."""

from __future__ import annotations

from cocoprep.cli.data_page import write_page
from cocoprep.cli.keypoints import open_table
from cocoprep.cli.photographs import find_photographs, say_faults
from cocoprep.cli.say import say
from cocoprep.cli.stats_options import StatsOptions, make_room
from cocoprep.cli.stats_report import print_statistics, say_known
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.read_data_set import read_data_set, short_names
from cocoprep.inspection.read_file import Reading
from cocoprep.inspection.shifts import find_shifts
from cocoprep.inspection.statistics import Statistics, measure
from cocoprep.inspection.stats_json import statistics_as_json
from cocoprep.pose.crop_config import CropConfig
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
        written += _draw(options, data_set, found, crop=crop, files=files)
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


def _draw(
    options: StatsOptions, data_set: DataSet, found: list[Statistics], *, crop: CropConfig, files: FileStore
) -> list[str]:
    """Draw examples and the page of one of the data sets, the one found last; return the paths of examples."""
    if options.out is None and options.page is None:
        return []
    number = len(found)
    given = options.images[number - 1] if number <= len(options.images) else None
    photographs = find_photographs(data_set, given, files, follow_links=options.follow_links)
    written = []
    if options.out is not None and photographs is not None:
        from cocoprep.inspection.examples import draw_examples
        from cocoprep.inspection.stats_output import write_examples

        pictures = draw_examples(data_set, photographs, crop)
        several = len(options.paths) > 1
        written = write_examples(options.out, pictures, files, number=number if several else None, name=data_set.name)
    if options.page is not None:
        people = options.page_people
        write_page(options.page, data_set, found[-1], photographs=photographs, people=people, files=files)
    say_faults(data_set.name, photographs)
    return written
