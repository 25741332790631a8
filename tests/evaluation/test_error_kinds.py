from __future__ import annotations

import numpy as np
import pytest

from cocoprep.evaluation import pairs
from cocoprep.evaluation.error_kinds import (
    KINDS,
    analyse_errors,
    box_iou,
    crowding,
    labelled_groups,
)
from cocoprep.evaluation.matching import match_people
from tests.support.scoring import HANDS, person, predictions_of, truth_of

FIRST = [(20, 20, 2), (50, 20, 2), (80, 20, 2)]
SECOND = [(20, 80, 2), (50, 80, 1), (80, 80, 2)]


def analyse(tmp_path, people, points, *, annotation_ids=(1,), image=1):
    truth = truth_of(tmp_path, *people, images=2)
    rows = [(image, 0.9, at) for at in points]
    predictions = predictions_of(*rows, annotation_ids=np.array(annotation_ids))
    matches = match_people(truth, predictions, HANDS)
    return truth, predictions, matches, analyse_errors(truth, predictions, matches, HANDS)


def kinds(errors, row=0):
    return [KINDS[kind] if kind >= 0 else None for kind in errors.kind[row].tolist()]


@pytest.mark.parametrize(
    ("left_hand", "expected"),
    [
        ((50, 20), "good"),
        ((53.6, 20), "good"),  # similarity 0.8504
        ((53.7, 20), "jitter"),
        ((57.4, 20), "jitter"),  # 0.504
        ((57.5, 20), "miss"),
        ((80, 20), "inversion"),
        ((80, 27.4), "inversion"),
        ((80, 27.5), "miss"),
        ((20, 20), "miss"),  # on the head, which is not its partner
        ((50, 80), "swap"),
        ((80, 80), "swap"),  # the other's partner
        ((20, 80), "miss"),
        ((900, -900), "miss"),  # out of the image
        ((1e200, 0), "miss"),
    ],
)
def test_kinds_by_hand(tmp_path, left_hand, expected):
    people = person(1, *FIRST), person(2, *SECOND)
    truth, _, _, errors = analyse(tmp_path, people, [[(20, 20), left_hand, (80, 20)]])
    assert kinds(errors) == ["good", expected, "good"]
    assert kinds(errors, 1) == ["undetected"] * 3
    assert errors.other[0, 1] == (2 if expected == "swap" else -1)
    assert errors.distance_px[0, 1] == pytest.approx(np.hypot(left_hand[0] - 50, left_hand[1] - 20))
    assert np.isnan(errors.similarity[1]).all()
    assert errors.tables["joint"]["left_hand"][expected] == 1
    assert truth.counts.all()


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ([(0, 0, 0), (84, 20, 2), (0, 0, 0)], "inversion"),  # 4 pixels away, the own partner 0
        ([(0, 0, 0), (80, 24, 2), (0, 0, 0)], "swap"),  # the own partner is 4 away, the other's joint 0
        ([(0, 0, 0), (80, 22, 2), (0, 0, 0)], "inversion"),  # as near
        ([(0, 0, 0), (0, 0, 0), (80, 24, 2)], "swap"),
        ([(80, 24, 2), (0, 0, 0), (0, 0, 0)], "inversion"),  # the other's head is of no use to a hand
    ],
)
def test_the_nearer_of_inversion_and_swap(tmp_path, other, expected):
    at = {"inversion": (80, 20), "swap": (80, 24)}[expected]
    if other[1] == (80, 22, 2):
        at = (80, 21)
    _, _, _, errors = analyse(tmp_path, [person(1, *FIRST), person(2, *other)], [[(20, 20), at, (80, 20)]])
    assert kinds(errors)[1] == expected


def test_a_swap_is_with_the_nearest_person_and_of_the_same_image(tmp_path):
    third = [(x + 3, y + 1, v) for x, y, v in SECOND]
    people = [person(1, *FIRST), person(2, *SECOND), person(3, *third), person(4, *SECOND, image=2)]
    _, _, _, errors = analyse(tmp_path, people, [[(20, 20), (52.5, 81), (80, 20)]])
    assert errors.other[0].tolist() == [-1, 3, -1]
    alone = [person(1, *FIRST), person(4, *SECOND, image=2)]
    _, _, _, errors = analyse(tmp_path, alone, [[(20, 20), (50, 80), (80, 20)]])
    assert kinds(errors)[1] == "miss"


def test_another_person_is_measured_by_their_own_size(tmp_path):
    for area, expected in ((1000.0, "miss"), (4000.0, "swap")):
        people = [person(1, *FIRST), person(2, *SECOND, area=area)]
        _, _, _, errors = analyse(tmp_path, people, [[(20, 20), (60, 80), (80, 20)]])
        assert kinds(errors)[1] == expected


def test_crowds_are_nobody_to_swap_with(tmp_path):
    people = [person(1, *FIRST), person(2, *SECOND, iscrowd=1)]
    _, _, _, errors = analyse(tmp_path, people, [[(20, 20), (50, 80), (80, 20)]])
    assert kinds(errors) == ["good", "miss", "good"]
    assert kinds(errors, 1) == [None] * 3


def test_joints_that_do_not_count(tmp_path):
    people = [person(1, (20, 20, 2), (0, 0, 0), (80, 20, 1)), person(2, *[(0, 0, 0)] * 3)]
    _, _, _, errors = analyse(tmp_path, people, [[(20, 20), (50, 20), (80, 20)]])
    assert kinds(errors) == ["good", None, "good"]
    assert kinds(errors, 1) == [None] * 3
    assert sum(sum(group.values()) for group in errors.tables["joint"].values()) == 2


def test_an_unlabelled_partner_is_no_inversion(tmp_path):
    people = [person(1, (20, 20, 2), (50, 20, 2), (0, 0, 0))]
    _, _, _, errors = analyse(tmp_path, people, [[(20, 20), (0, 0), (0, 0)]])
    assert kinds(errors) == ["good", "miss", None]


def test_tables_by_hand(tmp_path):
    people = [
        person(1, *FIRST, area=100.0),
        person(2, *SECOND, area=1024.0, bbox=[50, 0, 100, 50]),
        person(3, *FIRST, image=2, area=9216.0),
    ]
    truth, _, _, errors = analyse(tmp_path, people, [[(20, 20), (50, 20), (80, 20)]] * 3, annotation_ids=(1, 3, 99))
    tables = errors.tables
    assert list(tables) == ["joint", "size", "crowding", "labelled joints", "occlusion"]
    assert {size: sum(found.values()) for size, found in tables["size"].items()} == {
        "small": 3, "medium": 3, "large": 3,
    }  # fmt: skip
    assert tables["size"]["small"]["good"] == 3
    assert tables["size"]["medium"]["undetected"] == 3
    assert crowding(truth).tolist() == [1, 1, 0]
    assert {group: sum(found.values()) for group, found in tables["crowding"].items()} == {"0": 3, "1-2": 6, "3+": 0}
    assert sum(tables["occlusion"]["hidden"].values()) == 1
    assert sum(tables["occlusion"]["visible"].values()) == 8
    for table in tables.values():
        assert sum(sum(found.values()) for found in table.values()) == 9
        assert all(tuple(found) == KINDS for found in table.values())


@pytest.mark.parametrize(
    ("joints", "expected"),
    [
        (17, ("1-5", "6-10", "11-15", "16+")),
        (3, ("1+",)),
        (5, ("1+",)),
        (6, ("1-5", "6+")),
        (14, ("1-5", "6-10", "11+")),
        (21, ("1-5", "6-10", "11-15", "16-20", "21+")),
    ],
)
def test_groups_by_labelled_joints(joints, expected):
    assert labelled_groups(joints) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 10, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (20, 20, 5, 5), 0.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
        ((0, 0, 10, 10), (2, 2, 5, 2), 0.1),
    ],
)
def test_iou_by_hand(first, second, expected):
    assert box_iou([first], [second])[0] == pytest.approx(expected)


def naive(truth, predictions, matches, table):
    """Return kind and other of every joint, joint by joint, as the module's own words say."""
    kind, other = np.full(truth.visibility.shape, -1), np.full(truth.visibility.shape, -1)
    people = [n for n in range(len(truth.area)) if truth.counts[n]]

    def similarity(at, n, k):
        if not truth.visibility[n, k]:
            return 0.0
        distance = np.hypot(*(at - truth.keypoints[n, k]))
        return np.exp(-(distance**2) / (2 * truth.area[n] * (2 * table.joints[k].oks_sigma) ** 2))

    for n in people:
        for k in np.flatnonzero(truth.visibility[n]):
            if matches[n] < 0:
                kind[n, k] = KINDS.index("undetected")
                continue
            at, partner = predictions.keypoints[matches[n], k], table.flip_index[k]
            own = similarity(at, n, k)
            if own >= 0.5:
                kind[n, k] = KINDS.index("good" if own >= 0.85 else "jitter")
                continue
            inverted = similarity(at, n, partner) if partner != k else 0.0
            others = [m for m in people if m != n and truth.image_ids[m] == truth.image_ids[n]]
            swaps = [max(similarity(at, m, k), similarity(at, m, partner)) for m in others]
            swapped = max(swaps, default=0.0)
            kind[n, k] = KINDS.index("miss")
            if max(inverted, swapped) >= 0.5:
                kind[n, k] = KINDS.index("inversion" if inverted >= swapped else "swap")
                if swapped > inverted:
                    other[n, k] = truth.annotation_ids[others[int(np.argmax(swaps))]]
    return kind, other


@pytest.mark.parametrize("most", [1, 7, 1 << 18])
def test_a_crowd_is_what_a_loop_over_joints_makes_of_it(tmp_path, monkeypatch, most):
    monkeypatch.setattr(pairs, "MOST_PAIRS", most)
    rng = np.random.default_rng(0)
    people, rows = [], []
    for number in range(1, 61):
        triples = [(*rng.uniform(0, 60, 2).tolist(), int(v)) for v in rng.integers(0, 3, 3)]
        triples = [(x, y, v) if v else (0, 0, 0) for x, y, v in triples]
        image, crowd = int(rng.integers(1, 9)), int(rng.uniform() < 0.1)
        people.append(person(number, *triples, image=image, area=float(rng.uniform(200, 2000)), iscrowd=crowd))
        if rng.uniform() < 0.8:
            at = [triples[n][:2] for n in ((0, 1, 2) if rng.uniform() < 0.5 else (0, 2, 1))]
            rows.append((image, float(rng.integers(0, 4)), (np.array(at) + rng.normal(0, 4, (3, 2))).tolist()))
    truth, predictions = truth_of(tmp_path, *people), predictions_of(*rows)
    matches = match_people(truth, predictions, HANDS)
    errors = analyse_errors(truth, predictions, matches, HANDS)
    kind, other = naive(truth, predictions, matches, HANDS)
    np.testing.assert_array_equal(errors.kind, kind)
    np.testing.assert_array_equal(errors.other, other)
    assert set(np.unique(kind)) == set(range(-1, len(KINDS)))  # every kind is among them
