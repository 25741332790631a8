"""What reads a file where the command that does would take seconds: the same functions, without what comes around."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from cocoprep.builder import under_way
from cocoprep.builder.config import SelectConfig
from cocoprep.coco.annotations import parse_annotation_file
from cocoprep.crops.exif_rule import Exif
from cocoprep.evaluation.box_rules import BoxRules
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.leak_list import read_leaks
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder

CROP = CropConfig(input_size=(32, 32))
SELECT = SelectConfig(shards=2)


def build(annotations: str, images: str, out: str) -> None:
    """Build as the pipeline does, step by step in this process."""
    _build(annotations, images, out, "auto")


def build_upright(annotations: str, images: str, out: str) -> None:
    """Build with photographs turned upright."""
    _build(annotations, images, out, "upright")


def _build(annotations: str, images: str, out: str, exif: Exif) -> None:
    select = SelectConfig(shards=2, max_bad_fraction=1.0)
    build_folder(Path(out), annotations=Path(annotations), images=Path(images), crop=CROP, select=select, exif=exif)


def build_into(folder: str, annotations: str, images: str, out: str) -> None:
    """Build into a copy of a folder that holds something already."""
    under_way.WATCH_S, under_way._POLL_S = 0.2, 0.05
    shutil.copytree(folder, out)
    build_folder(Path(out), annotations=Path(annotations), images=Path(images), crop=CROP, select=SELECT)


def drop_leaks(path: str, annotations: str) -> None:
    """Take a list of shared photographs as a build does."""
    leaks = read_leaks(path, LocalFiles())
    images = parse_annotation_file(Path(annotations).read_bytes(), annotations).images
    leaks.dropped_of("train", images)
    leaks.source_of("/train.json")


def boxes(path: str, annotations: str, images: str) -> None:
    """List a detector's boxes as commands do: on the photographs of a file, and on those that are there."""
    from cocoprep.cli.say import say
    from cocoprep.coco.result_images import ResultImages
    from cocoprep.coco.truth import read_truth
    from cocoprep.model.predict.detected import list_detected, read_boxes, stray_notes
    from cocoprep.model.predict.named import Photographs

    data, truth = Path(path).read_bytes(), read_truth(annotations, LocalFiles())
    by_id = ResultImages(annotations, truth.file_names, {}, what="detections")
    sizes = {image["id"]: (image["width"], image["height"]) for image in truth.images}
    found = read_boxes(
        data, path, by_id, categories=truth.categories, expected="1", sizes=sizes, rules=BoxRules(max_boxes=2)
    )
    assert np.isfinite(found.bbox).all()
    assert np.isfinite(found.scores).all()
    for note in (*found.notes, *stray_notes(found, annotations)):
        say(note)
    list_detected(data, path, Photographs({"": images}), lambda name, fault: say(fault), on_note=say)


def records(folder: str, on_bad_record: str) -> None:
    """Read a folder as training and evaluation do, up to the batches."""
    from cocoprep.model.input.batches import evaluation_batches, evaluation_maker, people_to_evaluate, training_maker
    from cocoprep.model.input.config import ReadConfig
    from cocoprep.model.input.records import RecordSource

    config: Any = ReadConfig(batch_size=2, on_bad_record=on_bad_record)
    source = RecordSource(folder, config)
    make = training_maker(source, config)
    for step in range(4):
        make(step)
    everybody = people_to_evaluate(folder, config, LocalFiles())
    make = evaluation_maker(everybody, config)
    for step in range(evaluation_batches(everybody, config)):
        make(step)


def settings(path: str, run: str) -> None:
    """Put the config of a run together."""
    from cocoprep.model.run.resolve import resolve_config

    resolve_config(run, path, {"data": "shards"}, resume=False)


def sweep(path: str) -> None:
    """Read the file of a sweep, and ask for what it would try first."""
    from cocoprep.model.sweep.config import read_sweep
    from cocoprep.model.sweep.methods import make_pruner, make_sampler
    from cocoprep.model.sweep.trials import distribution_of

    config = read_sweep(path, LocalFiles())
    config.as_record()
    make_sampler(config.sampler, 1)
    make_pruner(config.pruner)
    for one in config.space.values():
        assert distribution_of(one) is not None


def study(database: str, path: str, out: str) -> None:
    """Take a study up in a copy of its database: its trials, the next one, whether it ends early, what came of all."""
    from cocoprep.cli.say import say
    from cocoprep.cli.sweep_report import short_names, told_params
    from cocoprep.model.sweep.config import read_sweep
    from cocoprep.model.sweep.results import best_config, find_importance, trials_csv
    from cocoprep.model.sweep.trials import best_of
    from tests.support.sweeps import open_study

    config = read_sweep(path, LocalFiles())
    os.makedirs(out)
    shutil.copy(database, os.path.join(out, "sweep.db"))
    opened = open_study(Path(out), config, name="study")
    trials = opened.trials()
    for trial in trials:
        say(f"{told_params(trial.params, short_names(config.space))} {trial.reason}")
    find_importance(opened, trials)
    trials_csv(trials, list(config.space))
    if (best := best_of(trials)) is not None:
        best_config(opened, best)
    taken = opened.take(len(trials) + 1)
    assert taken is not None
    config.of_trial(taken.trial.params)
    opened.report(taken.trial, 1, 0.1)
    opened.report(taken.trial, 2, 0.1)
    opened.should_prune(taken.trial)
    opened.prune(taken.trial)


def resume(run: str, data: str, out: str) -> None:
    """Take a run up: its config, what it was made from, its log and its last checkpoint."""
    from cocoprep.model.run.folder import RunFolder
    from cocoprep.model.run.resolve import resolve_config
    from cocoprep.shards.manifest import read_manifest

    shutil.copytree(run, out)
    config = resolve_config(out, None, {"data": data}, resume=True)
    folder = RunFolder(out)
    manifests = {"data": read_manifest(data, LocalFiles())}
    folder.check_resumable(config, manifests)
    folder.check_same_people({})
    folder.read_geometry()
    folder.has_learned_from(manifests["data"])
    folder.validation()
    folder.go_on(config, manifests)


def log(run: str, out: str) -> None:
    """Take a run's log up."""
    from cocoprep.model.run.log import RunLog

    shutil.copytree(run, out)
    RunLog(out, LocalFiles(), after_step=8)


def curves(run: str, out: str) -> None:
    """Draw a run's log."""
    from cocoprep.model.run.curves import draw_curves

    shutil.copytree(run, out)
    draw_curves(out, LocalFiles())


def train(run: str, data: str, out: str) -> None:
    """Go on with a run, in a copy of it."""
    from cocoprep.cli import main

    shutil.copytree(run, out)
    main(["train", "--run-dir", out, "--resume", "--data", data, "--val", data])


def evaluate(run: str, data: str, out: str) -> None:
    """Evaluate a run, in a copy of it."""
    from cocoprep.cli import main

    shutil.copytree(run, out)
    main(["evaluate", "--run", out, "--data", data])


def events(run: str, out: str) -> None:
    """Drop what an event file holds of later steps."""
    from cocoprep.model.run.tensorboard import drop_events

    shutil.copytree(os.path.join(run, "tensorboard"), out)
    drop_events(out, LocalFiles(), after_step=1)


def thresholds(run: str) -> None:
    """Find how sure a joint must be."""
    from cocoprep.model.run.joint_thresholds import find_thresholds
    from cocoprep.pose.tables import COCO_17

    find_thresholds(run, COCO_17, None)


class Variable:
    """What a checkpoint is made of and put back into, of Keras's form."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.path, self.shape = f"network/{name}", shape

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Return the value."""
        return np.zeros(self.shape, dtype or np.float32)

    def assign(self, value: Any) -> None:
        """Take a value as Keras does: numbers of its own shape."""
        if value.dtype.kind not in "biuf" or value.shape != self.shape:
            raise ValueError(f"{value.dtype} {value.shape}")


VARIABLES = (Variable("kernel", (3, 3, 2)), Variable("bias", (2,)), Variable("step", ()))


def checkpoint(run: str) -> None:
    """Go back to the newest checkpoint."""
    from cocoprep.model.run.checkpoints import CheckpointFolder, restore_variables

    found = CheckpointFolder(os.path.join(run, "checkpoints"), LocalFiles()).latest()
    assert found is not None
    restore_variables("network", VARIABLES, found.arrays, "the checkpoint")
