"""The folder of a run: its config, what it was made from, its log, checkpoints, pictures and the best network.

config.json     the resolved config
run.json        fingerprints of the shard folders, versions of what ran
log.jsonl       the log: see `model.run_log`
tensorboard/    the same as curves, with pictures
checkpoints/    see `model.checkpoints`
best.keras      the network with the best OKS AP on validation (of the last epoch where there is none)
pictures/       the fixed people of validation, by epoch
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from cocoprep.errors import ConfigError, RecordError
from cocoprep.files import FileStore
from model.config import FREE_ON_RESUME, TrainConfig, from_builtins, to_builtins

CONFIG, RUN, BEST = "config.json", "run.json", "best.keras"
PACKAGES = ("cocoprep", "keras", "numpy", "tensorflow")


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run, and its config."""

    path: str
    files: FileStore

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

    def begin(self, config: TrainConfig, fingerprints: dict[str, str]) -> None:
        """Write down what the run is."""
        self.files.make_folder(self.path)
        versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
        self._write(RUN, {"fingerprints": fingerprints, "versions": versions})
        self.write_config(config)

    def check_resumable(self, config: TrainConfig, fingerprints: dict[str, str]) -> None:
        """Refuse to go on with another config or other data, either of which would change the losses.

        Raises:
            ConfigError: naming what differs.
        """
        ours, stored = to_builtins(config), to_builtins(self.read_config())
        odd = [name for name in ours if ours[name] != stored[name] and name not in FREE_ON_RESUME]
        if odd:
            found = "; ".join(f"{name} was {stored[name]!r}, now {ours[name]!r}" for name in odd)
            raise ConfigError(
                f"--resume: {self.path} was begun with other settings: {found}. Leave them out, or choose another "
                "--run-dir."
            )
        before = _read_json(self.at(RUN), self.files)["fingerprints"]
        for name, fingerprint in fingerprints.items():
            if before.get(name) != fingerprint:
                raise ConfigError(
                    f"--resume: the shards of --{name} are another build's (fingerprint {fingerprint}) than those that "
                    f"{self.path} was begun with ({before.get(name)}). Point --{name} to those, or choose another "
                    "--run-dir."
                )

    def write_config(self, config: TrainConfig) -> None:
        """Write the config down: a resumed run may have been told of other folders and other times to save."""
        self._write(CONFIG, to_builtins(config))

    def _write(self, name: str, value: dict[str, Any]) -> None:
        with self.files.create(self.at(name)) as stream:
            stream.write(json.dumps(value, indent=1).encode() + b"\n")


def _read_json(path: str, files: FileStore) -> dict[str, Any]:
    try:
        value = json.loads(files.read_bytes(path))
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read ({error}). Choose another --run-dir to start anew.") from error
    return dict(value)
