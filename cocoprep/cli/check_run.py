"""The network of a run as a witness for `cocoprep check`, if it has not learned from the people that are checked."""

from __future__ import annotations

from cocoprep.cli.open_network import open_network
from cocoprep.cli.progress import CountProgress
from cocoprep.errors import CocoprepError, ConfigError, StoreError
from cocoprep.inspection.check.network import Predicted
from cocoprep.inspection.data_set import DataSet
from cocoprep.model.run.folder import RunFolder
from cocoprep.pose.nouns import counted
from cocoprep.shards.manifest import Manifest, read_manifest
from cocoprep.shards.sidecar import read_sidecar
from cocoprep.storage.store import FileStore

_CURE = "Train one without these people, or check without --run."


def ask_network(run_dir: str, data_set: DataSet, files: FileStore) -> Predicted:
    """Return what a run's network says of the people of a built folder.

    Raises:
        ConfigError: it is no built folder, of other crops or joints, or the run has learned from its photographs, or
            may have: what it has learned from is not there any more.
        RecordError: run or folder are damaged.
    """
    folder, manifest = data_set.path, data_set.manifest
    if manifest is None:
        raise ConfigError(
            f"--run: expected PATH to be a built folder, whose crops a network can look at, found the file {folder}. "
            "Build it with the run's --input-size first, and check the folder."
        )
    refuse_seen(RunFolder(run_dir, files), folder, manifest, files)
    predictor = open_network(run_dir, files)
    from cocoprep.model.predict.folder import check_geometry, predict_folder  # which load Keras

    check_geometry(predictor, manifest, folder)
    with CountProgress("predicting", data_set.table.noun.many) as progress:
        found, _ = predict_folder(predictor, folder, on_people=progress.update, files=files)
    assert found.annotation_ids is not None  # of a built folder they are known
    return Predicted(found.annotation_ids, found.keypoints, found.confidence)


def refuse_seen(run: RunFolder, folder: str, manifest: Manifest, files: FileStore) -> None:
    """Refuse a run that has learned from any photograph of a built folder: it would find its faults right.

    Photographs are compared by size and CRC-32 of their files, whatever they are called.

    Raises:
        ConfigError: it has, or the folders that it has learned from are not there to compare.
        RecordError: it is no run, or cannot be read.
    """
    run.read_geometry()
    if run.has_learned_from(manifest):
        raise ConfigError(f"--run: {run.path} has learned from {folder} itself. {_CURE}")
    data = run.read_config().data
    ours = _photographs(folder, manifest, files)
    for learned in (data,) if isinstance(data, str) else data:
        try:
            theirs = _photographs(learned, read_manifest(learned, files), files)
        except (CocoprepError, StoreError, OSError) as error:
            raise ConfigError(
                f"--run: whether {run.path} has learned from these people cannot be told, since {learned}, on which "
                f"it was trained, cannot be read ({error!s:.300}). Put it back there, or check without --run."
            ) from error
        if shared := ours & theirs:
            raise ConfigError(
                f"--run: {run.path} has learned from {learned}, which has "
                f"{counted(len(shared), 'of the photographs')} of {folder} too. {_CURE}"
            )


def _photographs(folder: str, manifest: Manifest, files: FileStore) -> set[str]:
    """Return the digests of the photographs of a built folder. Raises ConfigError where a sidecar is missing."""
    found: set[str] = set()
    for shard in manifest.shards:
        sidecar = read_sidecar(folder, shard.name, files)
        if sidecar is None:
            raise ConfigError(f"{folder}: the sidecar of {shard.name} is missing. Run `cocoprep verify {folder}`.")
        found.update(digest for digest in sidecar.sources.values() if digest is not None)
    return found
