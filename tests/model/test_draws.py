from __future__ import annotations

import numpy as np

from cocoprep.model.draws import Purpose, draw_normal, draw_uniform, hash_keys


def test_hashes_do_not_change():
    # Another hash would be another augmentation of every run: SplitMix64's own first outputs for seeds 0 and 1.
    assert hash_keys(0).tolist() == [0xE220A8397B1DCDAF]
    assert hash_keys(Purpose.AUGMENT, 7, -3).tolist() == [hash_keys(Purpose.AUGMENT, 7, -3).item()]


def test_draws_do_not_depend_on_their_company():
    ids = np.arange(1000, 1100)
    together = draw_uniform(Purpose.AUGMENT, 5, ids[:, None], np.arange(4))
    alone = [draw_uniform(Purpose.AUGMENT, 5, number, np.arange(4)) for number in ids]
    np.testing.assert_array_equal(together, alone)


def test_draws_are_even_and_unrelated():
    # Consecutive seeds, epochs, ids and columns: every pair of neighbours has to look independent.
    drawn = draw_uniform(
        Purpose.AUGMENT, np.arange(8)[:, None, None, None], np.arange(8)[:, None, None], np.arange(500)[:, None],
        np.arange(4),
    )  # fmt: skip
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts, _ = np.histogram(drawn, bins=20, range=(0, 1))
    assert np.abs(counts / drawn.size * 20 - 1).max() < 0.03
    for axis in range(4):
        one, other = np.moveaxis(drawn, axis, 0)[:-1].ravel(), np.moveaxis(drawn, axis, 0)[1:].ravel()
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.01


def test_normal_numbers():
    drawn = draw_normal(Purpose.NOISE, 0, 200_000)
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1) < 0.01
    assert abs((np.abs(drawn) < 1).mean() - 0.6827) < 0.005
