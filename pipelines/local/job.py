"""What the process that drives a local build is told."""

from __future__ import annotations

import pickle
from base64 import b64encode
from dataclasses import dataclass

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.under_way import BuildMark
from cocoprep.storage.store import FileStore


@dataclass(frozen=True)
class LocalJob:
    """What the driver is to do. `folder` is the monitor's, where all processes of the build meet."""

    config: BuildConfig
    workers: int
    folder: str
    beam_options: tuple[str, ...]
    files: FileStore
    mark: BuildMark

    def to_line(self) -> bytes:
        """Encode as one line."""
        return b64encode(pickle.dumps(self)) + b"\n"
