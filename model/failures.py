"""Faults of the data that come up while batches are read, as the errors they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from cocoprep.errors import RecordError

_OURS = re.compile(rf"{RecordError.__name__}: (?P<message>.*)")


@contextmanager
def readable_errors() -> Iterator[None]:
    """Raise the RecordError that a reading function raised within TensorFlow, which wraps it in an error of its own.

    Iterate over batches within this. Errors of TensorFlow itself pass.
    """
    try:
        yield
    except tf.errors.OpError as error:
        ours = _OURS.search(error.message or "")
        if ours is None:
            raise
        raise RecordError(ours["message"]) from error
