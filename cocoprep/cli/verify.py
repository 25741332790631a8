"""`cocoprep verify`."""

from __future__ import annotations

import click

from cocoprep.cli.say import say


@click.command("verify", context_settings={"show_default": True})
@click.argument("folder", metavar="DIR")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes.  [default: one a core]")
def command(folder: str, workers: int | None) -> None:
    """Check every digest, record and count of a built folder; exit with 1 where anything is wrong."""
    from cocoprep.cli.progress import CountProgress
    from cocoprep.errors import RecordError
    from cocoprep.shards.verify import verify_folder
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.workers import default_workers

    with CountProgress("verifying", "shards") as progress:
        found = verify_folder(folder, AnyFiles(), workers=workers or default_workers(), on_shard=progress.update)
    for problem in found.problems:
        say(str(problem))
    if found.problems:
        raise RecordError(
            f"{folder}: not whole ({len(found.problems)} found). Run the same `cocoprep build` again: it keeps the "
            "shards that are whole and builds the others anew. Of a copy, remove the files named, then run the same "
            "`cocoprep stage` again."
        )
    say(f"{folder}: {found.shards} shards, {found.records} records, {found.bytes} bytes: all good")
