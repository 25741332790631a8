"""Shards to batches as NumPy arrays, without TensorFlow: for JAX, PyTorch, or a loop of one's own.

The batches are those of `dataset`, to the byte. `batch` lists what a batch holds.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count, islice

import numpy as np

from cocoprep.model.augment.augmenter import Augmenter
from cocoprep.model.input.batch import Batch, augmented_batch, stored_batch
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.mixture import Mixture, as_mixture, open_mixture
from cocoprep.model.input.read_ahead import ReadAhead
from cocoprep.model.input.records import RecordSource
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore
from cocoprep.workers import default_workers

Folders = str | Sequence[str] | RecordSource | Mixture
WHOLE = slice(None)


def train_batches(
    folder: Folders,
    config: ReadConfig,
    *,
    start_step: int = 0,
    rows: slice = WHOLE,
    files: FileStore = AnyFiles(),
) -> Iterator[Batch]:
    """Yield batches of the people of folders without end; see `dataset.train_dataset`, which has the same.

    Threads make them ahead, while the caller computes. Of each batch only some `rows` may be wanted.
    """
    source = people_to_learn_from(folder, config, files)
    return _made_ahead(training_maker(source, config, rows), count(start_step))


def eval_batches(folder: Folders, config: ReadConfig, *, files: FileStore = AnyFiles()) -> Iterator[Batch]:
    """Yield every person of folders once; see `dataset.eval_dataset`, which has the same."""
    source = people_to_evaluate(folder, config, files)
    return _made_ahead(evaluation_maker(source, config), range(evaluation_batches(source, config)))


def people_to_learn_from(folder: Folders, config: ReadConfig, files: FileStore = AnyFiles()) -> Mixture:
    """Open folders to learn from, unless they are open. Raises as `open_mixture` does."""
    if isinstance(folder, (RecordSource, Mixture)):
        return as_mixture(folder, config)
    return open_mixture(folder, config, files)


def people_to_evaluate(folder: Folders, config: ReadConfig, files: FileStore = AnyFiles()) -> Mixture:
    """Open folders to evaluate on, unless they are open: everybody once, whatever the config's subset and weights."""
    return people_to_learn_from(folder, dataclasses.replace(config, subset=1.0, weights={}), files)


def whole_batches(source: RecordSource | Mixture, config: ReadConfig) -> int:
    """Return how many batches an epoch of training has.

    Raises:
        ConfigError: too few people for one.
    """
    return as_mixture(source, config).order(config).used // config.batch_size


def evaluation_batches(source: RecordSource | Mixture, config: ReadConfig) -> int:
    """Return how many batches it takes to see everybody once."""
    return -(-len(source) // config.batch_size)


def training_maker(source: RecordSource | Mixture, config: ReadConfig, rows: slice = WHOLE) -> Callable[[int], Batch]:
    """Return the function that makes the batch of a step, counted through all epochs, or some rows of it.

    Any thread may call it.

    Raises ConfigError as `whole_batches` does.
    """
    mixture = as_mixture(source, config)
    order = mixture.order(config)
    people = ReadAhead(mixture, order)
    augmenter = Augmenter(source.manifest, config.augment, config.seed)

    def make(step: int) -> Batch:
        wanted = people.batch(step, config.batch_size)[rows]
        if not config.augment.changes:
            return stored_batch(wanted, len(wanted), source.manifest)
        return augmented_batch(wanted, step * config.batch_size // order.used, augmenter)

    return make


def evaluation_maker(source: RecordSource | Mixture, config: ReadConfig) -> Callable[[int], Batch]:
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
