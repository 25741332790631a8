"""Every person of a built folder, predicted once."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.builder.config import SelectConfig
from cocoprep.errors import ConfigError, RecordError
from cocoprep.model.predict.folder import predict_folder
from cocoprep.model.predict.predictor import open_predictor
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import decode_heatmaps
from cocoprep.shards.dataset import open_dataset
from tests.support.building import build_folder
from tests.support.people import write_people
from tests.support.reading import copy_folder
from tests.support.runs import write_run


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(images=5, shards=2)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    return str(write_run(tmp_path_factory.mktemp("runs") / "run", data))


@pytest.fixture(scope="module")
def predictor(run):
    return open_predictor(run)


def test_everybody_once_in_stored_order(data, predictor):
    dataset, seen = open_dataset(data), []
    found, kept = predict_folder(
        predictor, str(data), batch_size=4, on_people=lambda done, total: seen.append((done, total))
    )
    assert kept == []
    assert seen == [(0, 10), (4, 10), (8, 10), (10, 10)]
    people = list(dataset)
    assert found.annotation_ids.tolist() == [person["annotation_id"] for person in people]
    assert found.image_ids.tolist() == [person["image_id"] for person in people]
    # By hand, one person after another.
    for n, person in enumerate(people):
        maps = predictor.heatmaps(dataset.canonical(person["image"])[None])[-1, 0]
        points, peaks = decode_heatmaps(maps)
        x0, y0, width, height = person["crop_window"]
        by_hand = points * 4 / [48, 64] * [width, height] + [x0, y0] - 0.5
        np.testing.assert_allclose(found.keypoints[n], by_hand, atol=0.01)
        np.testing.assert_allclose(found.confidence[n], np.maximum(peaks, 0), atol=1e-5)
        np.testing.assert_allclose(found.scores[n], peaks[peaks > 0.2].mean(), atol=1e-5)


def test_batches_larger_than_the_folder(data, predictor):
    found, _ = predict_folder(predictor, str(data), batch_size=64)
    assert len(found) == 10


def test_heatmaps_of_chosen_people_are_kept(data, predictor):
    dataset = open_dataset(data)
    wanted = [dataset.annotation_ids[6], dataset.annotation_ids[1], 999999]
    _, kept = predict_folder(predictor, str(data), batch_size=4, keep_maps=wanted)
    assert [one.annotation_id for one in kept] == [wanted[1], wanted[0]]
    for one in kept:
        person = dataset.person(one.annotation_id)
        assert one.heatmaps.shape == (2, 16, 12, 17)
        assert one.heatmaps.base is None  # nor does it hold its batch
        np.testing.assert_array_equal(one.crop, dataset.canonical(person["image"]))
        np.testing.assert_array_equal(one.truth, person["heatmaps"])
        np.testing.assert_allclose(one.heatmaps, predictor.heatmaps(one.crop[None])[:, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("crop", "said"),
    [
        ({"input_size": (64, 64)}, r"input size .* \(64, 64\), that of the run's training data \(64, 48\)"),
        ({"heatmap_stride": 2}, "heatmap stride .* is 2"),
        ({"sigma_px": 1.5}, "sigma .* is 1.5"),
        ({"bbox_scale": 1.1}, "box scale .* is 1.1"),
    ],
)
def test_a_folder_of_another_geometry_is_refused(predictor, tmp_path, crop, said):
    annotations, photographs = write_people(tmp_path / "coco", images=2)
    build_folder(
        tmp_path / "out", annotations=annotations, images=photographs,
        crop=CropConfig(**{"input_size": (64, 48), **crop}), select=SelectConfig(shards=1),
    )  # fmt: skip
    with pytest.raises(ConfigError, match=said):
        predict_folder(predictor, str(tmp_path / "out"))


def test_damage_is_told(data, predictor, tmp_path):
    folder = copy_folder(data, tmp_path / "damaged")
    shard = next(path for path in sorted(folder.iterdir()) if ".tfrecord" in path.name and path.suffix != ".json")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(bytes(content))
    with pytest.raises(RecordError, match="annotation"):
        predict_folder(predictor, str(folder))
