"""Which confidence a joint must have."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cocoprep.errors import ConfigError, RecordError
from cocoprep.evaluation.confidence import choose_thresholds
from cocoprep.model.run.config import TrainConfig
from cocoprep.model.run.folder import THRESHOLDS_FILE, RunFolder
from cocoprep.model.run.joint_thresholds import find_thresholds, read_thresholds, write_thresholds
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.manifest import records_digest
from cocoprep.storage.local import LocalFiles
from tests.model.run.test_resolve import manifest_with

LEARNED_FROM, OTHER = manifest_with("f"), manifest_with("g")


@pytest.fixture
def run(tmp_path):
    RunFolder(str(tmp_path), LocalFiles()).begin(TrainConfig(data="a"), {"data": LEARNED_FROM})
    return str(tmp_path)


@pytest.fixture
def joints():
    rng = np.random.default_rng(0)
    return choose_thresholds(rng.uniform(size=(40, 17)), rng.uniform(size=(40, 17)) < 0.5)


def test_what_was_chosen_on_other_people_is_found_again(run, joints):
    path = write_thresholds(run, joints, OTHER, COCO_17, LocalFiles())
    np.testing.assert_array_equal(read_thresholds(run, COCO_17), joints.thresholds)
    with open(path) as stream:
        content = json.load(stream)
    assert content["chosen_on"] == records_digest(OTHER)
    assert content["figures"]["people"] == 40


def test_a_joint_that_nobody_has_labelled_has_none(run):
    rng = np.random.default_rng(0)
    labelled = rng.uniform(size=(40, 17)) < 0.5
    labelled[:, 0] = False
    write_thresholds(run, choose_thresholds(rng.uniform(size=(40, 17)), labelled), OTHER, COCO_17, LocalFiles())
    assert np.isnan(read_thresholds(run, COCO_17)).tolist() == [True] + [False] * 16
    values, said = find_thresholds(run, COCO_17, None)
    assert values[0] == 0.2
    assert "0.2 for nose, of which it knows nothing" in said


def test_an_evaluation_elsewhere_changes_nothing(tmp_path, joints):
    """But the run's own validation folder is heard, whenever it is evaluated."""
    run, elsewhere = str(tmp_path), manifest_with("h")
    folder = RunFolder(run, LocalFiles())
    folder.begin(TrainConfig(data="a", val="b"), {"data": LEARNED_FROM, "val": OTHER})
    write_thresholds(run, joints, elsewhere, COCO_17, LocalFiles())  # there are none yet
    write_thresholds(run, joints, OTHER, COCO_17, LocalFiles())
    before = (tmp_path / THRESHOLDS_FILE).read_bytes()
    with pytest.raises(ConfigError, match="the run has its own, chosen on other people; they stay"):
        write_thresholds(run, joints, elsewhere, COCO_17, LocalFiles())
    assert (tmp_path / THRESHOLDS_FILE).read_bytes() == before
    write_thresholds(run, joints, OTHER, COCO_17, LocalFiles())
    (tmp_path / THRESHOLDS_FILE).write_text("{")
    write_thresholds(run, joints, elsewhere, COCO_17, LocalFiles())  # what cannot be read is nobody's


def test_nothing_is_chosen_on_what_was_learned_from_or_tells_nothing(run, joints):
    with pytest.raises(ConfigError, match="the network has learned from these people"):
        write_thresholds(run, joints, LEARNED_FROM, COCO_17, LocalFiles())
    with pytest.raises(ConfigError, match="all confidences are equal"):
        write_thresholds(run, None, OTHER, COCO_17, LocalFiles())
    assert read_thresholds(run, COCO_17) is None


@pytest.mark.parametrize("content", ["{", "[1]", "{}", '{"shards": 3}', '{"shards": {}}'])
def test_a_run_that_does_not_say_what_it_has_learned_from(run, joints, content):
    with open(f"{run}/run.json", "w") as stream:
        stream.write(content)
    with pytest.raises(RecordError, match=r"run\.json: .*Copy the run again"):
        write_thresholds(run, joints, OTHER, COCO_17, LocalFiles())


def test_what_was_asked_for_comes_first_then_what_was_chosen(tmp_path):
    run = str(tmp_path)
    assert read_thresholds(run, COCO_17) is None
    values, said = find_thresholds(run, COCO_17, None)
    np.testing.assert_array_equal(values, np.full(17, 0.2))
    assert said == "a threshold of 0.2"
    chosen = {name: n / 20 for n, name in enumerate(reversed(COCO_17.names))}
    (tmp_path / THRESHOLDS_FILE).write_text(json.dumps({"thresholds": chosen, "chosen_on": "abc"}))
    values, said = find_thresholds(run, COCO_17, None)
    np.testing.assert_allclose(values, [chosen[name] for name in COCO_17.names])
    assert "evaluate" in said
    np.testing.assert_array_equal(find_thresholds(run, COCO_17, 0.5)[0], np.full(17, 0.5))


@pytest.mark.parametrize(
    "content", ["{", "{}", '{"thresholds": {}}', '{"thresholds": {"tail": 0.1}}', '{"thresholds": {"nose": null}}']
)
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / THRESHOLDS_FILE).write_text(content)
    with pytest.raises(RecordError, match=THRESHOLDS_FILE):
        read_thresholds(str(tmp_path), COCO_17)
