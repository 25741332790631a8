"""`cocoprep predict`: the joints of people on photographs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from cocoprep.cli.say import say, say_note
from cocoprep.cli.visibility import visibility_option
from cocoprep.crops.exif_rule import EXIF_RULES

if TYPE_CHECKING:
    from cocoprep.crops.exif_rule import Exif
    from cocoprep.pose.heatmaps import Decoder


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
    "--bbox", "boxes", metavar="X,Y,WIDTH,HEIGHT", multiple=True, callback=_boxes,
    help="A person's box in pixels, in each picture; again for each person.  [default: the whole picture]",
)  # fmt: skip
@click.option("--annotations", metavar="FILE", help="COCO keypoints file whose people's boxes are taken.")
@click.option("--category", metavar="NAME", help="Of --annotations: the category, or 'all'.  [default: as build]")
@visibility_option
@click.option("--images", metavar="PATH", help="Folder, zip or tar of the photographs of --annotations.")
@click.option("--follow-links", is_flag=True, help="Links in the folder of --images may lead out of it.")
@click.option("--exif", type=click.Choice(EXIF_RULES), help="Pixels that --annotations are of.  [default: as build]")
@click.option(
    "--min-keypoints",
    default=0,
    show_default=True,
    help="Least number of labelled joints of a person of --annotations.",
)
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
def command(
    paths: tuple[str, ...], run_dir: str, boxes: tuple[tuple[float, float, float, float], ...],
    annotations: str | None, images: str | None, *, follow_links: bool, category: str | None, exif: Exif | None,
    visibility: dict[float, int], min_keypoints: int, flip_test: bool, decoder: Decoder, batch_size: int,
    threshold: float | None, out: str | None, overlays: bool,
) -> None:  # fmt: skip
    """Predict people on photographs: pictures, folders of pictures, or the boxes of a COCO file.

    Without --bbox the whole of each picture is taken for one person's box. A picture's EXIF orientation is applied, as
    viewers do; for those of --annotations --exif says whether, by default where only so they have the stated size.

    Writes results.json, COCO's results with each joint's confidence as its third number; images.json, which names the
    picture of every image id, and what could not be used; and the pictures with boxes and joints drawn over them.
    """
    from cocoprep.cli.paths import check_paths, tell_of_tar
    from cocoprep.cli.predict_report import TellsFaults, count, summary
    from cocoprep.cli.progress import CountProgress
    from cocoprep.cli.quiet import quiet_libraries
    from cocoprep.crops.orientation import ExifTally, exif_notes
    from cocoprep.errors import CocoprepError, ConfigError
    from cocoprep.storage.by_scheme import AnyFiles

    whole = {"--min-keypoints": (min_keypoints, 0), "--batch-size": (batch_size, 1)}
    of_file = {"--category": category, "--exif": exif, "--visibility": "given" if visibility else None}
    _check(
        paths=paths, boxes=boxes, annotations=annotations, images=images, of_file=of_file, least=whole,
        threshold=threshold,
    )  # fmt: skip
    if follow_links and images is None:
        raise ConfigError("--follow-links goes with --images, whose links it is about.")
    check_paths({"--run": run_dir, "--annotations": annotations, "--images": images, "--out": out})
    check_paths({path: path for path in paths})
    files = AnyFiles()
    with quiet_libraries():
        from cocoprep.model.predict.listing import list_annotated, list_files
        from cocoprep.model.predict.output import PredictionFolder, write_predictions
        from cocoprep.model.predict.predictor import flip_warning, open_predictor
        from cocoprep.model.run.joint_thresholds import find_thresholds
        from cocoprep.model.training.devices import find_devices

        find_devices()
    predictor = open_predictor(run_dir, flip_test=flip_test, files=files)
    if flip_test and (warning := flip_warning(run_dir, files)):
        _say(f"warning: {warning}")
    thresholds, said = find_thresholds(run_dir, predictor.table, threshold, files)
    folder, lying = out or files.join(run_dir, "predictions"), ExifTally()
    with CountProgress("predicting", predictor.table.noun.many) as progress:
        output = PredictionFolder(
            folder,
            predictor.table,
            thresholds,
            files,
            overlays=overlays,
            on_fault=TellsFaults(),
        )
        if annotations is not None and images is not None:
            tell_of_tar(images, files)
            output.protect(annotations, folder=images if files.is_folder(images) else None)
            listed, output.category_id = list_annotated(
                annotations, images, output.fault, category=category, meanings=visibility,
                table=predictor.table, min_keypoints=min_keypoints, follow_links=follow_links, exif=exif or "auto",
                on_note=say_note, files=files, out=lying,
            )  # fmt: skip
        else:
            listed = list_files(paths, boxes, output.fault, files)
            output.protect(*(one.name for one in listed))
        batch_size = max(1, min(batch_size, sum(one.people for one in listed)))
        try:
            write_predictions(
                predictor, listed, output, decoder=decoder, batch_size=batch_size, on_people=progress.update
            )
        except BaseException:
            if output.written:
                _say(f"stopped: {folder} has {count(output.photographs, 'photograph')} that were done")
            raise
    for note in exif_notes(lying, exif or "auto"):
        say_note(note)
    network = "network with flip test" if flip_test else "network"
    say(summary(output, thresholds=said, network=network, batch_size=batch_size))
    if output.faults:
        raise CocoprepError(
            f"{len(output.faults)} of what was asked for could not be used: see above, and {output.images_path}."
        )


def _say(text: str) -> None:
    say(text, err=True)


def _check(
    *,
    paths: tuple[str, ...],
    boxes: tuple[Any, ...],
    annotations: str | None,
    images: str | None,
    of_file: dict[str, str | None],
    least: dict[str, tuple[int, int]],
    threshold: float | None,
) -> None:
    """Refuse options that do not go together, before anything heavy is loaded."""
    from cocoprep.checks import require_number
    from cocoprep.errors import ConfigError

    if (annotations is None) != (images is None):
        raise ConfigError("--annotations and --images go together: a COCO file, and where its photographs are.")
    if annotations is not None and (paths or boxes):
        raise ConfigError("--annotations: names photographs and boxes; leave pictures and --bbox out.")
    if annotations is None and not paths:
        raise ConfigError("expected pictures or folders of pictures, or --annotations with --images; found none.")
    for option in (option for option, value in of_file.items() if value is not None and annotations is None):
        raise ConfigError(f"{option} goes with --annotations, whose photographs and boxes it tells of.")
    for option, (value, lowest) in least.items():
        require_number(option, value, lowest, whole=True)
    if threshold is not None:
        require_number("--threshold", threshold)
