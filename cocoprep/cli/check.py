"""`cocoprep check`: which labels look wrong."""

from __future__ import annotations

from typing import Any

import click

from cocoprep.cli.page_options import page_options
from cocoprep.cli.visibility import visibility_option


@click.command("check", context_settings={"show_default": True})
@click.argument("path", metavar="PATH")
@click.option("--category", metavar="NAME", help="Of an annotation file: the category, or 'all'.  [default: as build]")
@click.option("--keypoints", metavar="TABLE", help="Of an annotation file: joints, as for build.")
@visibility_option
@click.option("--out", metavar="DIR", help="Folder for suspects.parquet, and exclude.txt for build --exclude.")
@page_options("Page to write, such as found.html: suspects with pictures, and all that the page of stats has.")
@click.option(
    "--images", metavar="PATH",
    help="With --out or --page: folder, zip or tar of photographs, to draw suspects in.  [default: of a built folder, "
    "those that it was built from]",
)  # fmt: skip
@click.option(
    "--run", "run_dir", metavar="DIR",
    help="Folder of a run that has not seen these people: what it is sure of is one more witness. PATH is a built "
    "folder.",
)  # fmt: skip
@click.option("--follow-links", is_flag=True, help="With --images: links in the folder may lead out of it.")
@click.option("--json", "json_file", metavar="FILE", help="Write all suspects.")
@click.option("--max-suspects", type=click.IntRange(min=0), help="Exit with 1 where more annotations are suspected.")
def command(**options: Any) -> None:
    """Find labels that look wrong, the surest first. Nothing of PATH is changed.

    \b
    cocoprep check annotations.json                                    what is suspected, in figures
    cocoprep check annotations.json --images photographs --out found   and listed, the first 60 drawn
    cocoprep check annotations.json --images photographs --page found.html   a page to look through them
    cocoprep build ... --exclude found/exclude.txt                     leave them out, once the list is gone through

    PATH is a COCO keypoints file of any joints, or a built folder. People are held against all others of the data set:
    exchanged left and right, joints on somebody else or far off, two annotations of one person, limbs too long, poses
    like none else, boxes of somebody else, joints visible where there is no photograph. A suspicion is no proof.
    """  # noqa: D301 - click's own mark
    from cocoprep.cli.check_job import run_check
    from cocoprep.cli.check_options import CheckOptions

    run_check(CheckOptions(**options))
