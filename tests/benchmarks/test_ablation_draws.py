"""What a training shows: against the batches that `cocoprep train` has with the same seed."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from benchmarks.ablation_draws import HALF_WINDOW, SMALLEST_WINDOW, draw_training, half_bodies
from benchmarks.ablation_people import pack, read_people
from benchmarks.ablation_variants import Variant
from cocoprep.errors import ConfigError
from cocoprep.model.input.batches import train_batches
from cocoprep.model.input.config import ReadConfig
from cocoprep.pose import affine

SMALL = {"input_size": 64, "depth": 2, "batch_size": 4}


def draw(people, *, epochs=2.5, seed=3, **changes):
    return draw_training(Variant(**{**SMALL, **changes}), people, np.arange(len(people)), epochs=epochs, seed=seed)


def test_it_shows_what_training_shows(sample):
    people = sample.people["train"]
    variant = Variant(**SMALL, augment="medium")
    drawn = draw(people, augment="medium")
    assert drawn.steps_an_epoch == len(people) // 4 > 1
    assert len(drawn.places) == round(2.5 * drawn.steps_an_epoch)
    config = ReadConfig(batch_size=4, seed=3, augment=variant.augmentation)
    for step, batch in enumerate(islice(train_batches(str(sample.train), config), len(drawn.places))):
        np.testing.assert_array_equal(people.annotation_ids[drawn.places[step]], batch["annotation_id"])
        np.testing.assert_allclose(drawn.points[step], batch["keypoints"], atol=1e-4)
        np.testing.assert_array_equal(drawn.labelled[step], batch["visibility"] > 0)
        np.testing.assert_array_equal(drawn.weights[step], batch["weights"])


def test_a_smaller_input_shows_the_same_smaller(sample):
    large, small = (draw(sample.people["train"], input_size=size) for size in (64, 32))
    np.testing.assert_allclose(small.points, large.points / 2, atol=1e-4)
    np.testing.assert_allclose(small.to_canonical[..., :2], large.to_canonical[..., :2], atol=1e-6)
    np.testing.assert_allclose(small.to_canonical[..., 2], large.to_canonical[..., 2] / 2, atol=1e-4)


def test_half_a_person_fills_the_picture(sample):
    people = sample.people["train"]
    labelled = people.visibility > 0
    drawn = np.random.default_rng(0).uniform(size=(len(people), 2))
    maps = half_bodies(people.keypoints, labelled, people.table, people.crop, share=0.7, drawn=drawn)
    changed = ~np.isclose(maps[:, 0, 0], 1)
    assert 0 < changed.sum() < len(people)
    assert not changed[drawn[:, 0] >= 0.7].any()
    np.testing.assert_array_equal(
        maps[drawn[:, 0] >= 0.7], np.broadcast_to(np.eye(2, 3), maps.shape)[drawn[:, 0] >= 0.7]
    )
    is_lower = np.array(["hip" in n or "knee" in n or "ankle" in n for n in people.table.names])
    points = affine.apply_affine(people.keypoints, affine.invert_affine(maps))
    for n in np.flatnonzero(changed):
        half = points[n, labelled[n] & (is_lower if drawn[n, 1] >= 0.5 else ~is_lower)]
        assert len(half) >= 4
        assert affine.inside(half, people.crop.input_size).all()
        np.testing.assert_allclose((half.max(axis=0) + half.min(axis=0)) / 2, 32, atol=1e-3)
        if maps[n, 0, 0] > SMALLEST_WINDOW:
            assert np.ptp(half, axis=0).max() == pytest.approx(64 / HALF_WINDOW, rel=1e-3)


def test_half_bodies_come_on_top_of_what_else_is_drawn(sample):
    people = sample.people["train"]
    as_ever, halves = draw(people), draw(people, half_body=1.0)
    np.testing.assert_array_equal(as_ever.colours, halves.colours)
    narrower = np.linalg.det(halves.to_canonical[..., :2]) / np.linalg.det(as_ever.to_canonical[..., :2])
    assert (narrower < 1 + 1e-4).all()
    assert (narrower < 0.9).any()


def test_too_few_people_are_told(sample):
    with pytest.raises(ConfigError, match="batch_size"):
        draw(sample.people["score"], batch_size=1000)


def test_a_packed_file_holds_the_same_people(sample, tmp_path):
    pack(sample.people, tmp_path / "people.npz")
    people = read_people([str(tmp_path / "people.npz")])
    for part, own in sample.people.items():
        for name, value in vars(own).items():
            np.testing.assert_array_equal(getattr(people[part], name), value)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 and no more", b"text"])
def test_a_file_that_is_none_is_told(tmp_path, content):
    (tmp_path / "people.npz").write_bytes(content)
    with pytest.raises(ConfigError, match=r"people\.npz: expected two built folders"):
        read_people([str(tmp_path / "people.npz")])
    with pytest.raises(ConfigError, match="--pack"):
        read_people([str(tmp_path)])
