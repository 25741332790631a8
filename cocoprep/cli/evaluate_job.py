"""The steps of `cocoprep evaluate`: check the options, get predictions, score them, write and print what was found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click
import numpy as np

from cocoprep.cli.evaluate_output import (
    JOINT_THRESHOLDS,
    Beside,
    check_outputs,
    write_folder,
    write_json,
    write_thresholds,
)
from cocoprep.cli.evaluate_report import print_evaluation
from cocoprep.cli.paths import check_paths
from cocoprep.cli.people_progress import PeopleProgress
from cocoprep.coco.results import Predictions, read_results
from cocoprep.coco.truth import Truth, read_truth
from cocoprep.crops.photographs import open_images
from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.evaluation.as_json import to_builtins
from cocoprep.evaluation.baseline import guess_people, read_baseline
from cocoprep.evaluation.ceiling import read_ceiling
from cocoprep.evaluation.evaluate import Evaluation, evaluate
from cocoprep.evaluation.matching import match_people
from cocoprep.evaluation.oks import score_oks
from cocoprep.evaluation.pck import PCK_THRESHOLDS, measure_pck
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.dataset import ShardDataset, open_dataset
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.shards.settings import table_of
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    from cocoprep.model.predict.folder import KeptMaps
    from cocoprep.report import CropSource

CEILING, GUESS = "codec ceiling", "mean guess"
OF_RUN = ("best.keras", "config.json", "run.json", JOINT_THRESHOLDS)  # files of a run that --json may not replace
SHOWN_MAPS = 4  # people whose heatmaps the report shows
BOXES = (
    "BOXES ARE THE GROUND TRUTH'S: the network was told where each person is. Do not compare these figures with those "
    "of results from detected boxes."
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """The options, checked on construction; None where one was not given."""

    data: str | None
    run_dir: str | None
    annotations: str | None
    results: str | None
    images: str | None
    boxes: Literal["truth"] | None
    flip_test: bool
    decode: Literal["argmax", "quarter", "taylor"] | None
    batch_size: int | None
    thresholds: tuple[float, ...]
    json_file: str | None
    out: str | None

    def __post_init__(self) -> None:
        truth = {"--data": self.data, "--annotations": self.annotations, "--images": self.images}
        scored = {"--run": self.run_dir, "--results": self.results}
        check_paths({**truth, **scored, "--json": self.json_file, "--out": self.out})
        if (self.run_dir is None) == (self.results is None):
            raise ConfigError(
                "expected either --run, a network that predicts, or --results, a file of predictions, found "
                f"{'neither' if self.run_dir is None else 'both'}."
            )
        if (self.data is None) == (self.annotations is None):
            raise ConfigError(
                "expected the ground truth as either --data, a built folder, or --annotations, a COCO file, found "
                f"{'neither' if self.data is None else 'both'}."
            )
        if self.run_dir is not None and self.data is None:
            raise ConfigError("--run needs --data: the network predicts the people of a built folder.")
        if self.images is not None and self.annotations is None:
            raise ConfigError("--images goes with --annotations; with --data the pictures come from the folder.")
        if self.images is not None and self.out is None:
            raise ConfigError("--images is for the pictures of the report: say with --out where that goes.")
        of_run = {"--boxes": self.boxes, "--decode": self.decode, "--batch-size": self.batch_size}
        of_run["--flip-test"] = self.flip_test or None
        given = [option for option, value in of_run.items() if value is not None]
        if given and self.run_dir is None:
            raise ConfigError(f"{given[0]} goes with --run; the predictions of --results are made already.")
        for threshold in self.thresholds:
            if not (math.isfinite(threshold) and threshold >= 0):
                raise ConfigError(f"--pck: expected a fraction such as 0.2, found {threshold}.")


def run_job(job: Job) -> None:
    """Do all that was asked for."""
    files = AnyFiles()
    dataset = None if job.data is None else open_dataset(job.data, files)
    table = COCO_17 if dataset is None else table_of(dataset.manifest.keypoints)
    out = job.out
    if out is None and job.run_dir is not None and dataset is not None:
        out = files.join(job.run_dir, f"evaluation/{dataset.manifest.split}")
    of_run = [] if job.run_dir is None else [files.join(job.run_dir, name) for name in OF_RUN]
    check_outputs(out, job.json_file, files, inputs=[job.results, job.annotations, job.data, job.images, *of_run])
    truth = read_truth(job.annotations or files.join(job.data or "", GROUND_TRUTH), files, table)
    maps: Sequence[KeptMaps] = ()
    if job.results is not None:
        predictions = read_results(job.results, files, truth, table)
    elif dataset is not None:
        predictions, maps = _predict(job, truth, dataset, files)
    thresholds = tuple(dict.fromkeys(job.thresholds)) or PCK_THRESHOLDS
    evaluation = evaluate(truth, predictions, table, thresholds=thresholds)
    beside = {} if dataset is None else _beside(dataset, truth, table, thresholds=thresholds, files=files)
    found = _Found(evaluation, table, [BOXES] if job.run_dir is not None else [], beside, maps)
    try:
        written = _write(job, found, out, dataset, files)
    except CocoprepError:
        _print(job, found)  # what was measured is not lost with what cannot be written
        raise
    # Last, since whoever reads what is printed may stop reading.
    _print(job, found)
    for path in written:
        click.echo(path)


@dataclass(frozen=True)
class _Found:
    """What a job has found: the figures of the joints of a table, notes on them, and what stands beside them."""

    evaluation: Evaluation
    table: KeypointTable
    notes: Sequence[str]
    beside: Beside
    maps: Sequence[KeptMaps]


def _print(job: Job, found: _Found) -> None:
    print_evaluation(found.evaluation, found.table, notes=found.notes, beside=found.beside, source=_source(job))


def _write(job: Job, found: _Found, out: str | None, dataset: ShardDataset | None, files: FileStore) -> list[str]:
    """Write what was asked for; return the paths that are to be named."""
    evaluation, table = found.evaluation, found.table
    figures = to_builtins(evaluation, table, context=_context(job, dataset, found.beside))
    written = []
    if job.json_file is not None:
        write_json(job.json_file, figures, files)
        written.append(job.json_file)
    if out is not None:
        title = f"Evaluation of {_source(job)} on {job.data or job.annotations}"
        with _crops(job, evaluation.truth, dataset, files) as crops:
            page = write_folder(
                out, evaluation, figures, table, files,
                title=title, notes=found.notes, beside=found.beside, crops=crops, maps=found.maps,
            )  # fmt: skip
        written.append(page)
    if job.run_dir is not None and dataset is not None:
        written += write_thresholds(job.run_dir, dataset.manifest, evaluation, table, files)
    return written


def _predict(job: Job, truth: Truth, dataset: ShardDataset, files: FileStore) -> tuple[Predictions, Sequence[KeptMaps]]:
    from cocoprep.cli.quiet import quiet_libraries

    with quiet_libraries():
        from cocoprep.model.predict.folder import predict_folder
        from cocoprep.model.predict.predictor import flip_warning, open_predictor
        from cocoprep.model.training.devices import find_devices

        find_devices()
    predictor = open_predictor(job.run_dir or "", flip_test=job.flip_test, files=files)
    if job.flip_test and (warning := flip_warning(job.run_dir or "", files)):
        click.echo(f"warning: {warning}", err=True)
    with PeopleProgress("predicting") as progress:
        return predict_folder(
            predictor,
            dataset.folder,
            decoder=job.decode or "taylor",
            batch_size=job.batch_size or 32,
            progress=progress.update,
            keep_maps=_people_to_show(truth, dataset.annotation_ids),
            files=files,
        )


def _people_to_show(truth: Truth, recorded: list[int]) -> list[int]:
    """Choose people of a folder whose heatmaps are worth a look: those with the most labelled joints, one an image."""
    labelled = (truth.visibility > 0).sum(axis=1) * truth.counts * np.isin(truth.annotation_ids, recorded)
    chosen: dict[int, int] = {}
    for row in (-labelled).argsort(kind="stable").tolist():
        if labelled[row]:
            chosen.setdefault(int(truth.image_ids[row]), int(truth.annotation_ids[row]))
        if len(chosen) == SHOWN_MAPS:
            break
    return list(chosen.values())


def _beside(
    dataset: ShardDataset, truth: Truth, table: KeypointTable, *, thresholds: Sequence[float], files: FileStore
) -> Beside:
    """Return what stands beside the figures: the best that stored heatmaps allow, and a guess."""
    folder, manifest = dataset.folder, dataset.manifest
    beside: Beside = {}
    ceiling = read_ceiling(folder, manifest, files)
    if ceiling is not None:
        beside[CEILING] = ceiling.full
    guess = guess_people(truth, read_baseline(folder, files), manifest.crop.config())
    if len(guess):
        box = measure_pck(truth, guess, match_people(truth, guess, table), table, thresholds=thresholds)["box"]
        named = {f"PCK@{t:g}": float(value) for t, value in zip(thresholds, box.pck.total, strict=True)}
        beside[GUESS] = {**score_oks(truth, guess, table).figures, **named, "AUC": box.auc}
    return beside


def _source(job: Job) -> str:
    """Say what is scored, and how a network was made to predict."""
    if job.run_dir is None:
        return job.results or ""
    return f"{job.run_dir} ({'flip test, ' * job.flip_test}decoded by {job.decode or 'taylor'})"


def _context(job: Job, dataset: ShardDataset | None, beside: Beside) -> dict[str, Any]:
    made = {
        "run": job.run_dir,
        "boxes": job.boxes or "truth",
        "flip_test": job.flip_test,
        "decode": job.decode or "taylor",
    }
    return {
        "data": job.data,
        "fingerprint": None if dataset is None else dataset.manifest.fingerprint,
        "annotations": job.annotations,
        **({"results": job.results} if job.run_dir is None else made),
        "beside": beside,
    }


@contextmanager
def _crops(job: Job, truth: Truth, dataset: ShardDataset | None, files: FileStore) -> Iterator[CropSource | None]:
    """Give the pictures of people for the report; say afterwards where some were missing."""
    from cocoprep.report.crops import PhotographCrops, ShardCrops

    if dataset is not None:
        yield ShardCrops(dataset)
    elif job.images is not None:
        crops = PhotographCrops(truth, open_images(job.images, files))
        yield crops
        if crops.fault is not None:
            click.echo(f"warning: not every person in the report has a picture: {crops.fault}", err=True)
    else:
        yield None
