"""Faults of the data that come up while batches are read, as the errors they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from cocoprep.errors import CocoprepError, RecordError, StoreError

_KINDS: dict[str, type[CocoprepError]] = {kind.__name__: kind for kind in (RecordError, StoreError)}
_OURS = re.compile(rf"({'|'.join(_KINDS)}): (?P<message>.*?)(?=\nTraceback |\Z)", re.DOTALL)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Raise what a reading function raised within TensorFlow, which wraps it in an error of its own.

    That is a RecordError where the data are at fault, a StoreError where a bucket is.

    Iterate over batches within this. Errors of TensorFlow itself pass.
    """
    try:
        yield
    except tf.errors.OpError as error:
        ours = _OURS.search(error.message or "")
        if ours is None:
            raise
        raise _KINDS[ours[1]](ours["message"]) from error
