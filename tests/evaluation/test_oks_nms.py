"""People found twice: held against the plainest code, and against cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import booleans, floats, integers, lists, tuples

from cocoprep.errors import ConfigError
from cocoprep.evaluation.box_rules import NMS, PUBLISHED, BoxRules, judge_people
from cocoprep.evaluation.oks_nms import MOST_SOFT, similarity, soften, suppress
from cocoprep.evaluation.rescoring import RESCORINGS, rescore
from cocoprep.pose.tables import COCO_17

SIGMAS = (0.1, 0.1)


def pair_oks(one, other, area, other_area):
    """OKS of two people, joint by joint, as the formula stands."""
    total = 0.0
    for (x, y), (u, v), sigma in zip(one, other, SIGMAS, strict=True):
        scale = (area + other_area) / 2
        total += math.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * scale * (2 * sigma) ** 2))
    return total / len(SIGMAS)


def plain_hard(people, threshold):
    """Each in order of score, of equal ones the earlier first, unless one before is too similar."""
    kept = []
    for n in sorted(range(len(people)), key=lambda n: (-people[n][1], n)):
        points, _, area = people[n]
        if all(pair_oks(people[k][0], points, people[k][2], area) <= threshold for k in kept):
            kept.append(n)
    return kept


def plain_soft(people, threshold):
    """Take the surest, lower the others, and again."""
    scores, left, kept = [one[1] for one in people], list(range(len(people))), []
    while left and len(kept) < MOST_SOFT:
        best = max(left, key=lambda n: (scores[n], -n))
        left.remove(best)
        kept.append(best)
        for n in left:
            oks = pair_oks(people[best][0], people[n][0], people[best][2], people[n][2])
            scores[n] *= math.exp(-(oks**2) / threshold)
    return kept, scores


# A few places and scores, so that people coincide and scores are equal.
_point = tuples(integers(0, 4).map(float), integers(0, 4).map(float))
_person = tuples(tuples(_point, _point), integers(0, 4).map(lambda n: n / 4), integers(1, 3).map(lambda n: 50.0 * n))
_people = lists(_person, max_size=25)
_threshold = floats(0.05, 1)


def arrays(people):
    points = np.array([one[0] for one in people], float).reshape(-1, 2, 2)
    return points, np.array([one[1] for one in people]), np.array([one[2] for one in people])


@given(_people, _threshold)
def test_hard_against_the_plainest_code(people, threshold):
    points, scores, areas = arrays(people)
    before = points.copy(), scores.copy(), areas.copy()
    assert suppress(points, scores, areas, SIGMAS, threshold).tolist() == plain_hard(people, threshold)
    for was, now in zip(before, (points, scores, areas), strict=True):
        np.testing.assert_array_equal(was, now)


@given(_people, _threshold)
def test_soft_against_the_plainest_code(people, threshold):
    points, scores, areas = arrays(people)
    kept, lowered = soften(points, scores, areas, SIGMAS, threshold)
    expected, expected_scores = plain_soft(people, threshold)
    # Scores that are equal by hand may differ by the last bit, and change places.
    np.testing.assert_allclose(np.sort(lowered), np.sort(expected_scores), rtol=1e-9, atol=1e-300)
    assert len(kept) == len(set(kept.tolist())) == len(expected)
    np.testing.assert_allclose(lowered[kept], np.array(expected_scores)[expected], rtol=1e-9, atol=1e-300)
    np.testing.assert_array_equal(scores, arrays(people)[1])


def test_by_hand():
    """With sigma 0.1 and an area of 1000 a joint is as similar as exp(-d^2 / 80)."""
    a = [[0, 0], [10, 0]]
    near = [[0, 2], [10, 0]]  # (exp(-4/80) + 1) / 2 = 0.9756
    far = [[0, 9], [10, 9]]  # exp(-81/80) = 0.3633
    points, areas = np.array([a, near, far], float), [1000, 1000, 1000]
    alike = similarity(points[0], points, 1000, areas, SIGMAS)
    np.testing.assert_allclose(alike, [1, (math.exp(-0.05) + 1) / 2, math.exp(-81 / 80)], rtol=1e-12)
    assert suppress(points, [0.5, 0.9, 0.7], areas, SIGMAS, 0.9).tolist() == [1, 2]
    assert suppress(points, [0.5, 0.9, 0.7], areas, SIGMAS, 0.98).tolist() == [1, 2, 0]
    assert suppress(points, [0.5, 0.5, 0.5], areas, SIGMAS, 0.9).tolist() == [0, 2]
    kept, scores = soften(points, [0.5, 0.9, 0.7], areas, SIGMAS, 0.9)
    first = float(similarity(points[1], points[[0]], 1000, [1000], SIGMAS)[0])
    second = float(similarity(points[1], points[[2]], 1000, [1000], SIGMAS)[0])
    between = math.exp(-81 / 80)
    lowered = 0.7 * math.exp(-(second**2) / 0.9)
    np.testing.assert_allclose(
        scores, [0.5 * math.exp(-(first**2) / 0.9) * math.exp(-(between**2) / 0.9), 0.9, lowered], rtol=1e-12
    )
    assert kept.tolist() == [1, 2, 0]


def test_the_scale_is_the_mean_of_both_areas():
    one = np.zeros((2, 2))
    other = np.full((1, 2, 2), 3.0)
    np.testing.assert_allclose(
        similarity(one, other, 100, [300], SIGMAS), [math.exp(-18 / (2 * 200 * 0.04))], rtol=1e-12
    )


def test_nobody_and_more_than_are_counted():
    assert suppress(np.zeros((0, 2, 2)), [], [], SIGMAS, 0.9).tolist() == []
    apart = np.arange(30)[:, None, None] * 1000.0 + np.zeros((30, 2, 2))
    kept, _ = soften(apart, np.ones(30), np.ones(30), SIGMAS, 0.9)
    assert kept.tolist() == list(range(MOST_SOFT))
    assert len(suppress(apart, np.ones(30), np.ones(30), SIGMAS, 0.9)) == 30


@given(booleans())
def test_rescoring(is_said):
    joints, boxes = np.array([0.5, 0.25]), np.array([0.5, 1.0]) if is_said else None
    found = {how: rescore(joints, boxes, how).tolist() for how in RESCORINGS}
    product, alone = ([0.25, 0.25], [0.5, 1.0]) if is_said else ([0.5, 0.25],) * 2
    assert found == {"product": product, "joints": [0.5, 0.25], "box": alone}


@pytest.mark.parametrize("nms", NMS)
def test_people_stay_in_the_order_of_their_boxes(nms):
    points = np.zeros((3, 17, 2)) + np.array([0, 900, 0])[:, None, None]
    kept, scores = judge_people(
        BoxRules(nms=nms), keypoints=points, joint_scores=np.array([0.5, 0.5, 1]), box_scores=np.array([1, 0.5, 1]),
        areas=np.full(3, 1000.0), sigmas=COCO_17.oks_sigmas,
    )  # fmt: skip
    lowered = 0.5 * math.exp(-1 / 0.9)
    expected = {"none": [0.5, 0.25, 1], "hard": [0.25, 1], "soft": [lowered, 0.25, 1]}[nms]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    assert kept.tolist() == ([1, 2] if nms == "hard" else [0, 1, 2])


def test_the_published_rules():
    assert PUBLISHED.sentence == "scored by box times joints, OKS-NMS at 0.9, boxes of a score from 0 up"
    assert BoxRules(nms="none", max_boxes=3, box_scale=1.5, rescore="box").sentence == (
        "scored by box alone, no NMS, boxes of a score from 0 up, at most 3 an image, grown by 1.5"
    )
    with pytest.raises(ConfigError, match="--nms: expected one of hard, soft, none"):
        BoxRules(nms="both")
