"""People to a batch: what is added to what was stored, and what fills the last one up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cocoprep.errors import RecordError
from cocoprep.model.augment.augmenter import Augmenter
from cocoprep.model.augment.config import STRENGTHS
from cocoprep.model.input.batch import augmented_batch, batch_spec, stored_batch
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.records import RecordSource
from cocoprep.shards.dataset import open_dataset


@pytest.fixture(scope="module")
def folder(people_folder):
    return people_folder(images=4, shards=1)


@pytest.fixture(scope="module")
def source(folder):
    return RecordSource(str(folder), ReadConfig())


@pytest.fixture(scope="module")
def people(source):
    return source.read(np.arange(3))


def form_of(batch):
    return {name: (array.shape, array.dtype) for name, array in batch.items()}


@pytest.mark.parametrize("batch_size", [3, 5])
def test_a_batch_has_the_form_that_is_promised(source, people, batch_size):
    promised = {
        name: (shape, np.dtype(kind)) for name, (shape, kind) in batch_spec(source.manifest, batch_size).items()
    }
    assert form_of(stored_batch(people, batch_size, source.manifest)) == promised
    augmenter = Augmenter(source.manifest, STRENGTHS["medium"], 0)
    three = {name: (shape, np.dtype(kind)) for name, (shape, kind) in batch_spec(source.manifest, 3).items()}
    assert form_of(augmented_batch(people, 0, augmenter)) == three


def test_stored_people_are_as_the_folder_has_them(folder, source, people):
    batch, dataset = stored_batch(people, 3, source.manifest), open_dataset(folder)
    assert batch["valid"].all()
    for n, one in enumerate(people):
        expected = dataset.person(one.annotation_id)
        for name in ("annotation_id", "image_id", "keypoints", "visibility", "heatmaps", "bbox", "crop_window", "area"):
            np.testing.assert_array_equal(batch[name][n], expected[name], err_msg=name)
        np.testing.assert_array_equal(batch["image"][n], dataset.canonical(expected["image"]))
        side = max(expected["bbox"][2:]) * 48 / expected["crop_window"][2]
        assert batch["box_side"][n] == pytest.approx(side, rel=1e-6)


def test_what_fills_a_batch_up_is_nobody(source, people):
    whole, filled = stored_batch(people, 3, source.manifest), stored_batch(people, 7, source.manifest)
    assert filled["valid"].tolist() == [True] * 3 + [False] * 4
    for name, array in filled.items():
        np.testing.assert_array_equal(array[:3], whole[name], err_msg=name)
        assert not array[3:].any(), name


@pytest.mark.parametrize(
    ("point", "visibility", "weight"),
    [((20, 30), 2, 1), ((20, 30), 1, 1), ((20, 30), 0, 0), ((-0.1, 30), 2, 0), ((48, 30), 2, 0), ((20, 64), 1, 0)],
)
def test_a_joint_counts_where_it_is_labelled_and_within_the_picture(source, people, point, visibility, weight):
    keypoints, seen = people[0].keypoints.copy(), people[0].visibility.copy()
    keypoints[4], seen[4] = point, visibility
    one = replace(people[0], keypoints=keypoints, visibility=seen)
    assert stored_batch([one], 1, source.manifest)["weights"][0, 4] == weight


def test_an_augmented_persons_box_is_scaled_with_it(source, people):
    augmenter = Augmenter(source.manifest, STRENGTHS["medium"], 0)
    zoom = augmenter.draw(np.array([p.annotation_id for p in people]), np.full(3, 5)).zoom
    stored, varied = stored_batch(people, 3, source.manifest), augmented_batch(people, 5, augmenter)
    assert np.ptp(zoom) > 0
    np.testing.assert_allclose(varied["box_side"], stored["box_side"] / zoom, rtol=1e-5)


@pytest.mark.parametrize("damage", [{"jpeg": b"no picture"}, {"packed_heatmaps": b"no maps"}])
def test_a_damaged_person_is_named_with_the_cure(source, people, damage):
    bad = [people[0], replace(people[1], **damage)]
    says = rf"^annotation {people[1].annotation_id}: feature .*Build the folder again.*--on-bad-record skip"
    with pytest.raises(RecordError, match=says):
        stored_batch(bad, 2, source.manifest)
