"""The log as TensorBoard shows it: scalars and pictures in event files.

A resumed run first drops what comes after its checkpoint, so curves stay single-valued.

Source: `event.proto` and `summary.proto` of the package `tensorboard`; the values have the form that TensorFlow's
`tf.summary` gives them.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_FLOAT, DT_STRING

from cocoprep.errors import OutputError, RecordError
from cocoprep.shards.tfrecord import read_record, write_records
from cocoprep.storage.disk_errors import write_failure
from cocoprep.storage.local import TEMPORARY
from cocoprep.storage.store import FileStore

FORMAT = "brain.Event:2"  # what an event file begins with
# What a run is judged by, shown first; figures of stacks, of guesses, of families of joints and of sources come last.
FIRST = frozenset({"loss", "skill", "pck@0.2", "pck@0.1", "swapped", "AP", "learning_rate"})


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
    """Writes an event file, which is complete and closed after every call: a kill costs the event it interrupts."""

    def __init__(self, folder: str, files: FileStore, *, after_step: int) -> None:
        """Open the folder, keeping what belongs to steps up to `after_step`, and begin a file of its own.

        Raises:
            OutputError: it cannot be written.
        """
        drop_events(folder, files, after_step=after_step)
        self._folder, self._files = folder, files
        files.make_folder(folder)
        begin = io.BytesIO()
        write_records(begin, [Event(wall_time=time.time(), file_version=FORMAT).SerializeToString()])
        while True:
            # Files are read in the order of their names.
            self._path = files.join(folder, f"events.out.tfevents.{time.time_ns()}")
            if files.put_if(self._path, begin.getvalue(), found=None):
                break

    def scalars(self, phase: str, step: int, values: Mapping[str, Any]) -> None:
        """Write a point of each curve, named `phase/name`, or `within_phase/name` if it is not of `FIRST`.

        Gradients are `weights/name`: groups of curves are shown in the order of their names. What is not a number is
        left out; points are float32. Raises OutputError where the file cannot be written.
        """
        points = []
        for name, value in values.items():
            if isinstance(value, (int, float)):
                group = phase if name in FIRST else f"within_{phase}"
                group = "weights" if name.startswith("gradient_") else group
                tensor = TensorProto(dtype=DT_FLOAT, tensor_shape=TensorShapeProto(), float_val=[value])
                points.append(_value(f"{group}/{name}", "scalars", tensor))
        self._write(step, points)

    def picture(self, name: str, step: int, rgb: np.ndarray[Any, Any]) -> None:
        """Write a picture (H, W, 3) uint8. Raises OutputError where the file cannot be written."""
        png = io.BytesIO()
        Image.fromarray(rgb).save(png, "PNG")
        height, width, _ = rgb.shape
        strings = [str(width).encode(), str(height).encode(), png.getvalue()]
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=len(strings))])
        tensor = TensorProto(dtype=DT_STRING, tensor_shape=shape, string_val=strings)
        self._write(step, [_value(name, "images", tensor)])

    def _write(self, step: int, values: list[Summary.Value]) -> None:
        event = Event(wall_time=time.time(), step=step, summary=Summary(value=values))
        self._files.make_folder(self._folder)  # who removes the curves in the meantime does not end the training
        try:
            with open(self._path, "ab") as stream:
                write_records(stream, [event.SerializeToString()])
        except OSError as error:
            raise OutputError(write_failure(self._path, error)) from error


def _value(tag: str, dashboard: str, tensor: TensorProto) -> Summary.Value:
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=dashboard))
    return Summary.Value(tag=tag, metadata=metadata, tensor=tensor)
