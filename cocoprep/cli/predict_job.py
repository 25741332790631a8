"""The steps of `cocoprep predict`: list what is asked for, predict it, write and say what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cocoprep.cli.paths import tell_of_tar
from cocoprep.cli.predict_options import PredictOptions
from cocoprep.cli.predict_report import TellsFaults, count, summary
from cocoprep.cli.progress import CountProgress
from cocoprep.cli.quiet import quiet_libraries
from cocoprep.cli.say import say, say_note
from cocoprep.coco.detections import is_detections
from cocoprep.crops.orientation import ExifTally, exif_notes
from cocoprep.errors import AnnotationError, CocoprepError
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

if TYPE_CHECKING:
    from cocoprep.model.predict.listing import Listed
    from cocoprep.model.predict.output import PredictionFolder
    from cocoprep.model.predict.predictor import Predictor

_EXPECTED = "a JSON file of COCO keypoints, or of a detector's boxes"


def run_job(options: PredictOptions) -> None:
    """Do all that was asked for.

    Raises:
        CocoprepError: something could not be used; what could be is written.
    """
    files = AnyFiles()
    predictor = _open_predictor(options, files)
    with quiet_libraries():
        from cocoprep.model.predict.output import PredictionFolder, write_predictions
        from cocoprep.model.run.joint_thresholds import find_thresholds

    thresholds, said = find_thresholds(options.run_dir, predictor.table, options.threshold, files)
    folder = options.out or files.join(options.run_dir, "predictions")
    lying = ExifTally()
    with CountProgress("predicting", predictor.table.noun.many) as progress:
        output = PredictionFolder(
            folder, predictor.table, thresholds, files, overlays=options.overlays, on_fault=TellsFaults()
        )
        listed = _list(options, predictor, output, lying, files)
        batch_size = max(1, min(options.batch_size, sum(one.people for one in listed)))
        try:
            write_predictions(
                predictor, listed, output, decoder=options.decoder, batch_size=batch_size, on_people=progress.update
            )
        except BaseException:
            if output.written:
                say(f"stopped: {folder} has {count(output.photographs, 'photograph')} that were done", err=True)
            raise
    for note in exif_notes(lying, options.exif or "auto"):
        say_note(note)
    network = "network with flip test" if options.flip_test else "network"
    say(summary(output, thresholds=said, network=network, batch_size=batch_size))
    if output.faults:
        raise CocoprepError(
            f"{len(output.faults)} of what was asked for could not be used: see above, and {output.images_path}."
        )


def _open_predictor(options: PredictOptions, files: FileStore) -> Predictor:
    with quiet_libraries():
        from cocoprep.model.predict.predictor import flip_warning, open_predictor
        from cocoprep.model.training.devices import find_devices

        find_devices()
    predictor = open_predictor(options.run_dir, flip_test=options.flip_test, files=files)
    if options.flip_test and (warning := flip_warning(options.run_dir, files)):
        say(f"warning: {warning}", err=True)
    return predictor


def _list(
    options: PredictOptions, predictor: Predictor, output: PredictionFolder, lying: ExifTally, files: FileStore
) -> list[Listed]:
    """Return what is to be looked at; what is read is protected from then on."""
    from cocoprep.model.predict.annotated import list_annotated
    from cocoprep.model.predict.detected import list_detected
    from cocoprep.model.predict.listing import list_files
    from cocoprep.model.predict.named import Photographs

    path, images = options.annotations, options.images
    if path is None or images is None:
        listed = list_files(options.paths, options.bboxes, output.fault, files)
        output.protect(*(one.name for one in listed))
        return listed
    tell_of_tar(images, files)
    output.protect(path, folder=images if files.is_folder(images) else None)
    photographs = Photographs(
        images, files, exif=options.exif or "auto", follow_links=options.follow_links, tally=lying
    )
    data = read_user_file(path, files, _EXPECTED, refusal=AnnotationError, option="--annotations")
    if is_detections(data):
        options.check_for_detections()
        listed, output.category_id = list_detected(data, path, photographs, output.fault, on_note=say_note)
    else:
        listed, output.category_id = list_annotated(
            data, path, photographs, output.fault, category=options.category, meanings=options.visibility,
            table=predictor.table, min_keypoints=options.min_keypoints, on_note=say_note,
        )  # fmt: skip
    return listed
