"""From heatmaps to joints in the photograph."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.coco.results import CATEGORY_ID
from cocoprep.errors import CocoprepError
from cocoprep.model.predict.joints import joints_in_image, person_scores
from cocoprep.pose.affine import index_to_point
from cocoprep.shards.dataset import open_dataset


def test_stored_heatmaps_lead_back_to_the_labels(people_folder):
    dataset = open_dataset(people_folder(images=6, shards=2))
    people = list(dataset)
    heatmaps = np.stack([person["heatmaps"] for person in people]).astype(np.float32) / 255
    windows = np.stack([person["crop_window"] for person in people])
    found = joints_in_image(heatmaps, windows, dataset.manifest.crop)
    for n, person in enumerate(people):
        scale = person["crop_window"][2] / dataset.manifest.crop.input_size[1]
        labelled = (person["visibility"] > 0) & dataset_inside(person, dataset)
        truth = person["keypoints"] * scale + person["crop_window"][:2]
        assert np.abs(index_to_point(found.keypoints[n]) - truth)[labelled].max() < 0.1 * scale * 4
        assert (found.confidence[n][person["visibility"] == 0] == 0).all()


def dataset_inside(person, dataset):
    height, width = dataset.manifest.crop.input_size
    x, y = person["keypoints"].T
    return (x > 8) & (y > 8) & (x < width - 8) & (y < height - 8)


def test_by_hand():
    heatmaps = np.zeros((2, 4, 4, 2), np.float32)
    heatmaps[0, 1, 2, 0], heatmaps[0, 3, 3, 1] = 0.5, 1.0
    heatmaps[1] = -0.25
    crop = crop_of(input_size=(16, 16))
    found = joints_in_image(heatmaps, [[10, 20, 32, 64], [0, 0, 16, 16]], crop, decoder="argmax")
    # Heatmap pixel 2, 1 has its centre at 2.5, 1.5: at 10, 6 of the crop, at 20, 24 of the window, half a pixel less.
    np.testing.assert_allclose(found.keypoints[0], [[29.5, 43.5], [37.5, 75.5]])
    np.testing.assert_allclose(found.confidence, [[0.5, 1.0], [0.0, 0.0]])
    np.testing.assert_allclose(found.scores, [0.75, 0.0])
    assert CATEGORY_ID == 1


def crop_of(**settings):
    from cocoprep.pose.crop_config import CropConfig
    from cocoprep.shards.settings import crop_record

    return crop_record(CropConfig(**settings))


@pytest.mark.parametrize(
    ("confidence", "score"),
    [
        ([0.5, 1.0], 0.75),
        ([0.1, 1.0], 1.0),  # a joint that is not sure does not count
        ([0.2, 0.9], 0.9),
        ([0.1, 0.05], 0.075),  # unless none is
        ([0.0, 0.0], 0.0),
        ([1.2, 0.4], 0.8),
    ],
)
def test_scores_by_hand(confidence, score):
    np.testing.assert_allclose(person_scores(np.array([confidence])), [score])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_an_error(value):
    heatmaps = np.zeros((1, 4, 4, 2), np.float32)
    heatmaps[0, 2, 2, 1] = value
    with pytest.raises(CocoprepError, match="not finite"):
        joints_in_image(heatmaps, [[0, 0, 16, 16]], crop_of(input_size=(16, 16)))
