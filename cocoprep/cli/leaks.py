"""`cocoprep leaks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cocoprep.cli.say import say, say_note
from cocoprep.cli.sources import open_sources, source_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cocoprep.coco.sources import Source
    from cocoprep.inspection.leaks import FoundLeaks
    from cocoprep.inspection.listed import Listed
    from cocoprep.inspection.opened import Opener


@click.command("leaks", context_settings={"show_default": True})
@source_option
@click.option("--split", help="Of sources that are folders in COCO's layout.  [default: each source's name]")
@click.option("--out", metavar="DIR", required=True, help="Folder to write to.")
@click.option("--across", is_flag=True, help="Pass over what is twice within one data set.")
@click.option("--follow-links", is_flag=True, help="Links in a folder of photographs may lead out of it.")
@click.option("--max-leaks", type=click.IntRange(min=0), help="Exit with 1 where more photographs are to be dropped.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes.  [default: one a core]")
def command(
    sources: tuple[str, ...], *, split: str | None, out: str, across: bool, follow_links: bool,
    max_leaks: int | None, workers: int | None,
) -> None:  # fmt: skip
    """Find photographs that are in two data sets, or twice in one, by their content.

    The same file under whatever name, the same pixels, and nearly equal ones: recompressed, resized, slightly
    recoloured, mirrored. Of two, the data set that is named first keeps its photograph: name what you validate on
    first. Writes leaks.parquet, the list that build takes with --drop-leaks; leaks.jpg, the pairs side by side; and
    fingerprints, which a next run goes on from.
    """
    from cocoprep.cli.leaks_report import print_leaks
    from cocoprep.cli.paths import check_paths
    from cocoprep.errors import CocoprepError
    from cocoprep.inspection.opened import Opener, close_all
    from cocoprep.inspection.output import write_leaks
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.workers import default_workers

    files = AnyFiles()
    check_paths({"--out": out})
    opener = Opener(files, follow_links)
    try:
        listed, found = _find(
            open_sources(sources, split, files), out, opener, across=across, workers=workers or default_workers()
        )
        table, sheet = write_leaks(out, found.leaks, listed, opener)
    finally:
        close_all()
    print_leaks(found, listed)
    for path in filter(None, (table, sheet)):
        say(path)
    dropped = len({(leak.dropped.source, leak.dropped.image_id) for leak in found.leaks})
    if max_leaks is not None and dropped > max_leaks:
        raise CocoprepError(f"--max-leaks: expected {max_leaks} at most, found {dropped}. All are listed in {table}.")


def _find(
    sources: Sequence[Source], out: str, opener: Opener, *, across: bool, workers: int
) -> tuple[list[Listed], FoundLeaks]:
    from cocoprep.cli.leaks_report import say_faults
    from cocoprep.cli.paths import tell_of_tar
    from cocoprep.cli.progress import CountProgress
    from cocoprep.inspection.leaks import find_leaks
    from cocoprep.inspection.listed import list_photographs
    from cocoprep.inspection.output import prepare_folder
    from cocoprep.inspection.reading import see_photographs

    for source in sources:
        tell_of_tar(source.images, opener.files)
    listed = list_photographs(sources, opener)
    folder = prepare_folder(out, sources, opener.files)
    for one in listed:
        for note in one.notes:
            say_note(f"{one.source.name}: {note}")
        say_faults(one.missing, f"{one.source.name}: photographs that are listed are not there")
    with CountProgress("reading", "photographs") as progress:

        def on_pair(done: int, total: int) -> None:
            if not done:
                progress.go_on("comparing", "pairs")
            progress.update(done, total)

        seen = see_photographs(listed, folder, opener, workers=workers, on_photograph=progress.update)
        progress.go_on("searching", "photographs")
        found = find_leaks(
            listed, seen, opener, across=across, workers=workers, on_photograph=progress.update,
            on_pair=on_pair,
        )  # fmt: skip
    say_faults(list(seen.faults.values()), "photographs cannot be read: compared byte by byte, or not at all")
    say_faults(found.faults, "photographs cannot be decoded, so that pairs of these were not compared")
    return listed, found
