"""The search among all pairs: what it finds is what comparing each with each finds."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cocoprep.inspection import candidates
from cocoprep.inspection.candidates import BEST, LEAST_ALIKE, MOST_BITS, correlate, find_candidates
from cocoprep.inspection.fingerprints import SIDE, is_flat
from cocoprep.inspection.hashes import hash_thumbnails


def smooth(rng, count):
    """Return thumbnails as of photographs: little that is small."""
    coarse = rng.integers(0, 256, (count, 6, 6), np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for one in coarse])


def noisy(rng, thumbnails, sigma=6):
    return np.clip(thumbnails + rng.normal(0, sigma, thumbnails.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def thumbnails():
    rng = np.random.default_rng(0)
    some = smooth(rng, 120)
    return np.concatenate([some, noisy(rng, some[:40]), noisy(rng, some[30:60, :, ::-1])])


def found_by_hand(thumbnails, homes, across):
    found, count = {}, len(thumbnails)
    for mirrored in (False, True):
        hashes = [hash_thumbnails(thumbnails), hash_thumbnails(thumbnails, mirrored=mirrored)]
        others = thumbnails[:, :, ::-1] if mirrored else thumbnails
        correlation = np.corrcoef(thumbnails.reshape(count, -1), others.reshape(count, -1))[:count, count:]
        for later in range(len(thumbnails)):
            for earlier in range(later):
                bits = int(hashes[0][later] ^ hashes[1][earlier]).bit_count()
                alike = correlation[later, earlier]
                if bits <= MOST_BITS and alike >= LEAST_ALIKE and not (across and homes[later] == homes[earlier]):
                    found.setdefault((later, homes[earlier]), []).append((-alike, earlier, mirrored, bits))
    return {
        (later, earlier, mirrored, bits)
        for (later, _), some in found.items()
        for _, earlier, mirrored, bits in sorted(some)[:BEST]
    }


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("rows", [7, 256])
def test_the_pairs_are_those_of_a_comparison_of_all(thumbnails, across, rows, monkeypatch):
    monkeypatch.setattr(candidates, "_ROWS", rows)
    monkeypatch.setattr(candidates, "_COLUMNS", 4 * rows)
    homes = np.repeat([0, 1, 2], [60, 80, 50])
    told = []
    found = find_candidates(
        thumbnails, homes, across=across, workers=2, on_rows=lambda done, total: told.append((done, total))
    )
    lines = zip(found.later.tolist(), found.earlier.tolist(), found.mirrored.tolist(), found.bits.tolist(), strict=True)
    assert set(lines) == found_by_hand(thumbnails, homes, across)
    assert len(found) >= 50
    assert (np.diff(found.later) >= 0).all()
    assert told[0] == (0, 190)
    assert told[-1] == (190, 190)


def test_of_many_that_are_alike_the_best_are_taken():
    rng = np.random.default_rng(1)
    thumbnails = noisy(rng, np.repeat(smooth(rng, 1), 300, axis=0))
    found = find_candidates(thumbnails, np.zeros(300, np.int64))
    assert np.bincount(found.later).max() == BEST
    last = found.take(found.later == 299)
    alike = correlate(np.repeat(thumbnails[299:], 299, axis=0), thumbnails[:299])
    assert set(last.earlier.tolist()) == set(np.argsort(-alike)[:BEST].tolist())


@pytest.mark.parametrize("count", [0, 1])
def test_of_one_photograph_there_are_no_pairs(count):
    thumbnails = np.zeros((count, SIDE, SIDE), np.uint8)
    assert len(find_candidates(thumbnails, np.zeros(count, np.int64))) == 0


def test_a_hash_in_a_mirror_is_that_of_the_mirrored_picture(thumbnails):
    assert (hash_thumbnails(thumbnails, mirrored=True) == hash_thumbnails(thumbnails[:, :, ::-1])).all()
    assert hash_thumbnails(thumbnails).dtype == np.uint64


def test_a_hash_hangs_upon_neither_brightness_nor_contrast():
    rng = np.random.default_rng(2)
    thumbnails = smooth(rng, 50) // 2
    bits = np.bitwise_count(hash_thumbnails(thumbnails) ^ hash_thumbnails(thumbnails * 2 + 1))
    assert bits.max() <= 2


def test_what_is_flat():
    grey = np.full((3, SIDE, SIDE), 90, np.uint8)
    grey[1, ::2] += 2
    grey[2, ::2] += 20
    assert is_flat(grey).tolist() == [True, True, False]
    assert correlate(grey, grey).round(5).tolist() == [0, 1, 1]
