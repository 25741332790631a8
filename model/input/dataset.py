"""Shards to batches: an endless stream to train on, and every person once to evaluate on.

`batch` lists what a batch holds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from cocoprep.model.input.at_exit import python_call
from cocoprep.model.input.batch import Batch, batch_spec
from cocoprep.model.input.batches import (
    Folders,
    evaluation_batches,
    evaluation_maker,
    people_to_evaluate,
    people_to_learn_from,
    training_maker,
)
from cocoprep.model.input.config import ReadConfig
from cocoprep.shards.manifest import Manifest
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore
from cocoprep.workers import default_workers


def train_dataset(
    folder: Folders, config: ReadConfig, *, start_step: int = 0, files: FileStore = AnyFiles()
) -> tf.data.Dataset:
    """Return an endless stream of batches of the people of a folder, or of several.

    A batch is a function of folders, config and step: an epoch's order follows from seed and epoch, what happens to a
    person from seed, epoch, annotation id, folder, and how often it was seen in the epoch before. It does not depend on
    the cache, nor on the number of cores. Of each epoch the people that fill no batch are left out: others each time.

    Args:
        folder: as `cocoprep build` made it; or several; or their people, opened with the same config.
        config: batch size, seed, augmentation and the like.
        start_step: how many batches a resumed run has had. The stream goes on behind them.
        files: where the folder lies; by default, on this machine or in a bucket, as its path says.

    Raises:
        RecordError: a folder is incomplete or damaged; during iteration see `failures.readable_errors`.
        ConfigError: too few people for a batch; folders do not fit each other; a weight's name means nothing.
    """
    source = people_to_learn_from(folder, config, files)
    make = training_maker(source, config)
    steps = tf.data.Dataset.range(start_step, tf.int64.max)
    return _made(steps, make, source.manifest, config.batch_size)


def eval_dataset(folder: Folders, config: ReadConfig, *, files: FileStore = AnyFiles()) -> tf.data.Dataset:
    """Return every person of a folder, or of several, once, in stored order and as stored: no subset, nobody augmented.

    The last batch is filled up with nobody: zeros whose `valid` is false. Raises as `train_dataset` does. Of a folder
    that is read more than once, pass its people, as `people_to_evaluate` opens them: they are kept in memory then.
    """
    source = people_to_evaluate(folder, config, files)
    make = evaluation_maker(source, config)
    steps = tf.data.Dataset.range(evaluation_batches(source, config))
    return _made(steps, make, source.manifest, config.batch_size)


def _made(steps: tf.data.Dataset, make: Callable[[int], Batch], manifest: Manifest, batch_size: int) -> tf.data.Dataset:
    """Return the batches that `make` makes of step numbers, several at a time and in order."""
    spec = batch_spec(manifest, batch_size)
    kinds = [tf.as_dtype(kind) for _, kind in spec.values()]

    def arrays(step: np.int64) -> list[np.ndarray]:
        with python_call():
            batch = make(int(step))
            return [batch[name] for name in spec]

    def tensors(step: tf.Tensor) -> dict[str, tf.Tensor]:
        found = tf.numpy_function(arrays, [step], kinds)
        return {name: tf.ensure_shape(one, spec[name][0]) for name, one in zip(spec, found, strict=True)}

    # One call more than cores: now and then one waits for the interpreter's lock.
    return steps.map(tensors, num_parallel_calls=default_workers() + 1).prefetch(tf.data.AUTOTUNE)
