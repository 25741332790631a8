"""The steps of `cocoprep evaluate`: check the options, get predictions, score them, write and print what was found."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import click
import msgspec

from cocoprep.baseline import read_baseline
from cocoprep.ceiling import read_ceiling
from cocoprep.cli.evaluate_report import print_evaluation
from cocoprep.cli.people_progress import PeopleProgress
from cocoprep.error_analysis import COLUMNS, error_rows
from cocoprep.errors import ConfigError, RecordError
from cocoprep.evaluation import Evaluation, evaluate, threshold_builtins, to_builtins
from cocoprep.files import LocalFiles
from cocoprep.images import open_images
from cocoprep.keypoints import COCO_17, KeypointTable
from cocoprep.manifest import GROUND_TRUTH, Manifest, read_manifest, table_of
from cocoprep.matching import match_people
from cocoprep.mean_guess import guess_people
from cocoprep.oks import score_oks
from cocoprep.pck import THRESHOLDS, measure_pck
from cocoprep.predictions import Predictions, read_results
from cocoprep.truth import Truth, read_truth

RESULTS, ERRORS, FIGURES, JOINT_THRESHOLDS = "results.json", "errors.csv", "figures.json", "thresholds.json"
CEILING, GUESS = "codec ceiling", "mean guess"
SHOWN_MAPS = 4  # people whose heatmaps the report shows
BOXES = (
    "BOXES ARE THE GROUND TRUTH'S: the network was told where each person is. Do not compare these figures with those "
    "of results from detected boxes."
)

Beside = dict[str, dict[str, float]]


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
    files = LocalFiles()
    manifest = None if job.data is None else read_manifest(job.data, files)
    table = COCO_17 if manifest is None else table_of(manifest.keypoints)
    out = job.out
    if out is None and job.run_dir is not None and manifest is not None:
        out = os.path.join(job.run_dir, "evaluation", manifest.split)
    _check_outputs(job, out)
    truth = read_truth(job.annotations or os.path.join(job.data or "", GROUND_TRUTH), files, table)
    maps: Sequence[Any] = ()
    if job.results is not None:
        predictions = read_results(job.results, files, truth, table)
    else:
        predictions, maps = _predict(job, truth)
    thresholds = tuple(dict.fromkeys(job.thresholds)) or THRESHOLDS
    evaluation = evaluate(truth, predictions, table, thresholds=thresholds)
    beside = {} if manifest is None else _beside(job, truth, manifest, table, thresholds)
    notes = [BOXES] if job.run_dir is not None else []
    print_evaluation(evaluation, table, notes=notes, beside=beside, source=job.run_dir or job.results or "")
    figures = to_builtins(evaluation, table, context=_context(job, manifest, beside))
    written = []
    if job.json_file is not None:
        _write_json(job.json_file, figures)
        written.append(job.json_file)
    if out is not None:
        written.append(_write_out(job, out, evaluation, figures, table, notes=notes, beside=beside, maps=maps))
    if job.run_dir is not None and job.data is not None and manifest is not None:
        written += _write_thresholds(job.run_dir, job.data, manifest, evaluation, table)
    for path in written:
        click.echo(path)


def _check_outputs(job: Job, out: str | None) -> None:
    """Find out before the work what could not be written after it."""
    files = LocalFiles()
    if job.json_file is not None:
        if files.is_folder(job.json_file):
            raise ConfigError(f"--json: expected a file to write, found the folder {job.json_file}.")
        files.make_folder(os.path.dirname(job.json_file) or ".")
    if out is not None:
        _report_module()
        files.make_folder(out)
    inputs = [path for path in (job.results, job.annotations) if path is not None]
    outputs = [] if out is None else [os.path.join(out, name) for name in (RESULTS, FIGURES)]
    outputs += [] if job.json_file is None else [job.json_file]
    for path in outputs:
        for source in inputs:
            if os.path.exists(path) and os.path.exists(source) and os.path.samefile(path, source):
                raise ConfigError(f"{source} would be overwritten. Choose another --out or --json.")


def _report_module() -> Any:
    try:
        import cocoprep.report
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "matplotlib":
            raise
        raise ConfigError(
            "the report needs matplotlib: pip install 'cocoprep[report]'. Without it, --results with --json alone "
            "writes all figures."
        ) from error
    return cocoprep.report


def _predict(job: Job, truth: Truth) -> tuple[Predictions, Sequence[Any]]:
    from cocoprep.cli.train_report import quiet_libraries

    with quiet_libraries():
        from model.devices import find_devices
        from model.evaluate_run import predict_folder
        from model.predictor import open_predictor

        find_devices()
        predictor = open_predictor(job.run_dir or "", flip_test=job.flip_test)
    with PeopleProgress("predicting") as progress:
        return predict_folder(
            predictor,
            job.data or "",
            decoder=job.decode or "taylor",
            batch_size=job.batch_size or 32,
            progress=progress.update,
            keep_maps=_people_to_show(truth),
        )


def _people_to_show(truth: Truth) -> list[int]:
    """Choose people whose heatmaps are worth a look: those with the most labelled joints, one an image."""
    labelled = (truth.visibility > 0).sum(axis=1) * truth.counts
    chosen: dict[int, int] = {}
    for row in (-labelled).argsort(kind="stable").tolist():
        if labelled[row]:
            chosen.setdefault(int(truth.image_ids[row]), int(truth.annotation_ids[row]))
        if len(chosen) == SHOWN_MAPS:
            break
    return list(chosen.values())


def _beside(job: Job, truth: Truth, manifest: Manifest, table: KeypointTable, thresholds: Sequence[float]) -> Beside:
    """Return what stands beside the figures: the best that stored heatmaps allow, and a guess."""
    folder, files = job.data or "", LocalFiles()
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


def _context(job: Job, manifest: Manifest | None, beside: Beside) -> dict[str, Any]:
    made = {
        "run": job.run_dir,
        "boxes": job.boxes or "truth",
        "flip_test": job.flip_test,
        "decode": job.decode or "taylor",
    }
    return {
        "data": job.data,
        "fingerprint": None if manifest is None else manifest.fingerprint,
        "annotations": job.annotations,
        **({"results": job.results} if job.run_dir is None else made),
        "beside": beside,
    }


def _write_out(
    job: Job,
    out: str,
    evaluation: Evaluation,
    figures: dict[str, Any],
    table: KeypointTable,
    *,
    notes: Sequence[str],
    beside: Beside,
    maps: Sequence[Any],
) -> str:
    """Write all files of the evaluation's folder; return the path of the page."""
    from cocoprep.report.crops import PhotographCrops, ShardCrops

    report, files, truth = _report_module(), LocalFiles(), evaluation.truth
    with files.create(files.join(out, RESULTS)) as stream:
        stream.write(msgspec.json.encode(evaluation.predictions.lines(truth.category_id)))
    _write_json(files.join(out, FIGURES), figures)
    rows = error_rows(truth, evaluation.predictions, evaluation.matches, evaluation.errors, table)
    _write_csv(files.join(out, ERRORS), rows)
    crops: PhotographCrops | ShardCrops | None = None
    if job.data is not None:
        crops = ShardCrops(job.data)
    elif job.images is not None:
        crops = PhotographCrops(truth, open_images(job.images, files))
    path: str = report.write_report(
        out,
        evaluation,
        table,
        title=f"Evaluation of {job.run_dir or job.results} on {job.data or job.annotations}",
        notes=notes,
        beside=beside,
        crops=crops,
        stack_maps=[report.StackMaps(kept.annotation_id, kept.crop, kept.heatmaps, kept.truth) for kept in maps],
        files=files,
    )
    if isinstance(crops, PhotographCrops) and crops.fault is not None:
        click.echo(f"warning: not every person in the report has a picture: {crops.fault}", err=True)
    return path


def _write_json(path: str, content: Any) -> None:
    with LocalFiles().create(path) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


def _write_csv(path: str, rows: Iterable[dict[str, Any]]) -> None:
    class Encoded:
        """What `csv` writes text to."""

        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def write(self, text: str) -> int:
            written: int = self._stream.write(text.encode("utf-8", "replace"))
            return written

    with LocalFiles().create(path) as stream:
        writer = csv.DictWriter(Encoded(stream), COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_thresholds(
    run_dir: str, data: str, manifest: Manifest, evaluation: Evaluation, table: KeypointTable
) -> list[str]:
    """Leave the thresholds of confidence to `cocoprep predict`, unless they would be chosen on training data."""
    if evaluation.joints is None:
        click.echo("no thresholds of confidence: all confidences are equal", err=True)
        return []
    if _has_learned_from(run_dir, data, manifest):
        click.echo(
            "no thresholds of confidence written: the network has learned from these people. Evaluate it on its "
            "validation folder to choose them.",
            err=True,
        )
        return []
    path = os.path.join(run_dir, JOINT_THRESHOLDS)
    chosen = dict(zip(table.names, evaluation.joints.thresholds.tolist(), strict=True))
    figures = threshold_builtins(evaluation.joints, table)
    _write_json(path, {"thresholds": chosen, "chosen_on": manifest.fingerprint, "figures": figures})
    return [path]


def _has_learned_from(run_dir: str, data: str, manifest: Manifest) -> bool:
    """Tell whether a run was trained on this folder: one of its fingerprint and, where that can be seen, its path."""
    try:
        fingerprint = _read_json(os.path.join(run_dir, "run.json"))["fingerprints"]["data"]
        folder = str(_read_json(os.path.join(run_dir, "config.json"))["data"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{run_dir}: what it was trained on cannot be read ({error}). Copy the run again.") from error
    # Folders built alike of other people have equal fingerprints.
    return bool(manifest.fingerprint == fingerprint and (not os.path.isdir(folder) or os.path.samefile(folder, data)))


def _read_json(path: str) -> Any:
    with open(path, "rb") as stream:
        return json.load(stream)
