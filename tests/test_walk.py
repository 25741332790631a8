"""The walk of one annotation, there and back: from the file to a record, and from its heatmaps to OKS."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import cocoprep
from cocoprep.builder.config import SelectConfig
from cocoprep.coco.results import result_lines
from cocoprep.evaluation.ceiling import measure_ceiling, read_ceiling
from cocoprep.evaluation.oks import evaluate_oks
from cocoprep.evaluation.pck import pck
from cocoprep.pose import affine
from cocoprep.pose.boxes import longer_side
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import decode_in_image
from cocoprep.pose.tables import COCO_17
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder


@pytest.fixture(scope="module")
def built(coco_mini, tmp_path_factory):
    out = tmp_path_factory.mktemp("walk")
    manifest = build_folder(
        out, annotations=coco_mini / "annotations" / "person_keypoints_train2017.json", images=coco_mini / "train2017"
    )
    return out, manifest


def decoded(person, crop):
    maps, windows = person["heatmaps"][None], person["crop_window"][None]
    return decode_in_image(maps, windows, stride=crop.heatmap_stride, input_size=crop.input_size)[0][0]


def test_counts_of_real_annotations(built):
    _, manifest = built
    assert manifest.counts.annotations == 172
    assert manifest.counts.people == 86
    assert manifest.counts.dropped["zero_keypoints"] == 86
    assert sum(manifest.counts.dropped.values()) == 86


def test_the_ledger_has_every_annotation_once(built, coco_mini):
    out, _ = built
    coco = json.loads((coco_mini / "annotations" / "person_keypoints_train2017.json").read_text())
    ledger = pq.read_table(out / "ledger.parquet").to_pylist()
    assert [line["row"] for line in ledger] == list(range(172))
    assert [line["annotation_id"] for line in ledger] == [annotation["id"] for annotation in coco["annotations"]]
    crowds = {annotation["id"] for annotation in coco["annotations"] if annotation["iscrowd"]}
    assert len(crowds) == 5
    assert {line["reason"] for line in ledger if line["annotation_id"] in crowds} == {"zero_keypoints"}
    assert all((line["shard"] is not None) == line["kept"] for line in ledger)


def test_the_ground_truth_is_the_annotation_file_without_segmentations(built, coco_mini):
    out, _ = built
    coco = json.loads((coco_mini / "annotations" / "person_keypoints_train2017.json").read_text())
    truth = json.loads((out / "ground_truth.json").read_text())
    kept = ("id", "image_id", "category_id", "bbox", "area", "iscrowd", "num_keypoints", "keypoints")
    expected = sorted(({key: a[key] for key in kept} for a in coco["annotations"]), key=lambda a: a["id"])
    assert truth["annotations"] == expected
    assert {image["id"] for image in truth["images"]} == {image["id"] for image in coco["images"]}


def test_oks_is_one_but_for_joints_outside_the_crop(built):
    out, _ = built
    dataset = cocoprep.open_dataset(out)
    truth = json.loads((out / "ground_truth.json").read_text())
    annotated = {annotation["id"]: annotation for annotation in truth["annotations"]}
    whole, cut = [], []
    for person in dataset:
        annotation = annotated[person["annotation_id"]]
        keypoints = np.array(annotation["keypoints"]).reshape(-1, 3)
        labelled = keypoints[:, 2] > 0
        distance = np.linalg.norm(decoded(person, dataset.crop) - keypoints[:, :2], axis=1)
        similarity = np.exp(-(distance**2) / (2 * annotation["area"] * (2 * COCO_17.oks_sigmas) ** 2))
        inside = affine.inside(person["keypoints"], dataset.crop.input_size)
        assert similarity[labelled & inside].min(initial=1) > 0.998
        (whole if (inside | ~labelled).all() else cut).append(similarity[labelled].mean())
    assert len(whole) >= 70
    assert min(whole) > 0.999
    assert cut  # real people do have joints outside 125 % of their box


def test_the_ceiling_is_what_a_perfect_network_would_score(built):
    out, manifest = built
    ceiling = measure_ceiling(str(out), manifest, LocalFiles())
    dataset = cocoprep.open_dataset(out)
    people = list(dataset)
    points = np.stack([decoded(person, dataset.crop) for person in people])
    lines = result_lines([person["image_id"] for person in people], points, np.ones(len(people)), 1)
    truth = json.loads((out / "ground_truth.json").read_text())
    assert ceiling.full == pytest.approx(evaluate_oks(truth, lines, COCO_17), abs=2e-3)
    assert ceiling.kept == ceiling.full  # all that was dropped has no keypoint, and is ignored anyway
    assert ceiling.full["AP"] > 0.95
    assert read_ceiling(str(out), manifest, LocalFiles()) == ceiling


def test_what_filtering_costs(coco_mini, tmp_path):
    manifest = build_folder(
        tmp_path, annotations=coco_mini / "annotations" / "person_keypoints_train2017.json",
        images=coco_mini / "train2017", select=SelectConfig(min_keypoints=12), crop=CropConfig(input_size=(128, 128)),
    )  # fmt: skip
    ceiling = measure_ceiling(str(tmp_path), manifest, LocalFiles())
    assert ceiling.kept["AR"] > 0.95
    assert ceiling.full["AR"] < ceiling.kept["AR"] - 0.2
    assert ceiling.full["AR"] == pytest.approx(ceiling.kept["AR"] * manifest.counts.people / 86, abs=0.02)


def test_the_baseline_is_the_mean_guess(built):
    out, manifest = built
    dataset = cocoprep.open_dataset(out)
    people = list(dataset)
    labelled = np.stack([person["visibility"] for person in people]) > 0
    maps = np.stack([person["heatmaps"] for person in people]) / 255
    with np.load(out / "baseline.npz") as baseline:
        np.testing.assert_array_equal(baseline["labelled"], labelled.sum(axis=0))
        np.testing.assert_allclose(baseline["labelled_fraction"], labelled.mean(axis=0))
        mean = (maps * labelled[:, None, None, :]).sum(axis=0) / labelled.sum(axis=0)
        np.testing.assert_allclose(baseline["mean_heatmaps"], mean, atol=1e-6)
        peak = mean.reshape(-1, 17).argmax(axis=0)
        guess = np.column_stack([peak % 64 + 0.5, peak // 64 + 0.5]) * 4
        np.testing.assert_array_equal(baseline["guess"], guess)
        scale = np.array([person["crop_window"][2] / 256 for person in people])
        found = pck(
            guess[None] * scale[:, None, None],
            np.stack([person["keypoints"] for person in people]) * scale[:, None, None],
            labelled,
            unit=longer_side(np.stack([person["bbox"] for person in people])),
        )
        np.testing.assert_allclose(baseline["pck_total"], found.total, atol=2e-3)
        np.testing.assert_allclose(baseline["pck_per_joint"], found.per_joint, atol=0.03)
        assert baseline["people"] == manifest.counts.people


def test_heatmaps_cost_at_most_4_kb_a_record(built):
    from cocoprep.shards.record import pack_heatmaps

    out, _ = built
    packed = [len(pack_heatmaps(person["heatmaps"])) for person in cocoprep.open_dataset(out)]
    print(f"\nheatmaps take {np.mean(packed):.0f} bytes a record")
    assert np.mean(packed) <= 4000
