"""The steps of `cocoprep evaluate`: get predictions, score them, write and print what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.cli.evaluate_options import TRUTH, EvaluateOptions
from cocoprep.cli.evaluate_places import make_room, output_folders
from cocoprep.cli.evaluate_predictions import Made, make_predictions, read_detected
from cocoprep.cli.evaluate_report import print_evaluation
from cocoprep.cli.evaluate_sets import print_by_boxes
from cocoprep.cli.keypoints import open_table
from cocoprep.cli.paths import tell_of_tar
from cocoprep.cli.say import say, say_note
from cocoprep.coco.suspicions import labels_of, suspicions
from cocoprep.coco.truth import Truth, read_truth
from cocoprep.errors import CocoprepError, ConfigError, OutputError, StoreError
from cocoprep.evaluation.across import find_map, shared_maps
from cocoprep.evaluation.as_json import evaluation_as_json
from cocoprep.evaluation.evaluate import Evaluation, evaluate, evaluate_across
from cocoprep.evaluation.output import FIGURES, write_evaluation
from cocoprep.evaluation.stack_maps import StackMaps
from cocoprep.pose.joint_map import JointMap
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.json_file import write_json
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:  # what a results file alone does not need is loaded where it is needed: half a second
    from cocoprep.evaluation.beside import FiguresBeside
    from cocoprep.report.sources import CropSource
    from cocoprep.shards.dataset import ShardDataset
    from cocoprep.shards.manifest import Manifest

ACROSS = (
    "JOINTS ARE THOSE THAT BOTH HAVE: all figures are over these alone, by the sigmas and sizes of the data. Do not "
    "compare them with figures over all joints."
)


_ALL = "all"  # what is of all boxes together


@dataclass(frozen=True)
class _Found:
    """What was found: the figures of predictions of the joints of a table, and what stands beside them."""

    dataset: ShardDataset | None
    made: Made
    evaluation: Evaluation
    notes: Sequence[str]
    beside: FiguresBeside
    maps: Sequence[StackMaps]

    @property
    def table(self) -> KeypointTable:
        """Return the joints."""
        return self.evaluation.truth.table


def run_job(options: EvaluateOptions) -> None:
    """Do all that was asked for."""
    files = AnyFiles()
    dataset = None if options.data is None else open_data(options.data, files)
    of_run = None if options.run_dir is None else _joints_of_run(options.run_dir, files)
    truth = read_ground(options, dataset, files)
    detected = read_detected(options, truth, files)  # before a folder is made for what is of them
    outs = output_folders(options, truth, None if dataset is None else dataset.manifest, of_run, files)
    make_room(options, [out for out in outs.values() if out is not None], files)
    theirs = of_run or truth.table
    if options.results_keypoints is not None:
        theirs = open_table(options.results_keypoints, files, option="--results-keypoints")
    joint_map = find_map(theirs, truth.table, options.joint_map)
    made = make_predictions(options, truth, dataset, theirs, files, detected=detected)
    found = [_measure(options, truth, dataset, one, joint_map=joint_map, files=files) for one in made]
    try:
        written = _write(options, found, outs, files)
    except CocoprepError:
        _print(options, found, {})  # what was measured is not lost with what cannot be written
        raise
    # Last, since whoever reads what is printed may stop reading.
    _print(options, found, written)
    for path in chain.from_iterable(written.values()):
        say(path)


def open_data(data: str, files: FileStore) -> ShardDataset:
    """Open a built folder."""
    from cocoprep.shards.dataset import open_dataset

    return open_dataset(data, files)


def _joints_of_run(run_dir: str, files: FileStore) -> KeypointTable:
    from cocoprep.model.run.folder import RunFolder

    return RunFolder(run_dir, files).read_geometry()[1]


def _measure(
    options: EvaluateOptions,
    truth: Truth,
    dataset: ShardDataset | None,
    made: Made,
    *,
    joint_map: JointMap | None,
    files: FileStore,
) -> _Found:
    """Measure predictions, of other joints than the truth's where there is a map."""
    notes = [*truth.notes, *suspicions([labels_of(truth)], truth.source_ids), *made.notes]
    thresholds, maps = options.pck_thresholds, made.maps
    sources = () if dataset is None else tuple(source.name for source in dataset.manifest.sources)
    if joint_map is None:
        looked_for = None if dataset is None else _looked_for(dataset, truth)
        evaluation = evaluate(
            truth, made.predictions, truth.table, thresholds=thresholds, looked_for=looked_for, sources=sources
        )
    else:
        evaluation = evaluate_across(truth, made.predictions, joint_map, thresholds=thresholds, sources=sources)
        maps = [shared_maps(one, joint_map) for one in maps]
        notes += [ACROSS] if joint_map.lacking else []
    beside: FiguresBeside = {}
    if dataset is not None and made.boxes in ("", TRUTH):  # of these boxes, as the ceiling and the guess are
        from cocoprep.evaluation.beside import figures_beside

        scored = evaluation.truth
        beside = figures_beside(dataset, scored, scored.table, files, thresholds=thresholds, joint_map=joint_map)
    return _Found(dataset, made, evaluation, notes, beside, maps)


def _looked_for(dataset: ShardDataset, truth: Truth) -> NDArray[np.bool_] | None:
    from cocoprep.model.input.sources import joints_looked_for

    return joints_looked_for(dataset, truth.annotation_ids)


def read_ground(options: EvaluateOptions, dataset: ShardDataset | None, files: FileStore) -> Truth:
    """Read the ground truth: of a built folder, or of an annotation file."""
    table = None
    if dataset is not None:
        from cocoprep.shards.settings import table_of

        table = table_of(dataset.manifest.keypoints)
    if options.keypoints is not None:
        table = open_table(options.keypoints, files)
    path = options.annotations or files.join(options.data or "", GROUND_TRUTH)
    return read_truth(path, files, table, options.category, meanings=options.visibility)


def _print(options: EvaluateOptions, found: Sequence[_Found], written: Mapping[str, Sequence[str]]) -> None:
    """Print the figures; `written` are the files that have all of them, by whose boxes, those of all by "all"."""
    if len(found) > 1:
        print_by_boxes({one.made.boxes: one.evaluation for one in found})
    for one in found:
        print_evaluation(
            one.evaluation,
            one.table,
            notes=one.notes,
            beside=one.beside,
            source=options.source(one.made.boxes),
            written=[*written.get(_ALL, ()), *written.get(one.made.boxes, ())],
        )


def _write(
    options: EvaluateOptions, found: Sequence[_Found], outs: Mapping[str, str | None], files: FileStore
) -> dict[str, list[str]]:
    """Write what was asked for, `outs` by whose boxes; return the paths that are to be named, alike."""
    figures = [evaluation_as_json(one.evaluation, one.table, context=_context(options, one)) for one in found]
    written: dict[str, list[str]] = {_ALL: []}
    if options.json_file is not None:
        by_boxes = {one.made.boxes: content for one, content in zip(found, figures, strict=True)}
        write_json(options.json_file, figures[0] if len(figures) == 1 else {"by_boxes": by_boxes}, files)
        written[_ALL].append(options.json_file)
    for one, content in zip(found, figures, strict=True):
        out, of_these = outs[one.made.boxes], written.setdefault(one.made.boxes, [])
        if out is not None:
            page = _write_folder(options, one, content, out, files)
            of_these += [files.join(out, FIGURES), page]
        if one.made.boxes == TRUTH and one.dataset is not None and options.run_dir is not None:
            if one.evaluation.across is None:
                of_these += _write_thresholds(options.run_dir, one, one.dataset.manifest, files)
            else:
                say("no thresholds of confidence written: the data have other joints than the run", err=True)
    return written


def _write_folder(options: EvaluateOptions, found: _Found, figures: dict[str, Any], out: str, files: FileStore) -> str:
    from cocoprep.cli.evaluate_provenance import provenance_of
    from cocoprep.report.evaluation import write_report

    with crops_of(options, found.evaluation.truth, found.dataset, files) as crops:
        write_evaluation(out, found.evaluation, figures, found.table, files)
        return write_report(
            out,
            found.evaluation,
            found.table,
            title=f"Evaluation of {options.source(found.made.boxes)} on {options.data or options.annotations}",
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
    return {
        "data": options.data,
        "fingerprint": None if found.dataset is None else found.dataset.manifest.fingerprint,
        "annotations": options.annotations,
        **found.made.context,
        **({} if options.results_keypoints is None else {"results_keypoints": options.results_keypoints}),
        "beside": found.beside,
    }


@contextmanager
def crops_of(
    options: EvaluateOptions, truth: Truth, dataset: ShardDataset | None, files: FileStore
) -> Iterator[CropSource | None]:
    """Give the pictures of people for a report; say afterwards where some were missing."""
    from cocoprep.crops.named_images import NamedImages
    from cocoprep.crops.photographs import open_images
    from cocoprep.report.crops import PhotographCrops, ShardCrops

    if dataset is not None:
        yield ShardCrops(dataset)
    elif options.images is not None:
        tell_of_tar(options.images, files)
        source = open_images(options.images, files, follow_links=options.follow_links)
        images = NamedImages(source, truth.file_names.values())
        crops = PhotographCrops(truth, images, exif=options.exif or "auto")
        yield crops
        # What a network has looked at has been told of then.
        for note in (*images.notes, *crops.notes) if options.run_dir is None else ():
            say_note(note)
        if crops.fault is not None:
            say(f"warning: not every {truth.table.noun.one} in the report has a picture: {crops.fault}", err=True)
    else:
        yield None
