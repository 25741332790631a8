"""A file's own joints, from one to 133, from the annotations to the evaluation."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cocoprep import open_dataset
from cocoprep.coco.results import result_lines
from cocoprep.coco.truth import read_truth
from cocoprep.evaluation.oks import evaluate_oks
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import named_table
from cocoprep.shards.settings import table_of
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.any_joints import FIVE, TABLES, write
from tests.support.building import build_folder

FILES = LocalFiles()


@pytest.mark.parametrize("name", TABLES)
def test_joints_are_those_of_the_file(name, tmp_path):
    table = TABLES[name]
    manifest = build_folder(
        tmp_path / "out", **write(tmp_path / "coco", table, 7), crop=CropConfig(input_size=(64, 64))
    )
    built = table_of(manifest.keypoints)
    assert (built.names, built.flip_index, built.limb_index) == (table.names, table.flip_index, table.limb_index)
    assert built.oks_sigmas.tolist() == table.oks_sigmas.tolist()
    assert (built.head, built.torso, built.category) == (table.head, table.torso, table.category)
    assert (manifest.counts.people, manifest.counts.dropped["category"], manifest.counts.annotations) == (8, 1, 9)
    assert verify_folder(str(tmp_path / "out"), FILES).problems == []
    person = open_dataset(tmp_path / "out").person(11)
    assert person["keypoints"].shape == (len(table), 2)
    assert person["heatmaps"].shape == (16, 16, len(table))


@pytest.mark.parametrize("name", ["tip-1", "bird-5", "crowdpose-14", "hand-21"])
def test_perfect_results_are_perfect_and_bear_the_files_category(name, tmp_path):
    table = TABLES[name]
    build_folder(tmp_path / "out", **write(tmp_path / "coco", table, 7), crop=CropConfig(input_size=(64, 64)))
    for path in (
        tmp_path / "out" / "ground_truth.json",
        tmp_path / "coco" / "annotations" / "person_keypoints_train2017.json",
    ):
        truth = read_truth(str(path), FILES)
        assert (truth.category_id, truth.table.names, int(truth.counts.sum())) == (7, table.names, 8)
        lines = result_lines(truth.image_ids, truth.keypoints, np.linspace(1, 0.5, 8), truth.category_id)
        assert evaluate_oks(truth.document, lines, truth.table)["AP"] == pytest.approx(1)


def test_a_known_table_in_another_order_builds_the_same_records(tmp_path):
    table = named_table("mpii-16")
    turned = KeypointTable("turned", table.joints[::-1], table.limbs)
    plain = write(tmp_path / "plain", table)
    other = write(tmp_path / "other", turned, spelling=lambda name: name.replace("_", "-").title())
    coco = json.loads(plain["annotations"].read_text())
    for annotation in coco["annotations"]:
        if "keypoints" in annotation:
            triples = np.reshape(annotation["keypoints"], (-1, 3))
            annotation["keypoints"] = triples[::-1].ravel().tolist()
    there = json.loads(other["annotations"].read_text())
    other["annotations"].write_text(json.dumps({**there, "annotations": coco["annotations"]}))
    crop = CropConfig(input_size=(64, 64))
    first = build_folder(tmp_path / "first", **plain, crop=crop)
    second = build_folder(tmp_path / "second", **other, crop=crop)
    assert [shard.sha256 for shard in first.shards] == [shard.sha256 for shard in second.shards]
    assert first.notes == ()
    assert second.notes == ("the file's joints are mpii-16's in another order: put in that of the table",)


def test_categories_that_share_their_joints_are_built_together(tmp_path):
    inputs = write(tmp_path / "coco", FIVE, 3)
    coco = json.loads(inputs["annotations"].read_text())
    coco["categories"].append({**coco["categories"][1], "id": 4, "name": "bat"})
    for annotation in coco["annotations"][:3]:
        annotation["category_id"] = 4
    inputs["annotations"].write_text(json.dumps(coco))
    crop = CropConfig(input_size=(64, 64))
    every = build_folder(tmp_path / "all", **inputs, crop=crop, category="all")
    bats = build_folder(tmp_path / "bats", **inputs, crop=crop, category="bat")
    assert (every.counts.people, bats.counts.people, bats.counts.dropped["category"]) == (8, 3, 6)
    assert read_truth(str(tmp_path / "bats" / "ground_truth.json"), FILES).category_id == 4
