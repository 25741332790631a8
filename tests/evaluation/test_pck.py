from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cocoprep.evaluation.end_point import end_point_errors, measure_end_point_errors
from cocoprep.evaluation.pck import auc, head_size, measure_pck, pck, pck_by_unit, torso_length
from cocoprep.pose.boxes import longer_side
from cocoprep.pose.tables import COCO_17, named_table
from tests.support.scoring import HANDS, person, predictions_of, truth_of


@pytest.mark.parametrize(
    ("offsets", "labelled", "bbox", "expected"),
    [
        ([0, 0], [1, 1], (0, 0, 10, 10), 1.0),
        ([2, 2.1], [1, 1], (0, 0, 10, 10), 0.5),  # the limit itself is right
        ([3, 3], [1, 1], (0, 0, 10, 15), 1.0),  # the longer side counts
        ([100, 0], [0, 1], (0, 0, 10, 10), 1.0),  # an unlabelled joint does not
        ([100, 1], [1, 1], (5, 5, 1, 10), 0.5),
        ([0, 0], [1, 1], (0, 0, 0, 0), 1.0),  # no size: only the place itself is right
        ([0.1, 0], [1, 1], (0, 0, 0, 0), 0.5),
    ],
)
def test_by_hand(offsets, labelled, bbox, expected):
    truth = np.array([[[3.0, 4.0], [50.0, 60.0]]])
    predicted = truth + np.array(offsets)[None, :, None] * [1, 0]
    found = pck(predicted, truth, [labelled], unit=longer_side([bbox]), thresholds=[0.2])
    assert found.total[0] == expected


def test_no_labelled_joint_is_no_figure():
    found = pck(np.zeros((2, 3, 2)), np.zeros((2, 3, 2)), np.zeros((2, 3)), unit=np.ones(2))
    assert np.isnan(found.total).all()
    assert np.isnan(found.per_joint).all()
    assert found.joints.tolist() == [0, 0, 0]


def test_far_away_is_wrong_and_no_warning():
    assert pck([[[1e300, 0]]], [[[5, 5]]], [[True]], unit=[10], thresholds=[0.5]).total.tolist() == [0]


def test_every_threshold_counts_as_it_would_alone():
    """Joints at the limit itself, as the product is rounded, and right beside it; units of 0, tiny, and infinite."""
    rng = np.random.default_rng(0)
    thresholds = np.array([0.5, 0.1, 0.1, 0.0, *rng.uniform(0, 1, 20), np.nextafter(0.1, 1)])
    unit = np.concatenate([rng.uniform(0, 300, 200), [0.0, 0.0, 1e-310, np.inf]])[:, None]
    with np.errstate(invalid="ignore", over="ignore"):  # 0 times infinity
        limit = rng.choice(thresholds, (len(unit), 9)) * unit
        beside = np.where(rng.uniform(size=limit.shape) < 0.5, limit, np.nextafter(limit, rng.choice([-1e9, 1e9])))
        points = np.stack([np.nan_to_num(beside, posinf=5.0), np.zeros_like(limit)], axis=-1)
        points[::7, 0] = np.inf
        labelled = rng.uniform(size=limit.shape) < 0.8
        distance = np.linalg.norm(points, axis=-1)
        right = [(labelled & (distance <= t * unit)).sum(axis=0) for t in thresholds]
    assert (distance[:200, None] == (thresholds * unit[:200])[..., None]).any(axis=(1, 2)).mean() > 0.9  # at the limit
    found = pck(points, np.zeros_like(points), labelled, unit=unit[:, 0], thresholds=thresholds)
    np.testing.assert_array_equal(found.per_joint, right / labelled.sum(axis=0))


def test_micro_average_over_joints():
    truth = np.zeros((2, 2, 2))
    predicted = truth.copy()
    predicted[0, 0] = 100
    labelled = [[1, 1], [0, 1]]
    found = pck(predicted, truth, labelled, unit=[10, 10], thresholds=[0.1])
    assert found.total[0] == pytest.approx(2 / 3)
    assert found.per_joint[0].tolist() == [0.0, 1.0]
    assert found.joints.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("labelled", "expected"),
    [
        ([1, 1, 1, 1], (50 + 30) / 2),
        ([1, 0, 0, 1], 50),
        ([0, 1, 1, 0], 30),
        ([1, 1, 1, 0], 30),
        ([1, 1, 0, 0], np.nan),
        ([0, 0, 0, 0], np.nan),
    ],
)
def test_torso_by_hand(labelled, expected):
    """The left shoulder, right shoulder, left hip and right hip; one diagonal is 50 long, the other 30."""
    names = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    points, known = np.zeros((1, 17, 2)), np.zeros((1, 17), bool)
    for name, at, label in zip(names, [(0, 0), (30, 0), (30, 30), (30, 40)], labelled, strict=True):
        points[0, COCO_17.names.index(name)] = at
        known[0, COCO_17.names.index(name)] = label
    np.testing.assert_allclose(torso_length(points, known, COCO_17), [expected])


@pytest.mark.parametrize(
    ("labelled", "expected"),
    [
        ({"nose": (0, 0), "left_ear": (3, 4)}, 5),
        ({"nose": (0, 0), "left_ear": (3, 4), "right_ear": (-3, -4), "left_eye": (1, 1)}, 10),
        ({"nose": (7, 7)}, np.nan),
        ({"left_eye": (7, 7), "right_eye": (7, 7)}, 0),
        ({"left_shoulder": (0, 0), "nose": (9, 9)}, np.nan),
        ({}, np.nan),
    ],
)
def test_head_by_hand(labelled, expected):
    points, known = np.zeros((1, 17, 2)), np.zeros((1, 17), bool)
    for name, at in labelled.items():
        points[0, COCO_17.names.index(name)] = at
        known[0, COCO_17.names.index(name)] = True
    np.testing.assert_array_equal(head_size(points, known, COCO_17), [expected])


def test_tables_without_torso_and_head_have_no_such_unit():
    points, known = np.ones((2, 3, 2)), np.ones((2, 3), bool)
    assert np.isnan(torso_length(points, known, HANDS)).all()
    assert np.isnan(head_size(points, known, HANDS)).all()


@pytest.mark.parametrize(
    ("thresholds", "values", "expected"),
    [
        ([0, 0.5], [1, 1], 1.0),
        ([0, 0.5], [0, 1], 0.5),
        ([0, 0.1, 0.5], [0, 1, 1], 0.9),
        ([0.1, 0.2, 0.3], [0, 0, 1], 0.25),
        ([0, 0.5], [np.nan, np.nan], np.nan),
    ],
)
def test_auc_by_hand(thresholds, values, expected):
    np.testing.assert_allclose(auc(thresholds, values), expected)


def test_people_without_a_unit_are_left_out_and_counted():
    truth = np.zeros((4, 2, 2))
    predicted = truth + np.array([[[1.0, 0]], [[9, 0]], [[0, 0]], [[0, 0]]])
    labelled = np.array([[1, 1], [1, 0], [1, 1], [1, 1]], bool)
    found = pck_by_unit("torso", predicted, truth, labelled, lengths=np.array([10, 10, 0, np.nan]))
    assert (found.people, found.without_unit) == (2, 2)
    assert found.pck.joints.tolist() == [2, 1]
    assert found.pck.total[1] == pytest.approx(2 / 3)  # at 0.1: the limit itself
    assert found.curve.thresholds[0] == 0
    assert found.curve.thresholds[-1] == 0.5
    # Right from 0.1 on: 80 whole steps of 100, and half of the one before.
    assert found.auc_per_joint[1] == pytest.approx(0.805)
    assert found.auc == pytest.approx(2 / 3 * 0.805)


def test_nobody_has_a_unit():
    found = pck_by_unit("head", np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), np.ones((1, 2), bool), lengths=np.zeros(1))
    assert (found.people, found.without_unit) == (0, 1)
    assert np.isnan(found.auc)
    assert np.isnan(found.auc_per_joint).all()


def test_perfect_has_an_area_of_one():
    points = np.arange(12.0).reshape(2, 3, 2)
    found = pck_by_unit("box", points, points, np.ones((2, 3), bool), lengths=np.array([1, 1e9]))
    assert found.auc == 1
    assert found.pck.total.tolist() == [1, 1, 1, 1]


def test_people_nobody_predicted_are_wrong_in_pck_and_not_in_the_end_point_error(tmp_path):
    truth = truth_of(tmp_path, person(1, *[(10, 10, 2)] * 3), person(2, (5, 5, 1), (0, 0, 0), (0, 0, 0)))
    predictions = predictions_of((1, 0.9, [(10, 10), (13, 14), (10, 10)]))
    matches = np.array([0, -1])
    found = measure_pck(truth, predictions, matches, HANDS, thresholds=[0.01, 0.05, 10])
    assert found["box"].pck.total.tolist() == [0.5, 0.75, 0.75]
    assert found["box"].pck.joints.tolist() == [2, 1, 1]
    assert (found["torso"].people, found["head"].without_unit) == (0, 2)
    errors = measure_end_point_errors(truth, predictions, matches)
    assert (errors.people, errors.undetected) == (1, 1)
    assert errors.joints.tolist() == [1, 1, 1]
    assert errors.mean_px == pytest.approx(5 / 3)


@pytest.mark.parametrize(
    ("apart", "labelled", "side", "mean", "median", "of_box"),
    [
        ([(3, 4), (0, 0)], [1, 1], 10, 2.5, 2.5, 0.25),
        ([(3, 4), (0, 0), (6, 8)], [1, 1, 1], 10, 5, 5, 0.5),
        ([(3, 4), (900, 900)], [1, 0], 10, 5, 5, 0.5),
        ([(3, 4)], [1], 0, 5, 5, np.nan),  # a box without a size
        ([(3, 4)], [0], 10, np.nan, np.nan, np.nan),
        ([(0, -500), (0, 0), (0, 0)], [1, 1, 1], 100, 500 / 3, 0, 5 / 3),  # out of the image
    ],
)
def test_end_point_errors_by_hand(apart, labelled, side, mean, median, of_box):
    truth = np.full((1, len(apart), 2), 50.0)
    found = end_point_errors(truth + np.array([apart]), truth, [labelled], sides=[side])
    np.testing.assert_allclose([found.mean_px, found.median_px, found.mean_of_box], [mean, median, of_box])
    distances = np.hypot(*np.array(apart, float).T)
    np.testing.assert_allclose(found.mean_px_per_joint, np.where(labelled, distances, np.nan))
    np.testing.assert_allclose(found.median_px_per_joint, np.where(labelled, distances, np.nan))


def test_no_people_no_end_point_error():
    found = end_point_errors(np.zeros((0, 3, 2)), np.zeros((0, 3, 2)), np.zeros((0, 3)), sides=[], undetected=4)
    assert np.isnan(found.mean_px)
    assert (found.people, found.undetected) == (0, 4)


def test_leeds_sports_pose_has_one_diagonal_for_its_torso(tmp_path):
    """PCK@0.2 as papers on it print it, by a table whose torso is from the left shoulder to the right hip alone."""
    lsp, rng = named_table("lsp-14"), np.random.default_rng(0)
    one_diagonal = replace(lsp, torso=(("left_shoulder", "right_hip"),))
    points = rng.uniform(0, 100, (20, 14, 2))
    people = [person(n + 1, *[(x, y, 2) for x, y in points[n].tolist()], image=n + 1) for n in range(20)]
    truth = truth_of(tmp_path, *people, table=one_diagonal)
    predicted = points + rng.normal(0, 8, points.shape)
    found = predictions_of(*((n + 1, 0.5, predicted[n]) for n in range(20)), annotation_ids=truth.annotation_ids)
    torso = np.linalg.norm(
        points[:, lsp.names.index("left_shoulder")] - points[:, lsp.names.index("right_hip")], axis=1
    )
    right = np.linalg.norm(predicted - points, axis=2) / torso[:, None] <= 0.2
    figures = measure_pck(truth, found, np.arange(20), one_diagonal, thresholds=[0.2])["torso"]
    assert figures.pck.total[0] == pytest.approx(right.mean())
    assert measure_pck(truth, found, np.arange(20), lsp, thresholds=[0.2])["torso"].pck.total[0] != figures.pck.total[0]
