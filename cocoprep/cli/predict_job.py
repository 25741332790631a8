"""The steps of `cocoprep predict`: list what is asked for, predict it, write and say what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cocoprep.cli.open_network import open_network
from cocoprep.cli.paths import tell_of_tar
from cocoprep.cli.predict_options import PredictOptions
from cocoprep.cli.predict_report import TellsFaults, count, summary
from cocoprep.cli.progress import CountProgress
from cocoprep.cli.quiet import quiet_libraries
from cocoprep.cli.say import say, say_note
from cocoprep.coco.annotations import parse_annotation_file
from cocoprep.coco.detections import is_detections
from cocoprep.crops.orientation import ExifTally, exif_notes
from cocoprep.errors import AnnotationError, CocoprepError, ConfigError, ResultsError
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

if TYPE_CHECKING:
    from cocoprep.evaluation.box_rules import BoxRules
    from cocoprep.model.predict.listing import Listed
    from cocoprep.model.predict.named import Photographs
    from cocoprep.model.predict.output import PredictionFolder
    from cocoprep.model.predict.predictor import Predictor
    from cocoprep.pose.keypoints import KeypointTable

_EXPECTED = "a JSON file of COCO keypoints, or of a detector's boxes"
_EXPECTED_BOXES = "a JSON list of a detector's boxes"


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
        listed, rules = _list(options, predictor, output, lying, files)
        batch_size = max(1, min(options.batch_size, sum(one.people for one in listed)))
        try:
            write_predictions(
                predictor, listed, output, decoder=options.decoder, batch_size=batch_size, rules=rules,
                on_people=progress.update,
            )  # fmt: skip
        except BaseException:
            if output.written:
                say(f"stopped: {folder} has {count(output.photographs, 'photograph')} that were done", err=True)
            raise
    for note in exif_notes(lying, options.exif or "auto"):
        say_note(note)
    if rules is not None:
        say_note(f"people are {rules.sentence}; found twice and left out: {output.twice}")
    network = "network with flip test" if options.flip_test else "network"
    say(summary(output, thresholds=said, network=network, batch_size=batch_size))
    if output.faults:
        raise CocoprepError(
            f"{len(output.faults)} of what was asked for could not be used: see above, and {output.images_path}."
        )


def _open_predictor(options: PredictOptions, files: FileStore) -> Predictor:
    return open_network(options.run_dir, files, flip_test=options.flip_test)


def _list(
    options: PredictOptions, predictor: Predictor, output: PredictionFolder, lying: ExifTally, files: FileStore
) -> tuple[list[Listed], BoxRules | None]:
    """Return what is to be looked at, and the rules of its boxes where a detector has made them.

    What is read is protected from then on.
    """
    from cocoprep.model.predict.listing import list_files
    from cocoprep.model.predict.named import Photographs

    if options.images is None:
        listed = list_files(options.paths, options.bboxes, output.fault, files)
        output.protect(*(one.name for one in listed))
        return listed, None
    tell_of_tar(options.images, files)
    given = [path for path in (options.annotations, options.boxes) if path is not None]
    output.protect(*given, folder=options.images if files.is_folder(options.images) else None)
    exif, follow_links = options.exif or "auto", options.follow_links
    photographs = Photographs({"": options.images}, files, exif=exif, follow_links=follow_links, tally=lying)
    return _list_named(options, photographs, output, predictor.table, files)


def _list_named(
    options: PredictOptions,
    photographs: Photographs,
    output: PredictionFolder,
    table: KeypointTable,
    files: FileStore,
) -> tuple[list[Listed], BoxRules | None]:
    """Return what a file of labels, one of boxes, or both ask for."""
    from cocoprep.model.predict.annotated import list_annotated
    from cocoprep.model.predict.detected import list_detected, list_detected_on

    labels, boxes = _read(options, files)
    options.check_rules(of_boxes=boxes is not None)
    category, meanings = options.category, options.visibility
    if boxes is None and labels is not None:
        listed, output.category_id = list_annotated(
            *labels, photographs, output.fault, category=category, meanings=meanings, table=table,
            min_keypoints=options.min_keypoints, on_note=say_note,
        )  # fmt: skip
        return listed, None
    if boxes is None:
        raise ConfigError("expected --annotations or --boxes with --images; found neither.")
    options.check_for_boxes(boxes[1], has_labels=labels is not None)
    if labels is None:
        listed, output.category_id = list_detected(
            *boxes, photographs, output.fault, rules=options.rules, on_note=say_note
        )
        return listed, options.rules
    file = parse_annotation_file(
        *labels, category=category, meanings=meanings, unlisted=table, boxes_only=True, people_elsewhere=True
    )
    output.category_id = file.joints.category_id
    return list_detected_on(*boxes, file, photographs, rules=options.rules, on_note=say_note), options.rules


Named = tuple[bytes, str]  # a file's content, and its path


def _read(options: PredictOptions, files: FileStore) -> tuple[Named | None, Named | None]:
    """Return the file of labels and that of boxes, which may be given in the other's place."""
    labels = boxes = None
    if options.annotations is not None:
        data = read_user_file(options.annotations, files, _EXPECTED, refusal=AnnotationError, option="--annotations")
        labels = data, options.annotations
    if options.boxes is not None:
        data = read_user_file(options.boxes, files, _EXPECTED_BOXES, refusal=ResultsError, option="--boxes")
        boxes = data, options.boxes
    if boxes is None and labels is not None and is_detections(labels[0]):
        return None, labels
    return labels, boxes
