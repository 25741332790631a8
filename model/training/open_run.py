"""A run begun in its folder, or gone on with, once everything about it is known to fit."""

from __future__ import annotations

import shlex

from cocoprep.errors import ConfigError
from cocoprep.model.backends.choice import open_engine, use_backend
from cocoprep.model.input.batches import people_to_evaluate, people_to_learn_from
from cocoprep.model.run.checkpoints import CheckpointFolder
from cocoprep.model.run.config import TrainConfig
from cocoprep.model.run.folder import RunFolder, check_run_dir, shards_key
from cocoprep.model.training.starting_weights import StartingWeights, read_starting_weights
from cocoprep.model.training.train import Reporter, TrainingRun
from cocoprep.model.training.trainee import build_trainee
from cocoprep.model.training.watched import Watched
from cocoprep.shards.geometry import check_one_network, crop_differences, geometry_differences
from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.shards.manifest import Manifest, read_manifest
from cocoprep.shards.settings import table_of
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore


def open_run(
    config: TrainConfig, run_dir: str, *, resume: bool, report: Reporter, files: FileStore = AnyFiles()
) -> TrainingRun:
    """Begin a run in a folder, or go on with the one that is there.

    Args:
        config: as `resolve_config` returns it.
        run_dir: the run's folder, on this machine.
        resume: go on with a run that is there.
        report: is told how it goes on.
        files: where the folders of shards lie; by default, on this machine or in a bucket, as each path says.

    Raises:
        ConfigError: the folder holds a run and `resume` is false, or the run there has other settings or shards; the
            folders of shards do not fit each other, nor settings.
        RecordError: a folder of shards cannot be used.
    """
    config.check_together()
    check_run_dir(run_dir)
    folder = RunFolder(run_dir)
    manifests = _read_manifests(config, run_dir, files)
    if folder.has_run():
        if not resume:
            raise ConfigError(f"{run_dir} holds a run already: go on with it by --resume, or choose another --run-dir.")
        folder.check_resumable(config, manifests, backend=use_backend(config.backend))
    people = people_to_learn_from(config.folders, config.read, files)
    if folder.has_run():
        folder.check_same_weights(people.weights, people.sources)
        folder.check_same_people(people.skipped)
    trainee = build_trainee(config, people, open_engine(config), files, start=_start(config, folder, files))
    watched = (
        Watched(people_to_evaluate(config.val_folders, config.read, files), config.read) if config.val_folders else None
    )
    lock, goes_on = folder.hold(), folder.has_run()
    if not goes_on:  # now that it is known to be possible
        if resume:
            report.note(f"{run_dir}: no run is there yet, so one begins")
        folder.begin(config, manifests, people.skipped, people.weights, backend=trainee.engine.name)
    for note in trainee.begun_with:
        report.note(note)
    run = TrainingRun(folder, trainee, people, lock=lock, watched=watched, report=report)
    # Now that its checkpoint is known to fit.
    changed = folder.go_on(config, manifests, backend=trainee.engine.name) if goes_on else []
    if changed:
        report.note(f"the run was begun with other versions ({'; '.join(changed)}): its losses may differ slightly")
    if trainee.begun_with:
        run.log.write("begin", 0, 0, {"begun_with": [*trainee.begun_with]})
        run.save()  # what it began with may be gone when it goes on
    return run


def _read_manifests(config: TrainConfig, run_dir: str, files: FileStore) -> dict[str, Manifest]:
    """Return the manifests of all folders, by `shards_key`, once they are known to fit each other."""
    data = [read_manifest(path, files) for path in config.folders]
    check_one_network(config.folders, data)
    val = [read_manifest(path, files) for path in config.val_folders]
    for path, manifest in zip(config.val_folders, val, strict=True):
        _check_alike(data[0], manifest, path, run_dir)
        # Else a missing one would be met after an epoch's work.
        read_ground_truth(path, files)
    if val:
        check_one_network(config.val_folders, val, "--val")
    return {
        shards_key(option, number): manifest
        for option, several in (("data", data), ("val", val))
        for number, manifest in enumerate(several)
    }


def _start(config: TrainConfig, folder: RunFolder, files: FileStore) -> StartingWeights | None:
    """Return the weights that a run without a checkpoint begins with; None for those that are drawn."""
    checkpoints = CheckpointFolder(folder.at("checkpoints"), folder.files, config.keep)
    return None if config.init is None or checkpoints.steps() else read_starting_weights(config.init, files)


def _check_alike(data: Manifest, val: Manifest, path: str, run_dir: str) -> None:
    """Raise ConfigError where what is learned of `data` cannot be watched on `val`, the folder at `path`."""
    table = table_of(data.keypoints)
    of_crops = any(crop_differences(data.crop, val))
    for name, ours, theirs in geometry_differences(data.crop, table, val):
        cure = "Build both with the same options"
        if not of_crops:
            score = f"`cocoprep evaluate --data {shlex.quote(path)} --run {shlex.quote(run_dir)}`"
            cure += f", or leave --val {path} away: {score} scores a trained network on the joints that both have"
        raise ConfigError(f"--val: expected the {name} of --data, {ours}, found {theirs} in {path}. {cure}.")
