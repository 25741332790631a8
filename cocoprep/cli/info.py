"""`cocoprep info`."""

from __future__ import annotations

import click

from cocoprep.cli.json_option import json_option, make_room_for_json
from cocoprep.cli.say import say


@click.command("info")
@click.argument("folder", metavar="DIR")
@json_option("the same, and the mean guess by joint, for programs")
def command(folder: str, json_file: str | None) -> None:
    """Show what a built folder holds."""
    from cocoprep.cli.build_json import write_folder_json
    from cocoprep.cli.build_report import print_report
    from cocoprep.evaluation.ceiling import read_ceiling
    from cocoprep.shards.manifest import read_manifest
    from cocoprep.storage.by_scheme import AnyFiles

    files = AnyFiles()
    manifest = read_manifest(folder, files)
    make_room_for_json(json_file, files, reads=[folder])
    ceiling = read_ceiling(folder, manifest, files)
    if json_file is not None:
        write_folder_json(json_file, folder, manifest, files, ceiling=ceiling)
    print_report(folder, manifest, files, ceiling=ceiling)
    if json_file is not None:
        say(json_file)
