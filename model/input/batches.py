"""Shards to batches as NumPy arrays, without TensorFlow: for JAX, PyTorch, or a loop of one's own.

The batches are those of `dataset`, to the byte. `batch` lists what a batch holds.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count, islice

import numpy as np

from cocoprep.errors import ConfigError
from cocoprep.model.augment.augmenter import Augmenter
from cocoprep.model.input.batch import Batch, augmented_batch, stored_batch
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.order import Order
from cocoprep.model.input.read_ahead import ReadAhead
from cocoprep.model.input.records import RecordSource
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore
from cocoprep.workers import default_workers


def train_batches(
    folder: str | RecordSource, config: ReadConfig, *, start_step: int = 0, files: FileStore = AnyFiles()
) -> Iterator[Batch]:
    """Yield batches of the people of a folder without end; see `dataset.train_dataset`, which has the same.

    Threads make them ahead, while the caller computes.
    """
    source = folder if isinstance(folder, RecordSource) else RecordSource(folder, config, files)
    return _made_ahead(training_maker(source, config), count(start_step))


def eval_batches(folder: str | RecordSource, config: ReadConfig, *, files: FileStore = AnyFiles()) -> Iterator[Batch]:
    """Yield every person of a folder once; see `dataset.eval_dataset`, which has the same."""
    source = folder if isinstance(folder, RecordSource) else people_to_evaluate(folder, config, files)
    return _made_ahead(evaluation_maker(source, config), range(evaluation_batches(source, config)))


def people_to_evaluate(folder: str, config: ReadConfig, files: FileStore = AnyFiles()) -> RecordSource:
    """Open a folder to evaluate on: everybody, whatever the config's subset."""
    return RecordSource(folder, dataclasses.replace(config, subset=1.0), files)


def whole_batches(source: RecordSource, config: ReadConfig) -> int:
    """Return how many batches an epoch of training has.

    Raises:
        ConfigError: too few people for one.
    """
    steps = len(source) // config.batch_size
    if not steps:
        raise ConfigError(
            f"{source.folder}: expected at least one batch of {config.batch_size} people, found {len(source)}. Take a "
            "smaller batch_size, or a larger subset."
        )
    return steps


def evaluation_batches(source: RecordSource, config: ReadConfig) -> int:
    """Return how many batches it takes to see everybody once."""
    return -(-len(source) // config.batch_size)


def training_maker(source: RecordSource, config: ReadConfig) -> Callable[[int], Batch]:
    """Return the function that makes the batch of a step, counted through all epochs. Any thread may call it.

    Raises ConfigError as `whole_batches` does.
    """
    used = whole_batches(source, config) * config.batch_size
    people = ReadAhead(source, Order(len(source), used, config.shuffle_records, config.seed))
    augmenter = Augmenter(source.manifest, config.augment, config.seed)

    def make(step: int) -> Batch:
        wanted = people.batch(step, config.batch_size)
        if not config.augment.changes:
            return stored_batch(wanted, config.batch_size, source.manifest)
        return augmented_batch(wanted, step * config.batch_size // used, augmenter)

    return make


def evaluation_maker(source: RecordSource, config: ReadConfig) -> Callable[[int], Batch]:
    """Return the function that makes the batch of a step of an evaluation: in stored order, as stored."""

    def make(step: int) -> Batch:
        places = np.arange(len(source))[step * config.batch_size :][: config.batch_size]
        return stored_batch(source.read(places), config.batch_size, source.manifest)

    return make


def _made_ahead(make: Callable[[int], Batch], steps: Iterable[int]) -> Iterator[Batch]:
    """Yield the batches of some steps in order; as many as there are cores, and one more, are being made meanwhile."""
    waiting, ahead = iter(steps), deque[Future[Batch]]()
    threads = ThreadPoolExecutor(default_workers() + 1, thread_name_prefix="cocoprep-batch")
    try:
        ahead.extend(threads.submit(make, step) for step in islice(waiting, default_workers() + 1))
        while ahead:
            batch = ahead.popleft().result()
            ahead.extend(threads.submit(make, step) for step in islice(waiting, 1))
            yield batch
    finally:
        threads.shutdown(cancel_futures=True)
