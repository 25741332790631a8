"""`cocoprep compare`: two or more results of the same people, and which differences are more than chance."""

from __future__ import annotations

from typing import Any

import click

from cocoprep.cli.json_option import json_option
from cocoprep.cli.visibility import visibility_option
from cocoprep.crops.exif_rule import EXIF_RULES


@click.command("compare")
@click.argument("results", metavar="RUN_OR_RESULTS...", nargs=-1, required=True)
@click.option("--data", metavar="DIR", help="Built folder, whose ground truth all are scored against.")
@click.option("--annotations", metavar="FILE", help="COCO keypoints file to score against, in place of --data.")
@click.option("--category", metavar="NAME", help="With --annotations: the category, or 'all'.  [default: as build]")
@click.option("--keypoints", metavar="TABLE", help="With --annotations: joints, as for build.")
@visibility_option
@click.option("--images", metavar="PATH", help="Photographs of --annotations, for runs and for the pictures.")
@click.option("--follow-links", is_flag=True, help="With --images: links in the folder may lead out of it.")
@click.option(
    "--exif", type=click.Choice(EXIF_RULES), help="With --images: pixels that labels are of.  [default: as build]"
)
@click.option("--flip-test", is_flag=True, help="Of runs: average with the prediction of the mirrored crop.")
@click.option(
    "--decode", type=click.Choice(["argmax", "quarter", "taylor"]),
    help="Of runs: how a heatmap becomes a joint.  [default: taylor]",
)  # fmt: skip
@click.option(
    "--draws", type=int, default=1000, show_default=True, metavar="N", help="How often photographs are drawn."
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Of the draws.")
@json_option("every figure and interval, not rounded")
@click.option("--out", metavar="DIR", help="Folder for compare.json and pictures of the people who differ most.")
def command(results: tuple[str, ...], **options: Any) -> None:
    """Compare runs and results files of the same people, and say which differences are more than chance.

    \b
    cocoprep compare runs/a runs/b --data DIR                        two networks, on a built folder
    cocoprep compare theirs.json ours.json --annotations GT.json     results of any tools
    cocoprep compare runs/a theirs.json --annotations GT.json --images PHOTOGRAPHS --out DIR

    All are held against the first. A run predicts in the boxes of the ground truth; results are as they are.
    """  # noqa: D301 - click's own mark
    from cocoprep.cli.compare_job import run_job

    run_job(results, **options)
