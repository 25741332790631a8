"""Where the predictions that `cocoprep evaluate` scores come from: a results file, or a network and boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cocoprep.cli.evaluate_options import TRUTH, EvaluateOptions
from cocoprep.cli.paths import tell_of_tar
from cocoprep.cli.say import say_note
from cocoprep.coco.joints import OTHER_ORDER
from cocoprep.coco.result_images import ResultImages
from cocoprep.coco.results import Predictions, read_results
from cocoprep.coco.suspicions import WARNING
from cocoprep.coco.truth import Truth
from cocoprep.errors import CocoprepError, ResultsError
from cocoprep.evaluation.stack_maps import StackMaps, people_to_show
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import counted
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

if TYPE_CHECKING:
    from cocoprep.coco.detections import Detections
    from cocoprep.crops.orientation import ExifTally
    from cocoprep.model.predict.box_sets import Looked
    from cocoprep.model.predict.named import Photographs
    from cocoprep.model.predict.predictor import Predictor
    from cocoprep.shards.dataset import ShardDataset

BOXES = (
    "BOXES ARE THE GROUND TRUTH'S: the network was told where each {one} is. Do not compare these figures with those "
    "of results from detected boxes."
)
DETECTED = (
    "BOXES ARE A DETECTOR'S: {used} of the {listed} of {path}. {many} are {rules}; found twice and left out: {twice}. "
    "Do not compare these figures with those of other boxes or rules."
)
THEIRS = (
    "the results are read in the order of joints of the built folder, which is not that of the annotation file it was "
    "built from. Those of a tool that works in that file's order: score them with --annotations"
)
OURS = (
    "the results are read in the order of joints of the annotation file, which is not the table's. Those of `cocoprep "
    "predict`, or of a run, are in the table's: score them with --data, on a folder that is built from the file"
)
NO_BOXES: Mapping[str, Detections] = MappingProxyType({})


@dataclass(frozen=True)
class Made:
    """Predictions, and how they were made.

    Attributes:
        boxes: `TRUTH` or a file's path, where a network has predicted; empty for results.
        predictions: what is to be scored.
        notes: on them, in sentences.
        context: the same for the figures.
        maps: heatmaps of a few people.
    """

    boxes: str
    predictions: Predictions
    notes: Sequence[str] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    maps: Sequence[StackMaps] = ()


def make_predictions(
    options: EvaluateOptions,
    truth: Truth,
    dataset: ShardDataset | None,
    theirs: KeypointTable,
    files: FileStore,
    *,
    detected: Mapping[str, Detections] = NO_BOXES,
) -> list[Made]:
    """Read results of joints `theirs`, or have a network predict: once for each of the boxes that are asked for.

    `detected` are those of `read_detected`.
    """
    if options.results is not None:
        predictions = read_results(options.results, files, truth, theirs)
        orders = _order_note(truth, dataset) if options.results_keypoints is None else []
        return [Made("", predictions, [*predictions.notes, *orders], {"results": options.results})]
    predictor = _open_predictor(options, files)
    made: dict[str, Made] = {}
    wanted: dict[str, Detections | None] = dict(detected)
    if TRUTH in options.box_sets and dataset is not None:
        made[TRUTH] = _in_folder(options, truth, dataset, predictor, files)
    elif TRUTH in options.box_sets:
        wanted[TRUTH] = None
    if wanted:
        from cocoprep.crops.orientation import ExifTally

        photographs = _photographs(options, dataset, ExifTally(), files)
        made |= _on_photographs(options, truth, wanted, predictor, photographs)
    return [made[boxes] for boxes in options.box_sets]


def read_detected(options: EvaluateOptions, truth: Truth, files: FileStore) -> dict[str, Detections]:
    """Read the boxes of the detectors that are asked for, by file."""
    return {path: _read_boxes(options, path, truth, files) for path in options.detector_files}


def _order_note(truth: Truth, dataset: ShardDataset | None) -> list[str]:
    """Return a warning where joints may be in two orders: results do not say in which theirs are."""
    notes = truth.found if dataset is None else dataset.manifest.notes
    is_other = any(note.endswith(OTHER_ORDER) for note in notes)
    return [f"{WARNING}{OURS if dataset is None else THEIRS}"] if is_other else []


def _open_predictor(options: EvaluateOptions, files: FileStore) -> Predictor:
    from cocoprep.cli.open_network import open_network

    return open_network(options.run_dir or "", files, flip_test=options.flip_test)


def _context(options: EvaluateOptions, boxes: str, **more: Any) -> dict[str, Any]:
    made = {"run": options.run_dir, "boxes": boxes, "flip_test": options.flip_test, "decode": options.decoder}
    return {**made, **more}


def _in_folder(
    options: EvaluateOptions, truth: Truth, dataset: ShardDataset, predictor: Predictor, files: FileStore
) -> Made:
    """Predict the people of a built folder from its crops."""
    from cocoprep.cli.progress import CountProgress
    from cocoprep.model.predict.folder import predict_folder

    with CountProgress("predicting", truth.table.noun.many) as progress:
        predictions, maps = predict_folder(
            predictor,
            dataset.folder,
            decoder=options.decoder,
            batch_size=options.batch_size or 32,
            on_people=progress.update,
            keep_maps=people_to_show(truth, dataset.annotation_ids),
            files=files,
        )
    note = BOXES.format(one=truth.table.noun.one)
    return Made(TRUTH, predictions, [note], _context(options, TRUTH, crops="folder"), maps)


def _read_boxes(options: EvaluateOptions, path: str, truth: Truth, files: FileStore) -> Detections:
    from cocoprep.model.predict.detected import read_boxes

    expected = "a JSON list of a detector's boxes"
    data = read_user_file(path, files, expected, refusal=ResultsError, option="--boxes")
    images = ResultImages(truth.path, truth.file_names, truth.source_ids, what="detections")
    category = f"{truth.category_id}, the category that counts in {truth.path}"
    sizes = {image["id"]: (image["width"], image["height"]) for image in truth.images}
    return read_boxes(
        data, path, images, categories=truth.categories, expected=category, sizes=sizes, rules=options.rules
    )


def _photographs(
    options: EvaluateOptions, dataset: ShardDataset | None, tally: ExifTally, files: FileStore
) -> Photographs:
    """Return where the photographs of the ground truth lie: as is said, or where a build read them."""
    from cocoprep.model.predict.named import Photographs
    from cocoprep.shards.manifest import photograph_paths

    images, exif, follow_links = options.images, options.exif or "auto", options.follow_links
    paths = {"": images or ""}
    if dataset is not None:
        manifest = dataset.manifest
        paths = photograph_paths(manifest, images)
        exif, follow_links = options.exif or manifest.exif, follow_links or manifest.follow_links is True
    for path in paths.values():
        tell_of_tar(path, files)
    return Photographs(paths, files, exif=exif, follow_links=follow_links, tally=tally)


def _on_photographs(
    options: EvaluateOptions,
    truth: Truth,
    wanted: Mapping[str, Detections | None],
    predictor: Predictor,
    photographs: Photographs,
) -> dict[str, Made]:
    """Predict people on photographs, in the boxes of detectors, or of the truth where there is no detector's."""
    from cocoprep.cli.progress import CountProgress
    from cocoprep.crops.orientation import ExifTally, exif_notes
    from cocoprep.model.predict.box_sets import detected_boxes, predict_box_sets, truth_boxes

    faults = list[str]()
    sets = [truth_boxes(truth) if found is None else detected_boxes(found, options.rules) for found in wanted.values()]
    with CountProgress("predicting", truth.table.noun.many) as progress:
        looked = predict_box_sets(
            predictor,
            truth,
            sets,
            photographs,
            lambda name, fault: faults.append(fault),
            decoder=options.decoder,
            batch_size=options.batch_size or 32,
            on_people=progress.update,
            on_note=say_note,
        )
    for note in exif_notes(photographs.tally or ExifTally(), photographs.exif):
        say_note(note)
    return {
        boxes: _made(options, truth, boxes, one, found=found, lost=[*_lost(boxes, len(asked) - one.boxes, faults)])
        for (boxes, found), one, asked in zip(wanted.items(), looked, sets, strict=True)
    }


def _lost(boxes: str, lost: int, faults: Sequence[str]) -> Iterator[str]:
    """Say how many boxes could not be looked at."""
    if lost:
        said = counted(lost, "lines of the detections are on no photograph that can be read, or give no crop")
        if boxes == TRUTH:
            said = f"{lost} of the ground truth's boxes are on no photograph that can be read, or give no crop"
        yield f"{said}, such as {faults[0]:.300}"


def _made(
    options: EvaluateOptions, truth: Truth, boxes: str, looked: Looked, *, found: Detections | None, lost: Sequence[str]
) -> Made:
    """Return what a network has predicted on photographs, with all that is to be said of it."""
    if not looked.boxes:
        why = lost[0] if lost else "the ground truth counts nobody"
        where = "the ground truth's boxes" if boxes == TRUTH else f"--boxes {boxes}"
        raise CocoprepError(f"{where}: there is nothing to score, since {why}.")
    lost = [f"{WARNING}{one}: WHOEVER IS THERE COUNTS AS MISSED" for one in lost]
    if found is None:
        note = BOXES.format(one=truth.table.noun.one)
        return Made(boxes, looked.predictions, [note, *lost], _context(options, boxes, crops="photographs"))
    used = {"listed": found.listed, "looked at": looked.boxes, **found.left_out}
    if len(found) > looked.boxes:
        used["not looked at"] = len(found) - looked.boxes
    note = DETECTED.format(
        used=looked.boxes, listed=found.listed, path=boxes, many=truth.table.noun.many.capitalize(),
        rules=options.rules.sentence, twice=looked.twice,
    )  # fmt: skip
    context = _context(
        options, boxes, crops="photographs", box_rules=options.rules.as_json(), boxes_used=used,
        found_twice=looked.twice,
    )  # fmt: skip
    from cocoprep.model.predict.detected import stray_notes

    notes = [note, *lost, *found.notes, *stray_notes(found, truth.path)]
    return Made(boxes, looked.predictions, notes, context)
