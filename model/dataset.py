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
from model.batch import People, add_units, augment, draw_heatmaps
from model.features import parse_canonical, parse_heatmaps, parse_stored
from model.order import Order
from model.read_config import ReadConfig
from model.records import RecordSource

EVAL_READ = 256  # records read at once
READ_AHEAD = 2  # groups of records read at the same time
AUTOTUNE = tf.data.AUTOTUNE


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
    used = _whole_batches(source, config) * config.batch_size
    crop = source.manifest.crop
    order = Order(len(source), used, config.shuffle_records, config.seed)
    first_group, ahead = order.find(start_step * config.batch_size)
    augmenter = Augmenter(source.manifest, config.augment, config.seed)
    parse = parse_stored if config.augment.changes else parse_canonical

    def read_group(counter: np.int64) -> tuple[Any, Any]:
        epoch, index = divmod(int(counter), order.groups)
        places = order.group(epoch, index)
        return np.array(source.read(places), np.object_), np.full(len(places), epoch)

    def finish(people: People, epochs: tf.Tensor) -> People:
        if not config.augment.changes:
            # The stored heatmaps are just these, and cost three times as much to unpack.
            return add_units(draw_heatmaps(people, crop), crop)
        varied, zoom = augment(people, epochs, augmenter)
        return add_units(varied, crop, zoom)

    return (
        tf.data.Dataset.range(first_group, tf.int64.max)
        # Groups of raw records, in this epoch's order.
        .map(lambda counter: tf.numpy_function(read_group, [counter], (tf.string, tf.int64)), READ_AHEAD)
        .flat_map(_slices)
        # Raw records that a resumed run has had: at most one group is read in vain.
        .skip(ahead)
        .map(lambda record, epoch: (parse(record, source.manifest), epoch), AUTOTUNE)
        .batch(config.batch_size, drop_remainder=True)
        .map(finish, AUTOTUNE)
        .prefetch(AUTOTUNE)
    )


def eval_dataset(folder: str, config: ReadConfig) -> tf.data.Dataset:
    """Return every person of a folder once, in stored order and as stored: no subset, nobody augmented.

    The last batch is filled up with zeros whose `valid` is false. Raises as `train_dataset` does.
    """
    source = RecordSource(folder, dataclasses.replace(config, subset=1.0))

    def read_some(first: np.int64) -> Any:
        return np.array(source.read(np.arange(len(source))[first : first + EVAL_READ]), np.object_)

    def parse(record: tf.Tensor) -> People:
        heatmaps = parse_heatmaps(record, source.manifest)
        return parse_canonical(record, source.manifest) | {"heatmaps": heatmaps, "valid": True}

    people = (
        tf.data.Dataset.range(0, len(source), EVAL_READ)
        .map(lambda first: tf.numpy_function(read_some, [first], tf.string), READ_AHEAD)
        .flat_map(_slices)
        .map(parse, AUTOTUNE)
    )
    batches = -(-len(source) // config.batch_size)
    nobody = tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), people.element_spec)
    filling = tf.data.Dataset.from_tensors(nobody).repeat(batches * config.batch_size - len(source))
    return (
        people.concatenate(filling)
        .batch(config.batch_size, drop_remainder=True)
        .map(lambda people: add_units(people, source.manifest.crop), AUTOTUNE)
        .apply(tf.data.experimental.assert_cardinality(batches))
        .prefetch(AUTOTUNE)
    )


def _slices(records: tf.Tensor, *others: tf.Tensor) -> tf.data.Dataset:
    """Return the elements of tensors (n, ...) that came without a shape."""
    known = tuple(tf.ensure_shape(tensor, [None]) for tensor in (records, *others))
    return tf.data.Dataset.from_tensor_slices(known if others else known[0])


def _whole_batches(source: RecordSource, config: ReadConfig) -> int:
    steps = len(source) // config.batch_size
    if not steps:
        raise ConfigError(
            f"{source.folder}: expected at least one batch of {config.batch_size} people, found {len(source)}. Take a "
            "smaller batch_size, or a larger subset."
        )
    return steps
