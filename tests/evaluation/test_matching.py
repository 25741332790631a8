from __future__ import annotations

import numpy as np
import pytest

from cocoprep.evaluation import pairs
from cocoprep.evaluation.matching import match_people
from tests.support.scoring import HANDS, person, predictions_of, truth_of


def joints(x):
    return [(x, 10, 2), (x, 20, 2), (x, 30, 2)]


def at(x):
    return [(x, 10), (x, 20), (x, 30)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(1, 0.5, at(10)), (1, 0.4, at(50))], [0, 1, -1]),
        ([(1, 0.5, at(50)), (1, 0.4, at(10))], [1, 0, -1]),
        ([(1, 0.5, at(10)), (1, 0.9, at(11))], [1, -1, -1]),  # the surer one takes the person
        ([(1, 0.5, at(12)), (1, 0.5, at(10))], [0, -1, -1]),  # equal scores: the earlier line
        ([(2, 0.5, at(10))], [-1, -1, 0]),  # each image on its own
        ([(1, 0.5, at(10)), (2, 0.5, at(10))], [0, -1, 1]),
        ([(1, 0.5, at(25))], [-1, -1, -1]),  # 15 pixels: OKS 0.06
        ([(1, 0.5, at(23))], [0, -1, -1]),  # 13 pixels: OKS 0.12
        ([(1, 0.5, at(30))], [-1, -1, -1]),
        ([(1, 0.9, at(31)), (1, 0.5, at(50))], [-1, 1, -1]),
        ([(3, 0.9, at(10))], [-1, -1, -1]),  # an image without people
    ],
)
def test_matches_by_hand(tmp_path, rows, expected):
    people = person(1, *joints(10)), person(2, *joints(50)), person(3, *joints(10), image=2)
    truth = truth_of(tmp_path, *people, images=3)
    assert match_people(truth, predictions_of(*rows), HANDS).tolist() == expected


def test_a_prediction_whose_nearest_is_taken_takes_the_next(tmp_path):
    truth = truth_of(tmp_path, person(1, *joints(10)), person(2, *joints(18)))
    assert match_people(truth, predictions_of((1, 0.9, at(10)), (1, 0.8, at(11))), HANDS).tolist() == [0, 1]


def test_equal_similarity_takes_the_earlier_annotation(tmp_path):
    truth = truth_of(tmp_path, person(5, *joints(10)), person(2, *joints(20)))
    assert match_people(truth, predictions_of((1, 0.9, at(15))), HANDS).tolist() == [0, -1]


def test_people_who_do_not_count_are_not_matched(tmp_path):
    nobody = person(2, *[(0, 0, 0)] * 3)
    truth = truth_of(tmp_path, person(1, *joints(10), iscrowd=1), nobody, person(3, *joints(12)))
    assert match_people(truth, predictions_of((1, 0.9, at(10))), HANDS).tolist() == [-1, -1, 0]


def test_unlabelled_joints_have_no_say(tmp_path):
    truth = truth_of(tmp_path, person(1, (10, 10, 2), (0, 0, 0), (0, 0, 0)))
    far = predictions_of((1, 0.9, [(10, 10), (900, 900), (900, 900)]))
    assert match_people(truth, far, HANDS).tolist() == [0]


def test_known_annotations_decide(tmp_path):
    truth = truth_of(tmp_path, person(11, *joints(10)), person(12, *joints(50)), person(13, *joints(9), iscrowd=1))
    rows = [(1, 0.5, at(10)), (1, 0.5, at(500)), (1, 0.9, at(10)), (1, 0.9, at(10))]
    found = predictions_of(*rows, annotation_ids=np.array([12, 11, 11, 13]))
    assert match_people(truth, found, HANDS).tolist() == [2, 0, -1]  # the surer of two, however far


def test_nobody_counts(tmp_path):
    truth = truth_of(tmp_path, person(1, *[(0, 0, 0)] * 3))
    assert match_people(truth, predictions_of((1, 0.9, at(10))), HANDS).tolist() == [-1]


@pytest.mark.parametrize("most", [1, 7, 1 << 18])
def test_a_crowd_is_matched_as_a_loop_would(tmp_path, monkeypatch, most):
    monkeypatch.setattr(pairs, "MOST_PAIRS", most)
    rng = np.random.default_rng(0)
    people = [
        person(n, *((*rng.uniform(0, 40, 2).tolist(), 2) for _ in range(3)), image=int(rng.integers(1, 7)))
        for n in range(1, 41)
    ]
    truth = truth_of(tmp_path, *people)
    rows = [
        (int(truth.image_ids[n]), float(rng.integers(0, 3)), (truth.keypoints[n] + rng.normal(0, 7, (3, 2))).tolist())
        for n in rng.integers(0, 40, 90)
    ]
    predictions = predictions_of(*rows)
    expected = [-1] * 40
    for line in sorted(range(90), key=lambda n: -rows[n][1]):
        apart = np.linalg.norm(predictions.keypoints[line] - truth.keypoints, axis=2)
        oks = np.exp(-(apart**2) / (2 * 1000 * 0.04)).mean(axis=1)
        free = [n for n in range(40) if expected[n] < 0 and truth.image_ids[n] == rows[line][0] and oks[n] >= 0.1]
        if free:
            expected[max(free, key=lambda n: oks[n])] = line
    assert match_people(truth, predictions, HANDS).tolist() == expected


@pytest.mark.parametrize("area", [0, 1])
def test_an_area_without_scale_keeps_nobody_from_being_matched(tmp_path, area):
    people = person(1, *joints(10), area=area), person(2, *joints(50), area=area)
    truth = truth_of(tmp_path, *people, images=1)
    predictions = predictions_of((1, 0.5, at(48)), (1, 0.4, at(12)))
    assert match_people(truth, predictions, HANDS).tolist() == [1, 0]
