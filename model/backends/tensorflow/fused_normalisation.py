"""Batch normalisation in one operation of TensorFlow, as a network trains: the same numbers in a fraction of the time.

Keras makes it of a dozen passes over the activations. oneDNN, and cuDNN on a GPU, take one forward, ReLU included, and
one backward.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from cocoprep.model.network.copy_weights import copy_weights


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras's layer, but for how it is computed in training; of images (B, h, w, C), channels last."""

    parts = 1  # of a batch, that come one after another

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise (B, h, w, C) by the batch's own statistics, and move the stored ones towards them."""
        if not training or not self.trainable:
            return super().call(inputs, training=training, mask=mask)
        nothing = tf.zeros([0])
        normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=tf.convert_to_tensor(self.gamma), offset=tf.convert_to_tensor(self.beta), mean=nothing,
            variance=nothing, epsilon=self.epsilon, is_training=True, data_format="NHWC",
        )  # fmt: skip
        # The operation divides by n - 1 for what is to be stored; Keras's layer, whose numbers these are, by n. All
        # parts of a batch together move what is stored as far as the whole one would, to first order.
        count = tf.cast(tf.size(inputs) / tf.shape(inputs)[-1], tf.float32)
        for stored, found in ((self.moving_mean, mean), (self.moving_variance, variance * (count - 1) / count)):
            stored.assign_sub((stored - found) * ((1 - self.momentum) / self.parts))
        return normalised


def fuse_normalisation(network: keras.Model, parts: int = 1) -> keras.Model:
    """Return a network of the same layers and weights, copied, whose batch normalisations are fused in training.

    Each of so many `parts` of a batch that it is called with in training is normalised by its own statistics.
    It computes what `network` does, to rounding, and its variables have the same paths in the same order. It is not to
    be saved as a whole: a file of it would ask for this class.
    """

    def fused(layer: Any) -> Any:
        if type(layer) is not keras.layers.BatchNormalization:
            return type(layer).from_config(layer.get_config())
        normalisation = FusedBatchNormalization.from_config(layer.get_config())
        normalisation.parts = parts
        return normalisation

    clone = keras.models.clone_model(network, clone_function=fused)
    copy_weights(network, clone)
    return clone
