"""Checkpoints: everything a run needs to go on exactly where it was, one file each, whole or not there at all.

A checkpoint is an `.npz`: the weights, the optimizer's state (its step, loss scale and moving averages with it), the
sums that the log has not shown yet, and `meta`, JSON. The position in the data follows from the step.
"""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep.errors import OutputError, RecordError
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.npz import decode_npz
from cocoprep.storage.store import FileStore

FORMAT = 1
ANEW = "Start anew with another --run-dir."
_NAME = re.compile(r"checkpoint-(\d{8})\.npz")
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Checkpoint:
    """What is kept: arrays by name, and the best score so far."""

    step: int
    arrays: Arrays
    best: float


class _Meta(msgspec.Struct, frozen=True):
    """What stands beside the arrays. `step` is None of version 0.1, which left it to the file's name."""

    format: int
    best: float
    step: int | None = None


@dataclass(frozen=True)
class CheckpointFolder:
    """The checkpoints of one run, of which the last `keep` stay."""

    folder: str
    files: FileStore
    keep: int = 3

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, in order."""
        found = [_NAME.fullmatch(name) for name in self.files.list_names(self.folder)]
        return sorted(int(match[1]) for match in found if match)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, then remove the oldest beyond `keep`."""
        self.files.make_folder(self.folder)
        meta = np.frombuffer(msgspec.json.encode(_Meta(FORMAT, checkpoint.best, checkpoint.step)), "u1")
        arrays: dict[str, Any] = {f"at/{name}": array for name, array in checkpoint.arrays.items()}
        with self.files.create(self.path(checkpoint.step)) as stream:
            np.savez(stream, meta=meta, **arrays)
        # One that is newer is damaged, or the run would have gone on from it.
        older = [step for step in self.steps() if step < checkpoint.step]
        newer = [step for step in self.steps() if step > checkpoint.step]
        surplus = max(0, len(older) - (self.keep - 1))
        for step in (*older[:surplus], *newer):
            self._remove(step)

    def sweep(self) -> None:
        """Remove what a kill in the middle of a write left behind."""
        sweep_folder(self.folder, self.files, ours=lambda name: _NAME.fullmatch(name) is not None, alone=True)

    def latest(self) -> Checkpoint | None:
        """Return the newest checkpoint that is whole; None where there is none.

        Raises:
            RecordError: there are checkpoints, and all are damaged.
        """
        steps, faults = self.steps(), []
        for step in reversed(steps):
            try:
                return self._read(step)
            except RecordError as error:
                logging.getLogger(__name__).warning("%s Going on from the one before it.", error)
                faults.append(str(error))
        if faults:
            raise RecordError(f"no checkpoint in {self.folder} can be read: {faults[0]} {ANEW}")
        return None

    def _remove(self, step: int) -> None:
        path = self.path(step)
        # A mounted drive keeps what is removed in its bin, where it fills the quota: so remove it empty. What is linked
        # to from elsewhere, as backups do, is not ours to empty.
        with suppress(OSError):
            if not os.path.islink(path) and os.stat(path).st_nlink == 1:
                os.truncate(path, 0)
        self.files.delete(path)

    def path(self, step: int) -> str:
        """Return the file of the checkpoint of a step."""
        return self.files.join(self.folder, f"checkpoint-{step:08d}.npz")

    def _read(self, step: int) -> Checkpoint:
        path = self.path(step)
        try:
            data = self.files.read_bytes(path)
        except FileNotFoundError as error:
            raise RecordError(f"{path}: gone.") from error
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be read ({error.strerror or error}). Check the disk, then go on with --resume."
            ) from error
        arrays = decode_npz(data, path)
        try:
            meta = msgspec.json.decode(arrays.pop("meta").tobytes(), type=_Meta)
        except (KeyError, ValueError, RecursionError) as error:
            raise RecordError(f"{path}: damaged ({error!s:.200}).") from error
        if meta.format != FORMAT:
            raise RecordError(f"{path}: of format {meta.format}, expected {FORMAT}; another version wrote it.")
        if meta.step not in (None, step):
            raise RecordError(f"{path}: of step {meta.step}; somebody has given it the name of another.")
        return Checkpoint(step, {name.removeprefix("at/"): array for name, array in arrays.items()}, meta.best)


def variable_arrays(kind: str, variables: Any) -> Arrays:
    """Return Keras variables as arrays named by kind, place and path."""
    return {name: np.asarray(variable) for name, variable in _by_name(kind, variables).items()}


def restore_variables(kind: str, variables: Any, arrays: Arrays, where: str) -> None:
    """Set Keras variables to what `variable_arrays` returned.

    Raises:
        RecordError: names, shapes or types do not fit, or a number is not finite: the checkpoint is of another network
            or optimizer, or made by hand.
    """
    expected = _by_name(kind, variables)
    found = {name for name in arrays if name.startswith(f"{kind}/")}
    odd = sorted(found ^ set(expected)) or [n for n, v in expected.items() if not _fits(v, arrays[n])]
    if odd:
        raise RecordError(
            f"{where}: made by another network or optimizer; they differ in {odd[0]} and {len(odd) - 1} more."
        )
    broken = next((name for name in expected if not np.isfinite(arrays[name]).all()), None)
    if broken is not None:
        raise RecordError(f"{where}: expected finite numbers, found others in {broken}. No training has left it so.")
    for name, variable in expected.items():
        variable.assign(arrays[name].astype(np.asarray(variable).dtype, copy=False))


def _fits(variable: Any, array: NDArray[Any]) -> bool:
    dtype = np.asarray(variable).dtype
    # Keras counts steps in 64 bits on TensorFlow, and in 32 on JAX.
    is_alike = array.dtype == dtype or array.dtype.kind == dtype.kind == "i"
    return bool(tuple(variable.shape) == array.shape and is_alike)


def _by_name(kind: str, variables: Any) -> dict[str, Any]:
    # Without a path's first part: Keras numbers the models of a process.
    return {f"{kind}/{n:05d}/{v.path.partition('/')[2]}": v for n, v in enumerate(variables)}
