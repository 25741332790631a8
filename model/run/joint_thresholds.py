"""How sure a joint must be to count as found: what `cocoprep evaluate` has chosen for a run, by joint."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep.errors import ConfigError, RecordError
from cocoprep.evaluation.as_json import thresholds_as_json
from cocoprep.evaluation.confidence import JointThresholds
from cocoprep.evaluation.output import write_json
from cocoprep.model.run.folder import THRESHOLDS_FILE, RunFolder
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.manifest import Manifest, records_digest
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore

DEFAULT_THRESHOLD = 0.2  # of a map of peak 1


class _Chosen(msgspec.Struct):
    thresholds: dict[str, float]


def read_thresholds(run_dir: str, table: KeypointTable, files: FileStore = AnyFiles()) -> NDArray[np.float64] | None:
    """Return (K,) the least confidence of each joint that was chosen for a run; None where none was.

    `files` is where the run's folder lies; by default, on this machine or in a bucket, as its path says.

    Raises:
        RecordError: the file is damaged, or is of other joints.
    """
    path = files.join(run_dir, THRESHOLDS_FILE)
    if not files.exists(path):
        return None
    try:
        chosen = msgspec.json.decode(files.read_bytes(path), type=_Chosen).thresholds
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(
            f"{path}: cannot be read ({error}). Run `cocoprep evaluate` again, or pass --threshold."
        ) from error
    if set(chosen) != set(table.names):
        odd = ", ".join(sorted(set(chosen) ^ set(table.names))[:3])
        raise RecordError(f"{path}: of other joints than the run's ({odd}). Run `cocoprep evaluate` again.")
    return np.array([chosen[name] for name in table.names])


def write_thresholds(
    run_dir: str, joints: JointThresholds | None, manifest: Manifest, table: KeypointTable, files: FileStore
) -> str:
    """Leave the thresholds that an evaluation has chosen to predictions with the run; return the file's path.

    Args:
        run_dir: of the run.
        joints: of the evaluation.
        manifest: of the shards whose people they were chosen on.
        table: names the joints.
        files: where the run's folder lies.

    Raises:
        ConfigError: none were chosen, or on people from whom the network has learned: of those it is too sure.
        RecordError: the run does not say what it was trained on.
        OutputError, StoreError: the folder is there to be read alone.
    """
    if joints is None:
        raise ConfigError("all confidences are equal")
    folder = RunFolder(run_dir, files)
    if folder.has_learned_from(manifest):
        raise ConfigError(
            "the network has learned from these people. Evaluate it on its validation folder to choose them."
        )
    chosen = dict(zip(table.names, joints.thresholds.tolist(), strict=True))
    content = {
        "thresholds": chosen,
        "chosen_on": records_digest(manifest),
        "figures": thresholds_as_json(joints, table),
    }
    write_json(folder.at(THRESHOLDS_FILE), content, files)
    return folder.at(THRESHOLDS_FILE)


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
        return chosen, f"the thresholds that `cocoprep evaluate` chose ({chosen.min():.2f} to {chosen.max():.2f})"
    return np.full(len(table), DEFAULT_THRESHOLD), f"a threshold of {DEFAULT_THRESHOLD:g}"
