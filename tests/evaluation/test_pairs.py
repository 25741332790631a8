from __future__ import annotations

import numpy as np
import pytest

from cocoprep.evaluation import pairs
from cocoprep.evaluation.pairs import pairs_of


def joined(keys, among):
    pieces = list(pairs_of(np.array(keys, np.int64), np.array(among, np.int64)))
    return [tuple(pair) for left, right in pieces for pair in zip(left.tolist(), right.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("keys", "among", "expected"),
    [
        ([7], [7], [(0, 0)]),
        ([7], [8], []),
        ([], [7], []),
        ([7], [], []),
        ([2, 1, 2], [1, 2, 2, 3], [(0, 1), (0, 2), (1, 0), (2, 1), (2, 2)]),
    ],
)
def test_pairs_by_hand(keys, among, expected):
    assert joined(keys, among) == expected


@pytest.mark.parametrize("most", [1, 2, 5, 1000])
def test_pieces_hold_every_pair_once_and_split_no_key(monkeypatch, most):
    rng = np.random.default_rng(0)
    keys, among = rng.integers(0, 9, 40), rng.integers(0, 9, 50)
    monkeypatch.setattr(pairs, "MOST_PAIRS", most)
    pieces = [left for left, _ in pairs_of(keys, among)]
    owners = [set(left.tolist()) for left in pieces]
    assert sum(map(len, owners)) == len(set().union(*owners))
    assert joined(keys, among) == [(a, b) for a in range(40) for b in range(50) if keys[a] == among[b]]
