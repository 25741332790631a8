"""`cocoprep info`."""

from __future__ import annotations

import click


@click.command("info")
@click.argument("folder", metavar="DIR")
def command(folder: str) -> None:
    """Show what a built folder holds."""
    from cocoprep.cli.build_report import print_report
    from cocoprep.evaluation.ceiling import read_ceiling
    from cocoprep.shards.manifest import read_manifest
    from cocoprep.storage.by_scheme import AnyFiles

    files = AnyFiles()
    manifest = read_manifest(folder, files)
    print_report(folder, manifest, files, ceiling=read_ceiling(folder, manifest, files))
