"""The guess of several folders, put together."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.evaluation.baseline import read_baseline
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.mixture import open_mixture
from cocoprep.model.network.config import LossConfig
from cocoprep.model.training.guess import read_guess
from cocoprep.model.training.metrics import Guess
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.support.sourced import deal_to_sources

FILES = LocalFiles()
MASK, BACKGROUND = LossConfig(), LossConfig(unlabelled="background")


@pytest.fixture(scope="module")
def folders(people_folder):
    return [str(people_folder(size=(32, 32), shards=2, images=n, seed=seed)) for n, seed in ((10, 0), (6, 5))]


def people_of(folder):
    return list(open_dataset(folder))


@pytest.mark.parametrize("loss", [MASK, BACKGROUND])
def test_one_folder_has_its_own(folders, loss):
    baseline = read_baseline(folders[0], read_manifest(folders[0], FILES), FILES)
    found, expected = read_guess(open_mixture(folders[0], ReadConfig()), loss, FILES), Guess.for_loss(baseline, loss)
    np.testing.assert_array_equal(found.heatmaps, expected.heatmaps)
    np.testing.assert_array_equal(found.points, expected.points)


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_several_folders_have_that_of_all_their_people_as_often_as_they_are_seen(folders, weight):
    mixture = open_mixture(folders, ReadConfig(weights={folders[1]: weight}))
    turns = [(person, w) for folder, w in zip(folders, (1.0, weight), strict=True) for person in people_of(folder)]
    labelled = sum(w * (person["visibility"] > 0) for person, w in turns)
    maps = sum(w * person["heatmaps"] / 255.0 * (person["visibility"] > 0) for person, w in turns)
    masked = read_guess(mixture, MASK, FILES)
    np.testing.assert_allclose(masked.heatmaps, maps / np.maximum(labelled, 1), atol=1e-5)
    row, column = np.unravel_index(masked.heatmaps[..., 5].argmax(), (8, 8))
    assert masked.points[5].tolist() == [column * 4 + 2, row * 4 + 2]
    thinned = read_guess(mixture, BACKGROUND, FILES)
    np.testing.assert_allclose(thinned.heatmaps, maps / sum(w for _, w in turns), atol=1e-5)


def test_absence_is_guessed_of_those_whose_source_labels_the_joint(folders, tmp_path):
    """Half the people are of a source that labels the nose alone: they do not thin out the others' joints."""
    names = open_dataset(folders[0]).manifest.keypoints.names
    dealt = deal_to_sources(folders[0], tmp_path / "dealt", {"all": None, "noses": ("nose",)}, lambda n: n % 2)
    mixture = open_mixture(str(dealt), ReadConfig())
    baseline = read_baseline(folders[0], read_manifest(folders[0], FILES), FILES)  # the copy has it as it was
    share = read_guess(mixture, BACKGROUND, FILES).heatmaps.max(axis=(0, 1)) / baseline.mean_heatmaps.max(axis=(0, 1))
    labelled, even = baseline.labelled, sum(person["annotation_id"] % 2 == 0 for person in people_of(folders[0]))
    for k, name in enumerate(names):
        assert share[k] == pytest.approx(min(1, labelled[k] / (20 if name == "nose" else even)), rel=1e-4)
