"""What the process that drives a local build is told."""

from __future__ import annotations

import pickle
import sys
from base64 import b64encode
from dataclasses import dataclass

from cocoprep.builder.config import BuildConfig
from cocoprep.storage.store import FileStore

LOST_WORKER = 70  # exit status of a driver that has lost a worker


WORKER_THREAD = "run_worker"  # Beam's name of the threads that wait for workers


@dataclass(frozen=True)
class LocalJob:
    """What the driver is to do."""

    config: BuildConfig
    workers: int
    folder: str
    beam_options: tuple[str, ...]
    files: FileStore
    fork: bool = sys.platform == "linux"  # elsewhere, system libraries may not survive it

    def to_line(self) -> bytes:
        """Encode as one line."""
        return b64encode(pickle.dumps(self)) + b"\n"
