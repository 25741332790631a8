"""The folder of a run: its config, what it was made from, its log, checkpoints, pictures and the best network.

config.json     the resolved config
run.json        digests of the shard folders, their geometry and joints, damaged records left out, weights of sources,
                versions of what ran
run.lock        held by the process that trains
log.jsonl       the log: see `cocoprep.model.run.log`
tensorboard/    the same as curves, with pictures
checkpoints/    see `cocoprep.model.run.checkpoints`
best.keras      the network with the best OKS AP on validation (of the last epoch where there is none)
pictures/       the fixed people of validation, by epoch
thresholds.json how sure a joint must be: see `cocoprep.model.run.joint_thresholds`
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, get_args

import msgspec
from msgspec import structs

from cocoprep.errors import ConfigError, RecordError
from cocoprep.model.input.weights import Weights
from cocoprep.model.run.config import Backend, TrainConfig, changed_on_resume, from_builtins, to_builtins
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.manifest import Manifest, records_digest
from cocoprep.shards.settings import CropRecord, KeypointRecord, table_of
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.store import FileStore

CONFIG, RUN, BEST, LOCK = "config.json", "run.json", "best.keras", "run.lock"
THRESHOLDS_FILE = "thresholds.json"
READ_TO_PREDICT = (BEST, CONFIG, RUN, THRESHOLDS_FILE)
PACKAGES = ("cocoprep", "keras", "numpy", "opencv-python-headless", "pillow")
BACKENDS: tuple[str, ...] = get_args(Backend)[1:]  # the first is preferred


def check_run_dir(path: str) -> None:
    """Refuse to train in a bucket.

    Raises:
        ConfigError: the path has a scheme.
    """
    if "://" in path:
        raise ConfigError(
            f"--run-dir: expected a folder of this machine, a mounted one included, found {path}. In a bucket nothing "
            "can be appended to a log, nor a run be held by one process. Train here, then copy the folder there, for "
            "example by gcloud storage cp -r: evaluate, predict and export take it from a bucket."
        )


class _About(msgspec.Struct, frozen=True):
    """What run.json says.

    Attributes:
        shards: digest of each folder of shards, by `shards_key`.
        skipped: what is wrong with the records left out, by annotation.
        weights: how often people are seen, by folder and source; none where it is once.
    """

    shards: dict[str, str]
    crop: CropRecord
    keypoints: KeypointRecord
    versions: dict[str, str]
    skipped: dict[str, str] = {}
    earlier_versions: tuple[dict[str, str], ...] = ()
    weights: Weights = ()


def network_to_begin_with(path: str, files: FileStore) -> tuple[RunFolder | None, str]:
    """Return the run whose network `--init` names, None where nobody says which it is, and the network's file.

    A file of another name in a run's folder is another network.
    """
    if not path.endswith(".keras"):
        folder = RunFolder(path, files)
        return folder, folder.at(BEST)
    parent, _, name = path.rpartition("/")
    folder = RunFolder(parent or ".", files)
    return (folder if name == BEST and folder.has_run() else None), path


def shards_key(option: str, number: int) -> str:
    """Return the name of a folder of `data` or `val`, by its place from 0: `data`, `data 2`, ..."""
    return f"{option} {number + 1}" if number else option


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run, and its config."""

    path: str
    files: FileStore = AnyFiles()

    def at(self, name: str) -> str:
        """Return the path of a name within the folder."""
        return self.files.join(self.path, name)

    def has_run(self) -> bool:
        """Tell whether a run was begun here."""
        return self.files.exists(self.at(CONFIG))

    def read_config(self) -> TrainConfig:
        """Return the config of the run that was begun here.

        Raises:
            RecordError: it cannot be read.
        """
        return from_builtins(_read_json(self.at(CONFIG), self.files), where=self.at(CONFIG))

    def begin(
        self,
        config: TrainConfig,
        manifests: dict[str, Manifest],
        skipped: Mapping[int, str] | Mapping[str, str] | None = None,
        weights: Weights = (),
        *,
        backend: str = BACKENDS[0],
    ) -> None:
        """Write down what the run is.

        Args:
            config: its config.
            manifests: those of its shards, by `shards_key`: `data` and perhaps `val`.
            skipped: what is wrong with the records it does not learn from, by annotation.
            weights: how often people are seen, by folder and source.
            backend: what computes it.
        """
        self.files.make_folder(self.path)
        shared = manifests["data"]
        wrong = {str(annotation_id): said for annotation_id, said in (skipped or {}).items()}
        self._write_about(
            _About(
                _digests(manifests), shared.crop, shared.keypoints, _versions(backend), wrong, weights=_told(weights)
            )
        )
        self.write_config(config)

    def read_geometry(self) -> tuple[CropRecord, KeypointTable]:
        """Return the geometry of the crops that the network has learned from, and their joints.

        Raises:
            RecordError: there is no run here, or it cannot be read.
        """
        if not self.has_run():
            raise RecordError(f"{self.path}: no run. Expected a folder that `cocoprep train` has made (--run-dir).")
        about = self._read_about()
        try:
            about.crop.config()  # which checks its numbers
            return about.crop, table_of(about.keypoints)
        except (ConfigError, RecordError) as error:
            raise _unusable(self.at(RUN), error) from error

    def has_learned_from(self, manifest: Manifest) -> bool:
        """Tell whether the run was trained on these shards.

        Raises:
            RecordError: it does not say on which it was.
        """
        return records_digest(manifest) in _of_option(self._read_about().shards, "data")

    def validation(self) -> list[str]:
        """Return the digest of each folder that the run is validated on, as `records_digest` gives it."""
        return _of_option(self._read_about().shards, "val")

    def hold(self) -> RunLock:
        """Keep other processes from training in this folder; remove what one that was killed was writing.

        Raises:
            ConfigError: one does.
        """
        self.files.make_folder(self.path)
        lock = RunLock(self.at(LOCK))
        for folder in (self.path, self.at("pictures")):
            sweep_folder(folder, self.files)
        return lock

    def go_on(self, config: TrainConfig, manifests: dict[str, Manifest], *, backend: str = BACKENDS[0]) -> list[str]:
        """Write down that the run goes on: it may have been told of other folders and other times to save.

        Returns:
            What ran it before and what does now, of the libraries whose versions differ: "keras 3.11.1, now 3.12.0";
            of another backend, "tensorflow 2.21.0, now jax 0.10.2".
        """
        about, now = self._read_about(), _versions(backend)
        before = about.versions
        changed = _changed(before, now)
        earlier = (*about.earlier_versions, before) if changed else about.earlier_versions
        shards = {**about.shards, **_digests(manifests)}
        self._write_about(structs.replace(about, shards=shards, versions=now, earlier_versions=earlier))
        self.write_config(config)
        return changed

    def check_resumable(
        self, config: TrainConfig, manifests: dict[str, Manifest], *, backend: str = BACKENDS[0]
    ) -> None:
        """Refuse to go on with another config or other data, either of which would change the losses.

        A validation folder may be added: nothing is learned from it.

        Raises:
            ConfigError: naming what differs.
        """
        stored, about = self.read_config(), self._read_about()
        before = next((name for name in BACKENDS if name in about.versions), backend)
        odd = changed_on_resume(stored, config, backends=(before, backend))
        if odd:
            longer = " Only with --schedule constant may --epochs be raised." if odd[0].startswith("epochs ") else ""
            raise ConfigError(
                f"--resume: {self.path} was begun with other settings: {'; '.join(odd)}.{longer} Leave them out, or "
                "choose another --run-dir."
            )
        shards, found = about.shards, _digests(manifests)
        for option in ("data", "val"):
            self._check_same_shards(option, _of_option(shards, option), _of_option(found, option))

    def _check_same_shards(self, option: str, before: list[str], now: list[str]) -> None:
        if before and now and len(before) != len(now):
            raise ConfigError(
                f"--resume: {self.path} was begun with {len(before)} folders of --{option}, now there are {len(now)}. "
                "Name the same ones in the same order, or choose another --run-dir."
            )
        for number, (was, digest) in enumerate(zip(before, now, strict=False), start=1):
            if was != digest:
                which = f"the shards of --{option}, folder {number}," if len(now) > 1 else f"the shards of --{option}"
                raise ConfigError(
                    f"--resume: {which} are another build's (digest {digest}) than those that {self.path} was begun "
                    f"with ({was:.100}). Point --{option} to those, several in the same order, or choose another "
                    "--run-dir."
                )

    def check_same_weights(self, weights: Weights, sources: Sequence[str]) -> None:
        """Refuse to go on with other weights than the run was begun with.

        Args:
            weights: how often people are seen, by folder and source.
            sources: what each source is called.

        Raises:
            ConfigError: naming what differs.
        """
        now = [weight for one in weights for weight in one]
        before = [weight for one in self._read_about().weights for weight in one] or [1.0] * len(now)
        if len(before) != len(now):
            raise _unusable(self.at(RUN), RecordError(f"weights of {len(before)} sources, where there are {len(now)}"))
        for name, was, is_now in zip(sources, before, now, strict=True):
            if was != is_now:
                raise ConfigError(
                    f"--resume: {self.path} was begun with {was:g} as the weight of {name}, now it is {is_now:g}. "
                    "Leave --weight out, or choose another --run-dir."
                )

    def check_same_people(self, skipped: Mapping[int, str] | Mapping[str, str]) -> None:
        """Refuse to go on with other people than the run was begun with, where damaged records are left out.

        Raises:
            ConfigError: records are damaged that were not, or no longer; names one.
        """
        before = self._read_about().skipped
        now = {str(annotation_id): wrong for annotation_id, wrong in skipped.items()}
        odd = before.keys() ^ now.keys()
        if odd:
            first = min(odd, key=lambda annotation_id: (len(annotation_id), annotation_id))
            found = now.get(first, f"annotation {first} is whole")
            raise ConfigError(
                f"--resume: the damaged records of --data are no longer those that {self.path} was begun without "
                f"({len(before)} then, {len(now)} now; they differ in {len(odd)}, first: {found:.500}). Other people "
                "give other losses: point --data to the shards as they were, or choose another --run-dir."
            )

    def write_config(self, config: TrainConfig) -> None:
        """Write the config down."""
        self._write(CONFIG, to_builtins(config))

    def _read_about(self) -> _About:
        path = self.at(RUN)
        try:
            return msgspec.convert(_read_json(path, self.files), _About)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:  # the second for half a character
            raise _unusable(path, error) from error

    def _write_about(self, about: _About) -> None:
        self._write(RUN, msgspec.to_builtins(about))

    def _write(self, name: str, value: dict[str, Any]) -> None:
        with self.files.create(self.at(name)) as stream:
            stream.write(json.dumps(value, indent=1).encode() + b"\n")


class RunLock:
    """Held until `release`, or until the process ends, in whatever way."""

    def __init__(self, path: str) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ConfigError(
                f"--run-dir: {path} cannot be held ({error.strerror or error}). Remove it, or choose another folder."
            ) from error
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            os.close(self._file)
            raise ConfigError(
                f"--run-dir: another process is training in {os.path.dirname(path)}. Wait for it, stop it, or choose "
                "another folder."
            ) from error
        except OSError:
            pass  # some mounted drives know no locks: there the user has to see to it

    def release(self) -> None:
        """Let others train here."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def version_of(package: str) -> str:
    """Return the version of a package, which may be installed under another name, as `tensorflow-cpu` is."""
    try:
        return version(package)
    except PackageNotFoundError:
        with suppress(ImportError):
            return str(getattr(importlib.import_module(package), "__version__", "unknown"))
        return "unknown"


def _versions(backend: str) -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version_of(name) for name in (*PACKAGES, backend)}}


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Say which versions differ, and, where another backend computes, of what it takes the place."""
    gone = next((f"{name} {before[name]!s:.100}" for name in BACKENDS if name in before and name not in now), None)
    said = []
    for name in now:
        if before.get(name) != now[name]:
            is_other = gone is not None and name in BACKENDS
            said.append(
                f"{gone}, now {name} {now[name]}" if is_other else f"{name} {before.get(name)!s:.100}, now {now[name]}"
            )
    return said


def _told(weights: Weights) -> Weights:
    return () if all(weight == 1 for one in weights for weight in one) else weights


def _of_option(shards: Mapping[str, str], option: str) -> list[str]:
    """Return the digests of the folders of `data` or `val`, in order."""
    keys = (shards_key(option, number) for number in range(len(shards)))
    return [shards[key] for key in keys if key in shards]


def _digests(manifests: dict[str, Manifest]) -> dict[str, str]:
    return {name: records_digest(manifest) for name, manifest in manifests.items()}


def _unusable(path: str, why: Exception) -> RecordError:
    return RecordError(
        f"{path}: does not say of the run what it should ({why}). Copy the run again; one that another version of "
        "cocoprep has made, train again with this one, or use that one."
    )


def _read_json(path: str, files: FileStore) -> dict[str, Any]:
    try:
        value = json.loads(files.read_bytes(path))
        if not isinstance(value, dict):
            raise TypeError(f"a {type(value).__name__} where an object should be")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise RecordError(
            f"{path}: cannot be read ({error}). Copy the run again, or train anew in another --run-dir."
        ) from error
    return value
