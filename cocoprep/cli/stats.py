"""`cocoprep stats`: what data sets hold."""

from __future__ import annotations

from typing import Any

import click

from cocoprep.cli.input_size import InputSize
from cocoprep.cli.page_options import page_options
from cocoprep.cli.visibility import visibility_option


@click.command("stats", context_settings={"show_default": True})
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--category", metavar="NAME", help="Of annotation files: the category, or 'all'.  [default: as build]")
@click.option("--keypoints", metavar="TABLE", help="Of annotation files: joints, as for build.")
@visibility_option
@click.option("--input-size", type=InputSize(), default="256", help="Of crops: pixels, or HxW such as 256x192.")
@click.option("--bbox-scale", type=float, default=1.25, help="Size of crops relative to the box, for places in them.")
@click.option("--json", "json_file", metavar="FILE", help="Write every figure, not rounded.")
@click.option("--out", metavar="DIR", help="Folder to draw charts into.")
@page_options("Page to write of one PATH, such as train.html: figures, people, the dropped.")
@click.option(
    "--images", metavar="PATH", multiple=True,
    help="With --out or --page: folder, zip or tar of photographs; repeated, of the PATHs in their order.",
)  # fmt: skip
@click.option("--follow-links", is_flag=True, help="With --images: links in the folder may lead out of it.")
def command(**options: Any) -> None:
    """Show what data sets hold: labels, boxes, crowding, crops. Several stand side by side, with what shifted.

    \b
    cocoprep stats annotations.json                       one file
    cocoprep stats train.json val.json                    two, and what shifted from the first
    cocoprep stats shards/train2017 --out figures         a built folder, with charts
    cocoprep stats shards/train2017 --page train.html     a page to look at, with everybody's picture

    A PATH is a COCO keypoints file or a built folder. A file is read as build reads it.
    """  # noqa: D301 - click's own mark
    from cocoprep.cli.stats_job import run_stats
    from cocoprep.cli.stats_options import StatsOptions

    run_stats(StatsOptions(**options))
