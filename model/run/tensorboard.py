"""The log as TensorBoard shows it: scalars and pictures in event files.

A resumed run first drops what comes after its checkpoint, so curves stay single-valued.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.util.event_pb2 import Event

from cocoprep.errors import RecordError
from cocoprep.shards.tfrecord import read_record, write_records
from cocoprep.storage.local import TEMPORARY
from cocoprep.storage.store import FileStore


def drop_events(folder: str, files: FileStore, *, after_step: int) -> None:
    """Rewrite every event file of a folder without the events of steps after `after_step`."""
    for name in files.list_names(folder):
        if "tfevents" not in name:
            continue
        if TEMPORARY.fullmatch(name):  # what a kill in the middle of this left behind
            files.delete(files.join(folder, name))
            continue
        path = files.join(folder, name)
        stream, kept = io.BytesIO(files.read_bytes(path)), []
        while (found := _next(stream)) is not None:
            step, record = found
            if step <= after_step:
                kept.append(record)
        with files.create(path) as rewritten:
            write_records(rewritten, kept)


def _next(stream: io.BytesIO) -> tuple[int, bytes] | None:
    """Return the step of the next event, and its record; None where there is none that can be read."""
    try:
        record = read_record(stream)
        return None if record is None else (Event.FromString(record).step, record)
    except (RecordError, DecodeError):  # a kill cut the last event short, or the file is damaged
        return None


class Board:
    """Writes event files."""

    def __init__(self, folder: str, files: FileStore, *, after_step: int) -> None:
        """Open the folder, keeping what belongs to steps up to `after_step`."""
        drop_events(folder, files, after_step=after_step)
        self._writer = tf.summary.create_file_writer(folder)

    def scalars(self, phase: str, step: int, values: Mapping[str, Any]) -> None:
        """Write a point of each curve, named `phase/name`; gradients stand below all others, as `weights/name`."""
        with self._writer.as_default():
            for name, value in values.items():
                if isinstance(value, (int, float)):
                    group = "weights" if name.startswith("gradient_") else phase
                    tf.summary.scalar(f"{group}/{name}", value, step=step)
        self._writer.flush()

    def picture(self, name: str, step: int, rgb: np.ndarray[Any, Any]) -> None:
        """Write a picture (H, W, 3) uint8."""
        with self._writer.as_default():
            tf.summary.image(name, rgb[None], step=step)
        self._writer.flush()

    def close(self) -> None:
        """End the file."""
        self._writer.close()
