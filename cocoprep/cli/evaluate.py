"""`cocoprep evaluate`: how good predictions are, and where they err."""

from __future__ import annotations

from typing import Any

import click

from cocoprep.cli.box_options import box_options, given_rules
from cocoprep.cli.joint_map import map_option
from cocoprep.cli.visibility import visibility_option
from cocoprep.crops.exif_rule import EXIF_RULES


@click.command("evaluate")
@click.option(
    "--data", metavar="DIR", help="Built folder: its people are predicted, its ground truth is scored against."
)
@click.option(
    "--run", "--run-dir", "run_dir", metavar="RUN", help="Folder of a training run, whose best network predicts."
)
@click.option("--annotations", metavar="FILE", help="COCO keypoints file to score against, in place of --data.")
@click.option("--category", metavar="NAME", help="With --annotations: the category, or 'all'.  [default: as build]")
@click.option("--keypoints", metavar="TABLE", help="With --annotations: joints, as for build.")
@visibility_option
@click.option("--results", metavar="FILE", help="COCO results of any tool to score, in place of --run.")
@click.option(
    "--results-keypoints", "results_keypoints", metavar="TABLE",
    help="With --results: their joints, where these are others than the data's: a table as for --keypoints.",
)  # fmt: skip
@map_option
@click.option(
    "--images", metavar="PATH",
    help="Folder, zip or tar of photographs: those of --annotations, for the report or for --run; with --boxes FILE "
    "those of --data.  [default: where the build read them]",
)  # fmt: skip
@click.option("--follow-links", is_flag=True, help="With --images: links in the folder may lead out of it.")
@click.option(
    "--exif", type=click.Choice(EXIF_RULES), help="With --images: pixels that labels are of.  [default: as build]"
)
@click.option(
    "--boxes", metavar="truth|FILE", multiple=True,
    help="With --run: where people are looked for: the ground truth's boxes, or a detector's list; may be repeated.  "
    "[default: truth]",
)  # fmt: skip
@box_options
@click.option("--flip-test", is_flag=True, help="With --run: average with the prediction of the mirrored crop.")
@click.option(
    "--decode",
    type=click.Choice(["argmax", "quarter", "taylor"]),
    help="With --run: how a heatmap becomes a joint.  [default: taylor]",
)
@click.option(
    "--batch-size", type=click.IntRange(min=1), metavar="N", help="With --run: people at a time.  [default: 32]"
)
@click.option(
    "--pck", "thresholds", type=float, multiple=True, metavar="T",
    help="Threshold of PCK, a fraction of box, torso or head; may be repeated.  [default: 0.05, 0.1, 0.2, 0.5]",
)  # fmt: skip
@click.option("--json", "json_file", metavar="FILE", help="Write every figure, not rounded.")
@click.option(
    "--out", metavar="DIR",
    help="Folder for report.html, results.json, errors.csv, figures.json.  [default: RUN/evaluation/<split>]",
)  # fmt: skip
def command(**options: Any) -> None:
    """Score predictions by OKS, PCK and end-point error, and tell what kinds of errors they make.

    \b
    cocoprep evaluate --data DIR --run RUN                      a network, on a built folder
    cocoprep evaluate --annotations GT.json --results R.json    results of any tool
    cocoprep evaluate --annotations GT.json --images P --run RUN --boxes DETECTIONS.json
    cocoprep evaluate --data DIR --results R.json               the same, against a built folder

    Where a network, or --results-keypoints, has other joints than the data, figures are over those that both have.

    A network looks for people in the boxes of the ground truth, or of a detector, as --boxes says. With --data and the
    truth's, RUN/thresholds.json then tells `cocoprep predict` how sure a joint must be.
    """  # noqa: D301 - click's own mark
    from cocoprep.cli.evaluate_job import run_job
    from cocoprep.cli.evaluate_options import EvaluateOptions

    run_job(EvaluateOptions(**given_rules(options)))
