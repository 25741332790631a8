"""The steps of `cocoprep evaluate`: get predictions, score them, write and print what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cocoprep.cli.evaluate_options import EvaluateOptions, make_room
from cocoprep.cli.evaluate_provenance import provenance_of
from cocoprep.cli.evaluate_report import print_evaluation
from cocoprep.cli.keypoints import open_table
from cocoprep.cli.paths import tell_of_tar
from cocoprep.cli.progress import CountProgress
from cocoprep.cli.say import say, say_note
from cocoprep.coco.joints import OTHER_ORDER
from cocoprep.coco.results import Predictions, read_results
from cocoprep.coco.suspicions import WARNING, labels_of, suspicions
from cocoprep.coco.truth import Truth, read_truth
from cocoprep.crops.named_images import NamedImages
from cocoprep.crops.photographs import open_images
from cocoprep.errors import CocoprepError, ConfigError, OutputError, StoreError
from cocoprep.evaluation.across import find_map, shared_maps
from cocoprep.evaluation.as_json import evaluation_as_json
from cocoprep.evaluation.beside import FiguresBeside, figures_beside
from cocoprep.evaluation.evaluate import Evaluation, evaluate, evaluate_across
from cocoprep.evaluation.output import FIGURES, evaluation_name, write_evaluation
from cocoprep.evaluation.stack_maps import StackMaps, people_to_show
from cocoprep.model.input.sources import joints_looked_for
from cocoprep.model.run.folder import RunFolder
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.dataset import ShardDataset, open_dataset
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.shards.settings import table_of
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.json_file import write_json
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    from cocoprep.report.sources import CropSource

BOXES = (
    "BOXES ARE THE GROUND TRUTH'S: the network was told where each {one} is. Do not compare these figures with those "
    "of results from detected boxes."
)

ACROSS = (
    "JOINTS ARE THOSE THAT BOTH HAVE: all figures are over these alone, by the sigmas and sizes of the data. Do not "
    "compare them with figures over all joints."
)
THEIRS = (
    "the results are read in the order of joints of the built folder, which is not that of the annotation file it was "
    "built from. Those of a tool that works in that file's order: score them with --annotations"
)
OURS = (
    "the results are read in the order of joints of the annotation file, which is not the table's. Those of `cocoprep "
    "predict`, or of a run, are in the table's: score them with --data, on a folder that is built from the file"
)


@dataclass(frozen=True)
class _Found:
    """What was found: the figures of the joints of a table, notes on them, and what stands beside them."""

    dataset: ShardDataset | None
    evaluation: Evaluation
    table: KeypointTable
    notes: Sequence[str]
    beside: FiguresBeside
    maps: Sequence[StackMaps]


def run_job(options: EvaluateOptions) -> None:
    """Do all that was asked for."""
    files = AnyFiles()
    dataset = None if options.data is None else open_dataset(options.data, files)
    of_run = None if options.run_dir is None else RunFolder(options.run_dir, files).read_geometry()[1]
    out = options.out
    if out is None and options.run_dir is not None and of_run is not None and dataset is not None:
        out = files.join(options.run_dir, f"evaluation/{_name(options, dataset.manifest, of_run)}")
    make_room(options, out, files)
    found = _measure(options, dataset, of_run, files)
    try:
        written = _write(options, found, out, files)
    except CocoprepError:
        _print(options, found, [])  # what was measured is not lost with what cannot be written
        raise
    # Last, since whoever reads what is printed may stop reading.
    _print(options, found, written)
    for path in written:
        say(path)


def _name(options: EvaluateOptions, manifest: Manifest, of_run: KeypointTable) -> str:
    """Return what the evaluation of a run on a folder is called."""
    ours = table_of(manifest.keypoints)
    is_across = find_map(of_run, ours, options.joint_map) is not None
    return evaluation_name(manifest.split, ours.name if is_across else None, options.joint_map)


def _measure(
    options: EvaluateOptions, dataset: ShardDataset | None, of_run: KeypointTable | None, files: FileStore
) -> _Found:
    """Predict or read predictions, and measure them; `of_run` are the joints that a run predicts."""
    truth = _read_truth(options, dataset, files)
    theirs = of_run or truth.table
    if options.results_keypoints is not None:
        theirs = open_table(options.results_keypoints, files, option="--results-keypoints")
    joint_map = find_map(theirs, truth.table, options.joint_map)
    notes = [*truth.notes, *suspicions([labels_of(truth)], truth.source_ids)]
    maps: Sequence[StackMaps] = ()
    if options.results is not None:
        predictions = read_results(options.results, files, truth, theirs)
        notes += [*predictions.notes, *(_order_note(truth, dataset) if options.results_keypoints is None else [])]
    elif dataset is not None:
        predictions, maps = _predict(options, truth, dataset, files)
        notes.append(BOXES.format(one=truth.table.noun.one))
    thresholds = options.pck_thresholds
    sources = () if dataset is None else tuple(source.name for source in dataset.manifest.sources)
    if joint_map is None:
        looked_for = None if dataset is None else joints_looked_for(dataset, truth.annotation_ids)
        evaluation = evaluate(
            truth, predictions, truth.table, thresholds=thresholds, looked_for=looked_for, sources=sources
        )
    else:
        evaluation = evaluate_across(truth, predictions, joint_map, thresholds=thresholds, sources=sources)
        maps = [shared_maps(one, joint_map) for one in maps]
        notes += [ACROSS] if joint_map.lacking else []
    beside: FiguresBeside = {}
    if dataset is not None:
        scored = evaluation.truth
        beside = figures_beside(dataset, scored, scored.table, files, thresholds=thresholds, joint_map=joint_map)
    return _Found(dataset, evaluation, evaluation.truth.table, notes, beside, maps)


def _read_truth(options: EvaluateOptions, dataset: ShardDataset | None, files: FileStore) -> Truth:
    table = None if dataset is None else table_of(dataset.manifest.keypoints)
    if options.keypoints is not None:
        table = open_table(options.keypoints, files)
    path = options.annotations or files.join(options.data or "", GROUND_TRUTH)
    return read_truth(path, files, table, options.category, meanings=options.visibility)


def _order_note(truth: Truth, dataset: ShardDataset | None) -> list[str]:
    """Return a warning where joints may be in two orders: results do not say in which theirs are."""
    notes = truth.found if dataset is None else dataset.manifest.notes
    is_other = any(note.endswith(OTHER_ORDER) for note in notes)
    return [f"{WARNING}{OURS if dataset is None else THEIRS}"] if is_other else []


def _predict(
    options: EvaluateOptions, truth: Truth, dataset: ShardDataset, files: FileStore
) -> tuple[Predictions, Sequence[StackMaps]]:
    from cocoprep.cli.quiet import quiet_libraries

    with quiet_libraries():
        from cocoprep.model.predict.folder import predict_folder
        from cocoprep.model.predict.predictor import flip_warning, open_predictor
        from cocoprep.model.training.devices import find_devices

        find_devices()
    run_dir = options.run_dir or ""
    predictor = open_predictor(run_dir, flip_test=options.flip_test, files=files)
    if options.flip_test and (warning := flip_warning(run_dir, files)):
        say(f"warning: {warning}", err=True)
    with CountProgress("predicting", truth.table.noun.many) as progress:
        return predict_folder(
            predictor,
            dataset.folder,
            decoder=options.decoder,
            batch_size=options.batch_size or 32,
            on_people=progress.update,
            keep_maps=people_to_show(truth, dataset.annotation_ids),
            files=files,
        )


def _print(options: EvaluateOptions, found: _Found, written: Sequence[str]) -> None:
    print_evaluation(
        found.evaluation, found.table, notes=found.notes, beside=found.beside, source=options.source, written=written
    )


def _write(options: EvaluateOptions, found: _Found, out: str | None, files: FileStore) -> list[str]:
    """Write what was asked for; return the paths that are to be named."""
    figures = evaluation_as_json(found.evaluation, found.table, context=_context(options, found))
    written = []
    if options.json_file is not None:
        write_json(options.json_file, figures, files)
        written.append(options.json_file)
    if out is not None:
        page = _write_folder(options, found, figures, out, files)
        written += [files.join(out, FIGURES), page]
    if options.run_dir is not None and found.dataset is not None:
        if found.evaluation.across is None:
            written += _write_thresholds(options.run_dir, found, found.dataset.manifest, files)
        else:
            say("no thresholds of confidence written: the data have other joints than the run", err=True)
    return written


def _write_folder(options: EvaluateOptions, found: _Found, figures: dict[str, Any], out: str, files: FileStore) -> str:
    from cocoprep.report.evaluation import write_report

    with _crops(options, found, files) as crops:
        write_evaluation(out, found.evaluation, figures, found.table, files)
        return write_report(
            out,
            found.evaluation,
            found.table,
            title=f"Evaluation of {options.source} on {options.data or options.annotations}",
            notes=found.notes,
            provenance=provenance_of(options, None if found.dataset is None else found.dataset.manifest, files),
            beside=found.beside,
            crops=crops,
            stack_maps=found.maps,
            files=files,
        )


def _write_thresholds(run_dir: str, found: _Found, manifest: Manifest, files: FileStore) -> list[str]:
    from cocoprep.model.run.joint_thresholds import write_thresholds

    try:
        return [write_thresholds(run_dir, found.evaluation.joints, manifest, found.table, files)]
    except (ConfigError, OutputError, StoreError) as error:
        say(f"no thresholds of confidence written: {error}", err=True)
        return []


def _context(options: EvaluateOptions, found: _Found) -> dict[str, Any]:
    made = {
        "run": options.run_dir,
        "boxes": options.boxes or "truth",
        "flip_test": options.flip_test,
        "decode": options.decoder,
    }
    return {
        "data": options.data,
        "fingerprint": None if found.dataset is None else found.dataset.manifest.fingerprint,
        "annotations": options.annotations,
        **({"results": options.results} if options.run_dir is None else made),
        **({} if options.results_keypoints is None else {"results_keypoints": options.results_keypoints}),
        "beside": found.beside,
    }


@contextmanager
def _crops(options: EvaluateOptions, found: _Found, files: FileStore) -> Iterator[CropSource | None]:
    """Give the pictures of people for the report; say afterwards where some were missing."""
    from cocoprep.report.crops import PhotographCrops, ShardCrops

    if found.dataset is not None:
        yield ShardCrops(found.dataset)
    elif options.images is not None:
        truth = found.evaluation.truth
        tell_of_tar(options.images, files)
        source = open_images(options.images, files, follow_links=options.follow_links)
        images = NamedImages(source, truth.file_names.values())
        crops = PhotographCrops(truth, images, exif=options.exif or "auto")
        yield crops
        for note in (*images.notes, *crops.notes):
            say_note(note)
        if crops.fault is not None:
            say(f"warning: not every {found.table.noun.one} in the report has a picture: {crops.fault}", err=True)
    else:
        yield None
