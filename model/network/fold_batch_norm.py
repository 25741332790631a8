"""Batch normalisation folded into the convolutions before it: the same heatmaps in less time.

Once a network only predicts, normalising a convolution's output is a scale and a shift of each channel, which kernel
and bias can hold. Two thirds of an hourglass's normalisations follow a convolution; those that follow a sum stay.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.SeparableConv2D)


def fold_normalisation(network: keras.Model) -> keras.Model:
    """Return a network with weights of its own that predicts the same as `network`, to rounding; it cannot be trained.

    Layers that compute in 16 bits are left as they are: their kernels would be rounded anew.
    """
    folds = {layer.name: source for layer in network.layers if (source := _convolution_before(layer)) is not None}

    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        return inputs[0] if layer.name in folds else layer(*inputs, **options)

    folded = keras.models.clone_model(network, call_function=call)
    for layer in (layer for layer in folded.layers if layer.weights):
        layer.set_weights(network.get_layer(layer.name).get_weights())
    for name, convolution in folds.items():
        normalisation = network.get_layer(name)
        gamma, beta, mean, variance = (weight.astype(np.float64) for weight in normalisation.get_weights())
        scale = gamma / np.sqrt(variance + normalisation.epsilon)
        *first, kernel, bias = convolution.get_weights()
        weights = [*first, kernel * scale, (bias - mean) * scale + beta]
        folded.get_layer(convolution.name).set_weights([weight.astype(np.float32) for weight in weights])
    folded.trainable = False
    return folded


def _convolution_before(layer: Any) -> Any | None:
    """Return the convolution that a normalisation can be folded into; None for any other layer."""
    if not isinstance(layer, keras.layers.BatchNormalization) or not (layer.scale and layer.center):
        return None
    source, *_ = layer.input._keras_history
    used_once = isinstance(source, CONVOLUTIONS) and len(source._outbound_nodes) == 1
    plain = used_once and source.use_bias and source.activation is keras.activations.linear
    return source if plain and source.compute_dtype == "float32" else None
