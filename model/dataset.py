"""Shards to batches: an endless stream to train on, and every person once to evaluate on.

A batch is a dict of tensors of B people, K joints each, pictures of (H, W), heatmaps of (h, w). The frame of points and
sizes in pixels is the picture that the batch holds, augmented or not.

    image          (B, H, W, 3) uint8    RGB
    heatmaps       (B, h, w, K) uint8    round(255 * value)
    keypoints      (B, K, 2)    float32  x, y in pixels, not clipped; 0, 0 where not labelled
    visibility     (B, K)       int32    0 not labelled, 1 labelled but hidden, 2 visible
    weights        (B, K)       float32  1 where labelled and within the picture, else 0
    box_side       (B,)         float32  the longer side of the person's box in pixels: PCK's unit
    annotation_id  (B,)         int64
    image_id       (B,)         int64
    crop_window    (B, 4)       float32  as stored: the canonical crop in the photograph
    bbox           (B, 4)       float32  as stored
    area           (B,)         float32  as stored
    valid          (B,)         bool     false for what only fills up the last batch of an evaluation
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from cocoprep.errors import ConfigError
from model.augment import Augmenter
from model.batch import People, augmented_people, nobodys_record, stored_people
from model.order import Order
from model.read_ahead import ReadAhead
from model.read_config import ReadConfig
from model.records import RecordSource


def steps_per_epoch(folder: str, config: ReadConfig) -> int:
    """Return how many whole batches an epoch of `train_dataset` has. Raises as it does."""
    return _whole_batches(RecordSource(folder, config), config)


def train_dataset(folder: str, config: ReadConfig, *, start_step: int = 0) -> tf.data.Dataset:
    """Return an endless stream of batches of the people of a folder.

    The stream is a function of folder and config: an epoch's order follows from seed and epoch, what happens to a
    person from seed, epoch and annotation id. It does not depend on the cache, nor on the number of cores. Of each
    epoch the people that fill no batch are left out: other people each time.

    Args:
        folder: as `cocoprep build` made it, on this machine or where TensorFlow reads (`gs://...`).
        config: batch size, seed, augmentation and the like.
        start_step: how many batches a resumed run has had. The stream goes on behind them.

    Raises:
        RecordError: the folder is incomplete or damaged; during iteration see `model.failures.readable_errors`.
        ConfigError: too few people for a batch.
    """
    source = RecordSource(folder, config)
    order = Order(len(source), _whole_batches(source, config) * config.batch_size, config.shuffle_records, config.seed)
    records = ReadAhead(source, order)
    augmenter = Augmenter(source.manifest, config.augment, config.seed)

    def read(step: np.int64) -> tuple[Any, np.int64]:
        batch = records.batch(int(step), config.batch_size)
        return np.array(batch, np.object_), step * config.batch_size // order.used

    def make(raw: tf.Tensor, epoch: tf.Tensor) -> People:
        raw = tf.ensure_shape(raw, [config.batch_size])
        return augmented_people(raw, epoch, augmenter, source.manifest)

    return (
        tf.data.Dataset.range(start_step, tf.int64.max)
        .map(lambda step: tf.numpy_function(read, [step], [tf.string, tf.int64]))
        .map(make, tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def eval_dataset(folder: str, config: ReadConfig) -> tf.data.Dataset:
    """Return every person of a folder once, in stored order and as stored: no subset, nobody augmented.

    The last batch is filled up with nobody: zeros whose `valid` is false. Raises as `train_dataset` does.
    """
    source = RecordSource(folder, dataclasses.replace(config, subset=1.0))
    nobody = nobodys_record(source.manifest)

    def read(batch: np.int64) -> Any:
        places = np.arange(len(source))[batch * config.batch_size :][: config.batch_size]
        return np.array(source.read(places) + [nobody] * (config.batch_size - len(places)), np.object_)

    def make(raw: tf.Tensor) -> People:
        return stored_people(tf.ensure_shape(raw, [config.batch_size]), source.manifest)

    return (
        tf.data.Dataset.range(-(-len(source) // config.batch_size))
        .map(lambda batch: tf.numpy_function(read, [batch], tf.string))
        .map(make, tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def _whole_batches(source: RecordSource, config: ReadConfig) -> int:
    steps = len(source) // config.batch_size
    if not steps:
        raise ConfigError(
            f"{source.folder}: expected at least one batch of {config.batch_size} people, found {len(source)}. Take a "
            "smaller batch_size, or a larger subset."
        )
    return steps
