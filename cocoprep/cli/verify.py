"""`cocoprep verify`."""

from __future__ import annotations

import click

from cocoprep.cli.json_option import json_option, make_room_for_json
from cocoprep.cli.say import say


@click.command("verify", context_settings={"show_default": True})
@click.argument("folder", metavar="DIR")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes.  [default: one a core]")
@json_option("what was looked at and every fault, for programs")
def command(folder: str, workers: int | None, json_file: str | None) -> None:
    """Check every digest, record and count of a built folder; exit with 1 where anything is wrong."""
    from cocoprep.cli.build_json import verification_as_json
    from cocoprep.cli.progress import CountProgress
    from cocoprep.errors import RecordError
    from cocoprep.shards.verify import verify_folder
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.storage.json_file import write_json
    from cocoprep.workers import default_workers

    files = AnyFiles()
    make_room_for_json(json_file, files, reads=[folder])
    with CountProgress("verifying", "shards") as progress:
        found = verify_folder(folder, files, workers=workers or default_workers(), on_shard=progress.update)
    if json_file is not None:
        write_json(json_file, verification_as_json(folder, found), files)
    for problem in found.problems:
        say(str(problem))
    if found.problems:
        raise RecordError(
            f"{folder}: not whole ({len(found.problems)} found). Run the same `cocoprep build` again: it keeps the "
            "shards that are whole and builds the others anew. Of a copy, remove the files named, then run the same "
            "`cocoprep stage` again."
        )
    say(f"{folder}: {found.shards} shards, {found.records} records, {found.bytes} bytes: all good")
