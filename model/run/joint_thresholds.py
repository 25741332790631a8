"""How sure a joint must be to count as found: what `cocoprep evaluate` has chosen for a run, by joint."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep.errors import ConfigError, RecordError
from cocoprep.evaluation.as_json import thresholds_as_json
from cocoprep.evaluation.confidence import JointThresholds
from cocoprep.model.run.folder import THRESHOLDS_FILE, RunFolder
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.manifest import Manifest, records_digest
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.json_file import write_json
from cocoprep.storage.store import FileStore

DEFAULT_THRESHOLD = 0.2  # of a map of peak 1


class _Chosen(msgspec.Struct):
    thresholds: dict[str, float]
    chosen_on: str | None = None


def read_thresholds(run_dir: str, table: KeypointTable, files: FileStore = AnyFiles()) -> NDArray[np.float64] | None:
    """Return (K,) the least confidence of each joint that was chosen for a run, NaN for one that has none.

    None where there is no such file.

    `files` is where the run's folder lies; by default, on this machine or in a bucket, as its path says.

    Raises:
        RecordError: the file is damaged, or is of other joints.
    """
    path = files.join(run_dir, THRESHOLDS_FILE)
    if not files.exists(path):
        return None
    chosen = _read(path, files).thresholds
    if not chosen or not set(chosen) <= set(table.names):
        odd = ", ".join(f"{name:.100}" for name in sorted(set(chosen) - set(table.names))[:3])
        raise RecordError(f"{path}: of other joints than the run's ({odd}). Run `cocoprep evaluate` again.")
    return np.array([chosen.get(name, np.nan) for name in table.names])


def _read(path: str, files: FileStore) -> _Chosen:
    try:
        return msgspec.json.decode(files.read_bytes(path), type=_Chosen)
    except (OSError, ValueError, RecursionError) as error:  # UnicodeDecodeError, and all of msgspec's, are ValueErrors
        raise RecordError(
            f"{path}: cannot be read ({error}). Run `cocoprep evaluate` again, or pass --threshold."
        ) from error


def write_thresholds(
    run_dir: str, joints: JointThresholds | None, manifest: Manifest, table: KeypointTable, files: FileStore
) -> str:
    """Leave the thresholds that an evaluation has chosen to predictions with the run; return the file's path.

    A joint that nobody there has labelled gets none. Those that were chosen on the run's own validation folder, or on
    other people before, stay: an evaluation elsewhere must not change what is predicted from then on.

    Args:
        run_dir: of the run.
        joints: of the evaluation.
        manifest: of the shards whose people they were chosen on.
        table: names the joints.
        files: where the run's folder lies.

    Raises:
        ConfigError: none were chosen, or on people from whom the network has learned: of those it is too sure; or the
            run has some already, of other people.
        RecordError: the run does not say what it was trained on.
        OutputError, StoreError: the folder is there to be read alone.
    """
    if joints is None:
        raise ConfigError("all confidences are equal")
    folder = RunFolder(run_dir, files)
    if folder.has_learned_from(manifest):
        raise ConfigError(
            f"the network has learned from these {table.noun.many}. Evaluate it on its validation folder to choose "
            "them."
        )
    chosen_on = records_digest(manifest)
    if chosen_on not in folder.validation() and _chosen_on(folder, files) not in (None, chosen_on):
        raise ConfigError(
            f"the run has its own, chosen on other {table.noun.many}; they stay. To choose them here, remove "
            f"{folder.at(THRESHOLDS_FILE)} first."
        )
    known = zip(table.names, joints.thresholds.tolist(), joints.labelled.tolist(), strict=True)
    content = {
        "thresholds": {name: threshold for name, threshold, labelled in known if labelled},
        "chosen_on": chosen_on,
        "figures": thresholds_as_json(joints, table),
    }
    write_json(folder.at(THRESHOLDS_FILE), content, files)
    return folder.at(THRESHOLDS_FILE)


def _chosen_on(folder: RunFolder, files: FileStore) -> str | None:
    """Return whose people the thresholds of a run were chosen on; None where there are none that can be used."""
    path = folder.at(THRESHOLDS_FILE)
    if not files.exists(path):
        return None
    try:
        return _read(path, files).chosen_on
    except RecordError:
        return None


def find_thresholds(
    run_dir: str, table: KeypointTable, threshold: float | None, files: FileStore = AnyFiles()
) -> tuple[NDArray[np.float64], str]:
    """Return (K,) the least confidence of each joint, and in words where it is from.

    It is `threshold` where that is given, else what was chosen for the run, else `DEFAULT_THRESHOLD`.
    """
    if threshold is not None:
        return np.full(len(table), float(threshold)), f"a threshold of {threshold:g}"
    chosen = read_thresholds(run_dir, table, files)
    if chosen is not None:
        none = [name for name, value in zip(table.names, chosen, strict=True) if np.isnan(value)]
        rest = f"; {DEFAULT_THRESHOLD:g} for {', '.join(none)}, of which it knows nothing" if none else ""
        span = f"{np.nanmin(chosen):.2f} to {np.nanmax(chosen):.2f}"
        values = np.where(np.isnan(chosen), DEFAULT_THRESHOLD, chosen)
        return values, f"the thresholds that `cocoprep evaluate` chose ({span}{rest})"
    return np.full(len(table), DEFAULT_THRESHOLD), f"a threshold of {DEFAULT_THRESHOLD:g}"
