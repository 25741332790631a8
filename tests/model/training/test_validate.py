"""Validation of a network whose answers are known: it says what was stored."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.coco.results import CATEGORY_ID
from cocoprep.model.input.batches import evaluation_batches, evaluation_maker, people_to_evaluate
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.network.config import LossConfig
from cocoprep.model.training.metrics import Guess, Measure
from cocoprep.model.training.validate import batch_results, measure_oks, validate
from cocoprep.shards.dataset import open_dataset
from cocoprep.storage.local import LocalFiles

CONFIG = ReadConfig(batch_size=4)


@pytest.fixture(scope="module")
def people(people_folder):
    return people_to_evaluate(str(people_folder(images=5, shards=2)), CONFIG)


def batches_of(people):
    make = evaluation_maker(people, CONFIG)
    return map(make, range(evaluation_batches(people, CONFIG)))


def step_of(people, *, shift: int = 0):
    """Return the step of a network of two stacks: the second says what is stored, `shift` columns to the right."""
    crop, keypoints = people.manifest.crop, people.manifest.keypoints
    nothing = np.zeros((*crop.heatmap_size, len(keypoints.names)), np.float32)
    guess = Guess(nothing, np.zeros((len(keypoints.names), 2), np.float32))
    measure = Measure(LossConfig(kind="mse"), guess, keypoints.flip_index, crop.heatmap_stride)

    def step(batch):
        maps = np.roll(batch["heatmaps"] / np.float32(255), shift, axis=2)
        stacks = np.stack([0 * maps, maps])
        return measure.sums(list(stacks), batch), stacks

    return step


def test_a_network_that_says_the_truth(people):
    found = validate(batches_of(people), step_of(people), people.manifest)
    assert found.figures["people"] == len(people) == 10
    assert found.figures["loss2"] == pytest.approx(0, abs=1e-6)
    assert found.figures["pck@0.2"] > 0.99
    assert found.figures["loss1"] > 0
    figures = measure_oks(found.results, people.folder, people.manifest, LocalFiles())
    assert figures["AP"] > 0.95
    assert figures["AR"] > 0.95


def test_each_person_has_one_line_at_the_place_in_the_photograph(people):
    found, dataset = validate(batches_of(people), step_of(people), people.manifest).results, open_dataset(people.folder)
    assert [line["image_id"] for line in found] == [dataset[n]["image_id"] for n in range(len(dataset))]
    assert {line["category_id"] for line in found} == {CATEGORY_ID}
    for n, line in enumerate(found):
        person = dataset[n]
        x0, y0, width, _ = person["crop_window"]
        inner = (person["visibility"] > 0) & ((person["keypoints"] > 8) & (person["keypoints"] < (40, 56))).all(axis=1)
        expected = person["keypoints"] * width / 48 + (x0, y0) - 0.5
        said = np.array(line["keypoints"]).reshape(-1, 3)
        np.testing.assert_allclose(said[inner, :2], expected[inner], atol=0.1)
        assert 0 < line["score"] <= 1.001


def test_a_network_that_is_wrong_by_a_joint_or_two_is_worse(people):
    right, wrong = (validate(batches_of(people), step_of(people, shift=n), people.manifest) for n in (0, 3))
    assert wrong.figures["loss2"] > right.figures["loss2"] + 0.001
    assert wrong.figures["pck@0.1"] < 0.6 < right.figures["pck@0.1"]
    scores = [measure_oks(one.results, people.folder, people.manifest, LocalFiles())["AP"] for one in (wrong, right)]
    assert scores[0] < 0.5 < scores[1]


def test_who_fills_a_batch_up_has_no_line(people):
    *_, last = batches_of(people)
    assert last["valid"].tolist() == [True, True, False, False]
    lines = batch_results(last["heatmaps"] / np.float32(255), last, people.manifest, "argmax")
    assert [line["image_id"] for line in lines] == last["image_id"][:2].tolist()
