"""The people whose picture follows a run."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cocoprep.model.input.batches import people_to_evaluate
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.run.folder import RunFolder
from cocoprep.model.training.watched import PEOPLE, Watched
from cocoprep.storage.local import LocalFiles


@pytest.fixture(scope="module")
def folder(people_folder):
    return str(people_folder(images=4, shards=2))


def watch(folder, config):
    return Watched(people_to_evaluate(folder, config), config)


def says_what_is_stored(batch):
    return None, np.asarray(batch["heatmaps"])[None] / np.float32(255)


def height(folder, batch_size: int) -> int:
    watched = watch(folder, ReadConfig(batch_size=batch_size))
    return watched.picture(says_what_is_stored, title="epoch 1").height


def test_the_first_few_of_a_batch_are_shown_and_nobody_who_fills_it_up(folder):
    one = height(folder, 1)
    row = height(folder, 2) - one
    assert row > 0
    assert height(folder, 3) == one + 2 * row
    assert height(folder, 20) == one + (PEOPLE - 1) * row  # of 8 people, and 12 nobodies


def test_everybody_is_validated_whatever_the_share_to_learn_from(folder):
    assert len(watch(folder, ReadConfig(batch_size=2, subset=0.5)).people) == 8


def test_each_epochs_picture_has_its_file(folder, tmp_path):
    watched = watch(folder, ReadConfig(batch_size=2))
    sheet = watched.picture(says_what_is_stored, title="epoch 12")
    for epoch in (0, 12):
        watched.save(sheet, RunFolder(str(tmp_path), LocalFiles()), epoch)
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["epoch-0000.png", "epoch-0012.png"]
    with Image.open(tmp_path / "pictures" / "epoch-0012.png") as saved:
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(sheet))
