"""`cocoprep predict`: the joints of people on photographs."""

from __future__ import annotations

import math
from typing import Any

import click

from cocoprep.cli.box_options import box_options, given_rules
from cocoprep.cli.visibility import visibility_option
from cocoprep.crops.exif_rule import EXIF_RULES


def _boxes(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[float, ...], ...]:
    """Read boxes, x,y,width,height."""
    boxes = []
    for value in values:
        try:
            numbers = tuple(float(part) for part in value.split(","))
        except ValueError:
            numbers = ()
        if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or min(numbers[2:]) <= 0:
            raise click.BadParameter(f"expected x,y,width,height in pixels, both sizes above 0, found {value!r}")
        boxes.append(numbers)
    return tuple(boxes)


@click.command("predict")
@click.argument("paths", nargs=-1, metavar="[PICTURE|FOLDER]...")
@click.option(
    "--run", "--run-dir", "run_dir", metavar="DIR", required=True, help="Folder of the run whose best network predicts."
)
@click.option(
    "--bbox", "bboxes", metavar="X,Y,WIDTH,HEIGHT", multiple=True, callback=_boxes,
    help="A person's box in pixels, in each picture; again for each person.  [default: the whole picture]",
)  # fmt: skip
@click.option(
    "--annotations", metavar="FILE", help="COCO keypoints file, or a detector's list, whose people's boxes are taken."
)
@click.option(
    "--boxes", metavar="FILE",
    help="A detector's list of boxes on the photographs of --images; with --annotations, of those that it lists.",
)  # fmt: skip
@click.option("--category", metavar="NAME", help="Of --annotations: the category, or 'all'.  [default: as build]")
@visibility_option
@click.option("--images", metavar="PATH", help="Folder, zip or tar of the photographs of --annotations or --boxes.")
@click.option("--follow-links", is_flag=True, help="Links in the folder of --images may lead out of it.")
@click.option("--exif", type=click.Choice(EXIF_RULES), help="Pixels that --annotations are of.  [default: as build]")
@click.option(
    "--min-keypoints",
    default=0,
    show_default=True,
    help="Least number of labelled joints of a person of --annotations.",
)
@box_options
@click.option("--flip-test", is_flag=True, help="Predict mirrored as well and average: better, twice the time.")
@click.option(
    "--decode", "decoder", type=click.Choice(["argmax", "quarter", "taylor"]), default="taylor", show_default=True,
    help="How a heatmap becomes a joint.",
)  # fmt: skip
@click.option("--batch-size", default=8, show_default=True, help="People at a time.")
@click.option(
    "--threshold", type=float, help="Least confidence of a joint that is drawn.  [default: what evaluate chose, or 0.2]"
)
@click.option("--out", metavar="DIR", help="Folder to write to.  [default: predictions, in the run's]")
@click.option("--overlays/--no-overlays", default=True, show_default=True, help="Draw people over their photographs.")
def command(**options: Any) -> None:
    """Predict people on photographs: pictures, folders of pictures, the boxes of a COCO file or of a detector.

    Without --bbox the whole of each picture is taken for one person's box. A picture's EXIF orientation is applied, as
    viewers do; for those of --annotations --exif says whether, by default where only so they have the stated size.

    Writes results.json, COCO's results with each joint's confidence as its third number; images.json, which names the
    picture of every image id, and what could not be used; and the pictures with boxes and joints drawn over them.
    """
    from cocoprep.cli.predict_job import run_job
    from cocoprep.cli.predict_options import PredictOptions

    run_job(PredictOptions(**given_rules(options)))
