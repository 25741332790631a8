"""The order of people some of whom are seen more often than others."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.model.input.order import BLOCK_RECORDS, Order
from cocoprep.model.input.weighted_order import WeightedOrder

WEIGHTS = {
    "fractions": np.repeat([1.0, 0.3, 2.5], [400, 300, 50]),
    "twice": np.full(300, 2.0),
    "fewer": np.full(1000, 0.1),
    "none of some": np.repeat([0.0, 1.0], [500, 200]),
    "each its own": np.linspace(0.01, 3, 517),
}


def epoch_of(order, epoch):
    return np.concatenate([order.group(epoch, n) for n in range(order.groups)])


def counts_of(order, epoch):
    return np.bincount(epoch_of(order, epoch) % order.people, minlength=order.people)


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("group_records", [1, 256, 4096])
def test_every_turn_is_there_once_and_found(name, group_records):
    order = WeightedOrder(WEIGHTS[name], 8, group_records, seed=3)
    assert order.used == int(WEIGHTS[name].sum() + 1e-9) // 8 * 8
    for epoch in (0, 5):
        turns = epoch_of(order, epoch)
        assert len(turns) == len(set(turns.tolist())) == order.used
        assert max(len(order.group(epoch, n)) for n in range(order.groups)) <= max(group_records, BLOCK_RECORDS)
        for record in {0, 1, order.used // 3, order.used - 1}:
            counter, number = order.find(epoch * order.used + record)
            at, index = divmod(counter, order.groups)
            assert at == epoch
            assert order.group(at, index)[number] == turns[record]


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_person_is_seen_as_often_as_the_weight_says(name):
    """Whole numbers in every epoch, the rest over many of them; a batch of 1 leaves at most one person out."""
    weights, epochs = WEIGHTS[name], 400
    order = WeightedOrder(weights, 1, 4096, seed=0)
    counts = np.array([counts_of(order, epoch) for epoch in range(epochs)])
    assert ((counts == np.floor(weights)) | (counts == np.floor(weights) + 1)).mean() > 0.998
    error = (counts.mean(axis=0) - weights) / np.sqrt(np.maximum(weights % 1 * (1 - weights % 1), 1e-3) / epochs)
    assert np.abs(error).max() < 5
    assert abs(counts.sum(axis=1).mean() - weights.sum()) < 1


def test_other_people_are_left_out_each_epoch_and_by_each_seed():
    weights = np.full(200, 0.5)
    first, second = (np.flatnonzero(counts_of(WeightedOrder(weights, 1, 4096, 0), epoch)) for epoch in (0, 1))
    other = np.flatnonzero(counts_of(WeightedOrder(weights, 1, 4096, 1), 0))
    assert len(first) == len(second) == 100
    for one in (second, other):
        assert 30 < len(np.intersect1d(first, one)) < 70


def test_the_turns_of_a_person_lie_apart():
    order = WeightedOrder(np.full(20_000, 2.0), 1, 1024, seed=0)
    turns = epoch_of(order, 0)
    at = np.empty(40_000, np.int64)
    at[turns] = np.arange(40_000)
    apart = np.abs(at[:20_000] - at[20_000:])
    assert np.median(apart) > 5_000


def test_it_is_what_the_plain_order_is_where_all_are_seen_once():
    order, plain = WeightedOrder(np.ones(500), 8, 256, 7), Order(500, 496, 256, 7)
    assert order.used == plain.used
    for epoch in (0, 3):
        np.testing.assert_array_equal(epoch_of(order, epoch), epoch_of(plain, epoch))


def test_a_weight_that_no_epoch_holds_whole():
    """One person of 0.3, beside others: seen in three epochs of ten, though no epoch has room for a whole one."""
    order = WeightedOrder(np.array([0.3, *[1.0] * 9]), 1, 4096, 0)
    assert order.used == 9
    seen = np.array([counts_of(order, epoch) for epoch in range(3000)])
    assert seen[:, 0].mean() == pytest.approx(0.3 * 0.9, abs=0.04)  # of ten people nine are taken
