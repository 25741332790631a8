"""The moving average of weights, against the sum worked by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cocoprep.model.training.weight_average import WeightAverage
from tests.support.averages import move_average


@pytest.fixture
def network():
    layers = [keras.Input((2,)), keras.layers.Dense(1, use_bias=False), keras.layers.BatchNormalization()]
    return keras.Sequential(layers)


def test_it_follows_closely_at_first_and_slowly_later(network):
    weight = network.trainable_variables[0]
    average, expected = WeightAverage(network, 0.5), weight.numpy()
    for step in range(1, 20):
        weight.assign(np.full(weight.shape, float(step)))
        move_average(average, step)
        keep = min(0.5, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * step
    np.testing.assert_allclose(average.variables[0], expected, rtol=1e-6)


def test_the_statistics_of_batch_normalisation_are_averaged_too(network):
    average = WeightAverage(network, 0.9)
    assert len(average.variables) == len(network.variables) == 5
    own = [variable.numpy() for variable in network.variables]
    for variable in network.variables:
        variable.assign(variable + 1.0)
    move_average(average, 10**6)
    with average.in_place():
        for now, before in zip(network.variables, own, strict=True):
            np.testing.assert_allclose(now, before + 0.1, rtol=1e-5, atol=1e-6)
    for now, before in zip(network.variables, own, strict=True):
        np.testing.assert_array_equal(now, before + 1.0)


def test_what_is_frozen_is_left_out_and_stays_to_the_bit(network):
    network.layers[-1].trainable = False
    average = WeightAverage(network, 0.9)
    assert len(average.variables) == 1  # the kernel before the normalisation
    statistics = network.layers[-1].variables
    for number, variable in enumerate(statistics):
        variable.assign(variable + 0.1 * (number + 1))
    own = [variable.numpy() for variable in statistics]
    for step in range(1, 50):
        move_average(average, step)
    with average.in_place():
        for now, before in zip(statistics, own, strict=True):
            np.testing.assert_array_equal(now, before)


def test_without_a_decay_there_is_none(network):
    average = WeightAverage(network, 0.0)
    assert average.variables == []
    with average.in_place():
        pass
