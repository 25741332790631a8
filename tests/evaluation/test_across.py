"""Predictions of one keypoint table scored on people of another, against figures worked out by hand or pycocotools."""

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cocoprep.coco.results import read_results, result_lines
from cocoprep.coco.truth import read_truth
from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.evaluation.across import find_map, shared_maps, shared_truth
from cocoprep.evaluation.evaluate import evaluate, evaluate_across
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.evaluation.pck import unit_lengths
from cocoprep.evaluation.stack_maps import StackMaps
from cocoprep.pose.joint_map import map_joints
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.sample.dataset import write_sample
from cocoprep.storage.local import LocalFiles
from tests.support.scoring import coco_of, person, predictions_of, truth_of, write_json

LSP, MPII = named_table("lsp-14"), named_table("mpii-16")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Return what gives the annotation file of the same drawn people, labelled by a table."""
    root = tmp_path_factory.mktemp("drawn")

    def file(name):
        folder = root / name
        if not folder.exists():
            write_sample(str(folder), images=8, table=named_table(name))
        return folder / "annotations" / "person_keypoints_train2017.json"

    return file


def coco_lines(annotations, rng, noise):
    """Return results of COCO's joints on every person of a COCO file."""
    lines = []
    for entry in json.loads(annotations.read_text())["annotations"]:
        at = np.reshape(entry["keypoints"], (-1, 3))[:, :2] + rng.normal(0, noise, (17, 2))
        lines += result_lines([entry["image_id"]], at[None], [float(rng.uniform())], 1, rng.uniform(size=(1, 17)))
    return lines


def restricted(annotations, lines, joint_map):
    """Return a truth and results of the shared joints alone, cut by hand, as pycocotools takes them."""
    truth = json.loads(annotations.read_text())
    for entry in truth["annotations"]:
        triples = np.reshape(entry["keypoints"], (-1, 3))[list(joint_map.shared)]
        entry["keypoints"] = triples.ravel().tolist()
        entry["num_keypoints"] = int((triples[:, 2] > 0).sum())
    found = []
    for line in lines:
        triples = np.reshape(line["keypoints"], (-1, 3))[list(joint_map.shared_in_source)]
        found.append({**line, "keypoints": triples.ravel().tolist()})
    return truth, found


def plain_figures(truth, lines, sigmas):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        plain = COCOeval(coco, coco.loadRes(lines), "keypoints")
        plain.params.kpt_oks_sigmas = sigmas
        plain.evaluate()
        plain.accumulate()
        plain.summarize()
    return plain.stats


@pytest.mark.parametrize("noise", [0, 3])
@pytest.mark.parametrize("name", ["lsp-14", "mpii-16", "crowdpose-14"])
def test_oks_is_that_of_files_cut_by_hand_to_the_bit(drawn, tmp_path, name, noise):
    lines = coco_lines(drawn("coco-17"), np.random.default_rng(0), noise)
    truth = read_truth(str(drawn(name)), LocalFiles())
    joint_map = find_map(COCO_17, truth.table, {})
    assert len(joint_map.shared) == 12
    predictions = read_results(write_json(tmp_path, lines, "results.json"), LocalFiles(), truth, COCO_17)
    found = evaluate_across(truth, predictions, joint_map)
    sigmas = named_table(name).oks_sigmas[
        list(joint_map.shared)
    ]  # the data's: MPII's shoulders have others than COCO's
    expected = plain_figures(*restricted(drawn(name), lines, joint_map), sigmas)
    np.testing.assert_array_equal([found.oks.figures[one] for one in OKS_FIGURES], expected)
    assert found.oks.figures["AP"] > 0.3
    lines_left = found.predictions.whole.lines(1)
    assert [line["keypoints"] for line in lines_left] == [line["keypoints"] for line in lines]


def test_the_units_are_of_all_joints_of_the_person(drawn):
    truth = read_truth(str(drawn("mpii-16")), LocalFiles())
    shared = shared_truth(truth, map_joints(COCO_17, truth.table))
    assert shared.table.head == ()
    for unit, lengths in unit_lengths(truth, truth.table).items():
        np.testing.assert_array_equal(unit_lengths(shared, shared.table)[unit], lengths, err_msg=unit)
    assert np.isfinite(lengths[truth.counts]).any()


def test_figures_of_tables_that_are_equal_are_the_old_ones(drawn, tmp_path):
    """The way across, with all joints, ends where the straight one does."""
    lines = coco_lines(drawn("coco-17"), np.random.default_rng(1), 2)
    truth = read_truth(str(drawn("coco-17")), LocalFiles())
    assert find_map(COCO_17, truth.table, {}) is None
    predictions = read_results(write_json(tmp_path, lines, "results.json"), LocalFiles(), truth, COCO_17)
    straight = evaluate(truth, predictions, truth.table)
    across = evaluate_across(truth, predictions, find_map(COCO_17, truth.table, {"nose": "nose"}))
    assert across.oks.figures == straight.oks.figures
    assert across.errors.tables == straight.errors.tables
    for unit, figures in straight.pck.items():
        np.testing.assert_array_equal(across.pck[unit].curve.per_joint, figures.curve.per_joint)
    assert across.across.covered == across.across.labelled.sum()


def people_of_lsp(tmp_path):
    """Return a truth of two: one with an ankle and the neck labelled, one with nothing but the neck."""
    first, second = np.zeros((14, 3)), np.zeros((14, 3))
    first[LSP.names.index("right_ankle")] = 10, 20, 2
    first[LSP.names.index("neck")] = second[LSP.names.index("neck")] = 30, 5, 2
    return truth_of(
        tmp_path, *(person(n + 1, *one.tolist(), image=n + 1) for n, one in enumerate((first, second))), table=LSP
    )


def test_who_has_no_shared_joint_labelled_is_passed_over_and_told(tmp_path):
    truth = people_of_lsp(tmp_path)
    points = np.zeros((17, 2))
    points[COCO_17.names.index("right_ankle")] = 10, 20
    predictions = predictions_of((1, 0.9, points), (2, 0.8, points))
    found = evaluate_across(truth, predictions, find_map(COCO_17, LSP, {}))
    assert (found.across.covered, found.across.people, found.across.passed_over) == (1, 2, 1)
    assert "1 of 3 labelled joints, 33.3 %" in found.across.sentence
    assert "1 of 2 people passed over, who have none of these labelled" in found.across.sentence
    assert found.truth.counts.tolist() == [True, False]
    assert found.oks.figures["AP"] == pytest.approx(1)
    assert found.pck["box"].people == 1
    rows = {name: (theirs, by, labelled) for name, theirs, by, labelled in found.across.rows()}
    assert rows["right_ankle"] == ("right_ankle", "name", 1)
    assert rows["neck"] == (None, "", 2)


def test_what_a_user_says_is_told_as_such(tmp_path):
    truth = people_of_lsp(tmp_path)
    joint_map = find_map(COCO_17, LSP, {"neck": "nose", "left_hip": ""})
    found = evaluate_across(truth, predictions_of((1, 0.9, np.ones((17, 2)))), joint_map)
    rows = {name: (theirs, by) for name, theirs, by, _ in found.across.rows()}
    assert rows["neck"] == ("nose", "--map")
    assert rows["left_hip"] == (None, "--map")
    told = found.across.as_json()
    assert told["joint_map"]["joints"]["neck"] == {"predicted": "nose", "by": "--map"}
    assert told["coverage"] == {
        "joints": 14, "joints_shared": 12, "labelled_joints": 3, "labelled_joints_shared": 3, "people": 2,
        "people_passed_over": 0,
    }  # fmt: skip


def test_nothing_to_score_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"--map: .* have no joint in common"):
        find_map(named_table("hand-21"), LSP, {})
    only_ankle = {name: "" for name in LSP.names if name != "left_ankle"}
    with pytest.raises(CocoprepError, match="nothing to score: 1 of the 14 joints of the data"):
        evaluate_across(
            people_of_lsp(tmp_path), predictions_of((1, 0.9, np.ones((17, 2)))), find_map(COCO_17, LSP, only_ankle)
        )


def test_heatmaps_are_of_the_shared_joints_in_the_datas_order():
    joint_map = map_joints(COCO_17, LSP)
    maps = StackMaps(
        1, np.zeros((8, 8, 3), np.uint8), np.broadcast_to(np.arange(17, dtype=np.float32), (2, 2, 2, 17)),
        np.broadcast_to(np.arange(14, dtype=np.uint8), (2, 2, 14)),
    )  # fmt: skip
    found = shared_maps(maps, joint_map)
    assert [COCO_17.names[int(k)] for k in found.heatmaps[0, 0, 0]] == [LSP.names[k] for k in found.truth[0, 0]]
    assert len(found.truth[0, 0]) == 12


def test_a_table_in_another_order_is_found_by_its_names(tmp_path):
    """The file's own joints, the other way round: nothing but the order differs."""
    truth = truth_of(tmp_path, person(1, *[(k + 1, 2 * k, 2) for k in range(17)]), table=COCO_17)
    turned = coco_of(person(1, *[(17 - k, 2 * (16 - k), 2) for k in range(17)]), table=COCO_17)
    turned["categories"][0] |= {"keypoints": list(COCO_17.names)[::-1], "skeleton": []}
    other = read_truth(write_json(tmp_path, turned, "turned.json"), LocalFiles())
    predictions = predictions_of((1, 0.9, truth.keypoints[0] + [[3, 4]]))
    straight = evaluate(truth, predictions, COCO_17)
    found = evaluate_across(other, predictions, find_map(COCO_17, other.table, {}))
    assert found.oks.figures == straight.oks.figures
    assert found.end_point.mean_px == straight.end_point.mean_px == 5
