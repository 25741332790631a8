"""A network without the normalisations that its convolutions can hold."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cocoprep.model.network.fold_batch_norm import fold_normalisation
from cocoprep.model.network.hourglass import build_hourglass
from tests.support.runs import draw_weights

IMAGES = np.random.default_rng(3).normal(size=(2, 32, 32, 3)).astype(np.float32)


def normalisations(network) -> list[str]:
    return [layer.name for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]


@pytest.mark.parametrize("stacks", [1, 2])
@pytest.mark.parametrize("convolution", ["standard", "separable"])
def test_it_predicts_the_same(stacks, convolution):
    network = build_hourglass(
        stacks=stacks, channels=8, depth=1, joints=5, input_size=(32, 32), convolution=convolution
    )  # fmt: skip
    draw_weights(network)
    folded = fold_normalisation(network)
    assert 0 < len(normalisations(folded)) < len(normalisations(network)) / 2
    assert all(name.endswith("bn1") for name in normalisations(folded))  # those behind a sum
    expected, found = (keras.tree.flatten(one(IMAGES, training=False)) for one in (network, folded))
    assert len(found) == stacks
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_network_itself_stays(tmp_path):
    network = build_hourglass(stacks=1, channels=8, depth=1, joints=5, input_size=(32, 32))
    draw_weights(network)
    before = network.get_weights()
    folded = fold_normalisation(network)
    folded.set_weights([np.zeros_like(weight) for weight in folded.get_weights()])
    for now, then in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_what_cannot_be_folded_stays():
    """A convolution with an activation, or one that something else looks at too, or one that computes in 16 bits."""
    image = keras.Input((32, 32, 3))
    a = keras.layers.Conv2D(4, 1, name="a")(image)
    b = keras.layers.Conv2D(4, 1, activation="relu", name="b")(a)
    c = keras.layers.Conv2D(4, 1, dtype="mixed_bfloat16", name="c")(a)
    named = {name: keras.layers.BatchNormalization(name=f"{name}_bn") for name in "abc"}
    outputs = [named[name](x) for name, x in (("a", a), ("b", b), ("c", c))]
    network = keras.Model(image, outputs)
    assert normalisations(fold_normalisation(network)) == normalisations(network)
