"""The drawn sample labelled anew as 14 and as 16 joints, built as two sources: nothing is lost or moved on the way."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cocoprep.coco.results import read_results, result_lines
from cocoprep.coco.sources import Source
from cocoprep.coco.truth import read_truth
from cocoprep.evaluation.evaluate import evaluate_across
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.joint_map import map_joints, subset_table
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.sample.dataset import write_sample
from cocoprep.shards.ledger import read_ledger
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.settings import table_of
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder

FILES = LocalFiles()
ANNOTATIONS = "annotations/person_keypoints_train2017.json"
BODY = subset_table(COCO_17, map_joints(named_table("lsp-14"), COCO_17).shared, "body-12")
LABELLED = {"coco": COCO_17, "lsp": named_table("lsp-14"), "mpii": named_table("mpii-16")}


def _label_alike(coco, path, table):
    """Label the joints that are COCO's as they are labelled there: which are, is drawn for each table anew."""
    found = map_joints(COCO_17, table)
    labels = {one["id"]: np.reshape(one["keypoints"], (-1, 3)) for one in json.loads(coco.read_text())["annotations"]}
    document = json.loads(path.read_text())
    for one in document["annotations"]:
        triples = np.reshape(one["keypoints"], (-1, 3))
        triples[list(found.shared)] = labels[one["id"]][list(found.shared_in_source)]
        one["keypoints"] = triples.ravel().tolist()
        one["num_keypoints"] = int((triples[:, 2] > 0).sum())
    path.write_text(json.dumps(document))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return the same drawn people, labelled by each table, and a folder built of the last two."""
    root = tmp_path_factory.mktemp("one-sample")
    for name, table in LABELLED.items():
        write_sample(str(root / name), images=6, table=table)
        _label_alike(root / "coco" / ANNOTATIONS, root / name / ANNOTATIONS, table)
    sources = [
        Source(
            name=name,
            annotations=str(root / name / ANNOTATIONS),
            images=f"{root}/{name}/train2017",
        )
        for name in ("lsp", "mpii")
    ]
    build_folder(root / "both", sources=sources, table=COCO_17, crop=CropConfig(input_size=(64, 64)))
    return root


def test_the_ledger_adds_up_by_source(folders):
    assert verify_folder(str(folders / "both"), FILES).problems == []
    lines = read_ledger(str(folders / "both"), FILES).to_pylist()
    for name in ("lsp", "mpii"):
        listed = json.loads((folders / name / ANNOTATIONS).read_text())["annotations"]
        own = [line for line in lines if line["source"] == name]
        assert [line["source_id"] for line in own] == [str(entry["id"]) for entry in listed]
        assert [line["row"] for line in own] == list(range(len(listed)))
        kept = {line["source_id"] for line in own if line["kept"]}
        assert kept == {str(one["id"]) for one in listed if one["num_keypoints"] and not one["iscrowd"]}
    assert len(lines) == sum(line["source"] in ("lsp", "mpii") for line in lines)


@pytest.mark.parametrize("noise", [0, 3])
def test_oks_of_shared_joints_is_the_originals_to_the_bit(folders, tmp_path, noise):
    original = read_truth(str(folders / "coco" / ANNOTATIONS), FILES)
    table = table_of(read_manifest(str(folders / "both"), FILES).keypoints)
    both = read_truth(str(folders / "both/ground_truth.json"), FILES, table)
    numbers = {own: number for number, own in both.source_ids.items()}
    images = {
        name: np.array([numbers[f"{name}/{number}"] for number in original.image_ids.tolist()])
        for name in ("lsp", "mpii")
    }
    body = original.keypoints[:, list(map_joints(BODY, COCO_17).shared)]
    moved = body + np.random.default_rng(0).normal(0, noise, body.shape)
    expected = _scored(original, [original.image_ids], moved, tmp_path)
    found = _scored(both, images.values(), moved, tmp_path)
    of_person = dict(zip(both.annotation_ids.tolist(), found.person_oks.tolist(), strict=True))
    oks = {
        (line["source"], line["source_id"]): of_person[line["annotation_id"]]
        for line in read_ledger(str(folders / "both"), FILES).to_pylist()
    }
    assert np.isfinite(expected.person_oks).sum() > 10
    for number, one in zip(original.annotation_ids.tolist(), expected.person_oks.tolist(), strict=True):
        for name in ("lsp", "mpii"):
            np.testing.assert_equal(oks[name, str(number)], one)
    assert found.oks.figures == pytest.approx(expected.oks.figures, abs=1e-12)


def _scored(truth, images, moved, folder):
    """Return the evaluation of the same results on several sets of images, one for each annotation there."""
    scores = np.linspace(1, 0.5, len(moved))
    lines = [line for numbers in images for line in result_lines(numbers, moved, scores, truth.category_id)]
    (folder / "results.json").write_text(json.dumps(lines))
    predictions = read_results(str(folder / "results.json"), FILES, truth, BODY)
    return evaluate_across(truth, predictions, map_joints(BODY, truth.table))
