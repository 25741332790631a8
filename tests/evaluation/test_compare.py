"""Results held against each other: figures as `evaluate` has them, intervals of the same draws, plain verdicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.evaluation.bootstrap import Interval, draw_copies, interval_of, share_beyond, students_t
from cocoprep.evaluation.compare import NOT_DISTINGUISHABLE, TOO_FEW, UNKNOWN, compare, compared_as_json, verdict
from cocoprep.evaluation.evaluate import evaluate
from cocoprep.evaluation.oks import OKS_FIGURES, score_oks
from cocoprep.evaluation.pck import PCK_THRESHOLDS
from tests.support.scoring import HANDS, person, predictions_of, truth_of


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    rng = np.random.default_rng(1)
    people = []
    for number in range(1, 61):
        seen = [2, *rng.integers(0, 3, 2).tolist()]
        at = rng.uniform(0, 90, (3, 2)).round(1).tolist()
        triples = [(*point, v) if v else (0, 0, 0) for point, v in zip(at, seen, strict=True)]
        area = float(rng.choice([500, 3000, 12_000]))
        people.append(person(number, *triples, image=int(rng.integers(1, 31)), area=area, bbox=[0, 0, 90, 90]))
    return truth_of(tmp_path_factory.mktemp("compare"), *people, images=33)


def predicted(truth, noise, seed=2):
    rng = np.random.default_rng(seed)
    rows = [
        (int(image), float(rng.uniform()), (at + rng.normal(0, noise, at.shape)).tolist())
        for image, at in zip(truth.image_ids, truth.keypoints, strict=True)
    ]
    return predictions_of(*rows)


def test_figures_are_those_of_an_evaluation(truth):
    both = {"good": predicted(truth, 3), "bad": predicted(truth, 9, seed=3)}
    compared = compare(truth, both, HANDS, draws=100)
    for name, predictions in both.items():
        found, figures = evaluate(truth, predictions, HANDS), compared.figures[name]
        assert {key: figures[key].value for key in OKS_FIGURES} == found.oks.figures
        box = found.pck["box"]
        assert [figures[f"PCK@{t:g}"].value for t in PCK_THRESHOLDS] == box.pck.total.tolist()
        assert figures["AUC"].value == pytest.approx(box.auc, abs=1e-12)
        by_joint = [figures[f"AUC of {joint}"].value for joint in HANDS.names]
        assert by_joint == pytest.approx(box.auc_per_joint.tolist(), abs=1e-12)
        assert all(one.low <= one.high for one in figures.values() if np.isfinite(one.low))
    assert compared.differences["bad"]["AP"].value == figures["AP"].value - compared.figures["good"]["AP"].value
    assert verdict(compared.differences["bad"]["AP"]) == "worse"
    assert verdict(compare(truth, dict(reversed(both.items())), HANDS, draws=100).differences["good"]["AP"]) == "better"


def test_an_interval_is_of_figures_over_drawn_photographs(truth):
    """By a loop: the people of each drawn photograph, as often as it is drawn."""
    both = {"one": predicted(truth, 3), "other": predicted(truth, 4, seed=3)}
    compared = compare(truth, both, HANDS, draws=100, seed=5)
    images = sorted(image["id"] for image in truth.images)
    aucs = []
    for row in draw_copies(len(images), draws=100, seed=5):
        sums = []
        for side in compared.sides.values():
            credit = weight = 0.0
            for n in np.flatnonzero(truth.counts):
                labelled = truth.visibility[n] > 0
                apart = np.linalg.norm(side.predictions.keypoints[side.matches[n]] - truth.keypoints[n], axis=1)
                right = apart <= 0.1 * 90 if side.matches[n] >= 0 else np.zeros(3, bool)
                copies = row[images.index(truth.image_ids[n])]
                credit, weight = credit + copies * (right & labelled).sum(), weight + copies * labelled.sum()
            sums.append(credit / weight)
        aucs.append(sums[1] - sums[0])
    found = compared.differences["other"]["PCK@0.1"]
    beyond = share_beyond(len(set(truth.image_ids[truth.counts].tolist())), 0.95)
    assert [found.low, found.high] == pytest.approx(np.quantile(aucs, [beyond, 1 - beyond]).tolist())


@pytest.mark.parametrize(("freedom", "table"), [(4, 2.776), (9, 2.262), (29, 2.045), (99, 1.984), (10**6, 1.960)])
def test_students_t_as_in_tables(freedom, table):
    assert students_t(0.975, freedom) == pytest.approx(table, rel=1e-3)


def test_intervals_of_few_photographs_reach_farther():
    """Of the mean of normal numbers, whose interval Student's t knows."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        some = rng.normal(0, 1, 8)
        drawn = some[rng.integers(8, size=(400, 8))].mean(axis=1)
        found = interval_of(some.mean(), drawn, photographs=8)
        held += found.low <= 0 <= found.high
    assert 0.93 <= held / 400 <= 0.97  # of plain percentiles 0.90
    assert share_beyond(2, 0.95) < 1e-9  # of two there are the draws' own ends
    assert share_beyond(10**6, 0.95) == pytest.approx(0.025, abs=1e-6)


def test_one_result_twice_is_not_distinguishable(truth):
    predictions = predicted(truth, 5)
    compared = compare(truth, {"one": predictions, "same": replace(predictions)}, HANDS, draws=100)
    assert {verdict(one) for one in compared.differences["same"].values()} <= {NOT_DISTINGUISHABLE, UNKNOWN}
    assert compared.differences["same"]["AP"] == Interval(0, 0, 0)
    assert not len(compared.farthest_apart("same", 5))


def test_the_same_seed_gives_the_same_intervals(truth):
    both = {"one": predicted(truth, 5), "other": predicted(truth, 5, seed=9)}
    first, again, others = (compare(truth, both, HANDS, draws=100, seed=seed) for seed in (1, 1, 2))
    as_json = [compared_as_json(one, context={}) for one in (first, again, others)]
    assert as_json[0] == as_json[1]
    assert as_json[0]["figures"]["one"]["AP"]["low"] != as_json[2]["figures"]["one"]["AP"]["low"]
    assert as_json[0]["figures"]["one"]["AP"]["value"] == score_oks(truth, both["one"], HANDS).figures["AP"]


def test_draws_in_blocks_are_those_of_all_at_once(truth, monkeypatch):
    """Else 100,000 draws of COCO's photographs would take gigabytes more."""
    from cocoprep.evaluation import drawn_figures

    copies = draw_copies(len(truth.images), draws=100, seed=2)
    assert copies.dtype == np.int32
    at_once = drawn_figures.measure_drawn(truth, predicted(truth, 5), HANDS, copies)
    monkeypatch.setattr(drawn_figures, "_DRAWS", 30)
    measured = drawn_figures.measure_precision
    shapes = []
    monkeypatch.setattr(
        drawn_figures, "measure_precision", lambda found, some: [shapes.append(len(some)), measured(found, some)][1]
    )
    blocks = drawn_figures.measure_drawn(truth, predicted(truth, 5), HANDS, copies)
    assert shapes == [30, 30, 30, 10]
    assert list(blocks.drawn) == list(at_once.drawn)
    for name, values in at_once.drawn.items():
        np.testing.assert_allclose(blocks.drawn[name], values, rtol=1e-12)


def test_people_farthest_apart_come_first_and_who_is_missed_has_an_oks_of_0(truth):
    good = predicted(truth, 0)
    kept = np.arange(len(good)) != 7
    fields = ("image_ids", "keypoints", "confidence", "scores")
    fewer = replace(good, **{name: getattr(good, name)[kept] for name in fields})
    compared = compare(truth, {"all": good, "fewer": fewer}, HANDS, draws=100)
    assert compared.farthest_apart("fewer", 5).tolist() == [7]
    (row,) = compared_as_json(compared, context={})["people_farthest_apart"]["fewer"]
    assert row["annotation_id"] == truth.annotation_ids[7]
    assert row["oks"] == {"all": 1.0, "fewer": 0.0}


def test_what_nobody_stands_behind_is_said(tmp_path):
    two = [person(number, *[(1, 1, 2)] * 3, area=100.0, image=number) for number in (1, 2)]
    small = truth_of(tmp_path, *two, images=3)
    both = {"one": predictions_of((1, 0.5, [(1, 1)] * 3)), "other": predictions_of((1, 0.5, [(90, 1)] * 3))}
    compared = compare(small, both, HANDS, draws=100)
    assert verdict(compared.differences["other"]["APl"]) == UNKNOWN
    assert compared_as_json(compared, context={})["differences"]["other"]["APl"]["value"] is None


def test_a_figure_of_few_photographs_is_never_called_better_or_worse(tmp_path):
    """Small people are on five photographs alone: all draws agree, whatever is true of others."""

    def people(small):
        areas = [100.0 if number <= small else 3000.0 for number in range(1, 13)]
        return [person(n, *[(1, 1, 2)] * 3, area=area, image=n) for n, area in enumerate(areas, start=1)]

    both = {
        name: predictions_of(*[(number, 0.5, [(x, 1)] * 3) for number in range(1, 13)])
        for name, x in (("near", 1), ("far", 30))
    }
    for small, said in ((5, TOO_FEW), (6, "worse")):
        compared = compare(truth_of(tmp_path, *people(small)), both, HANDS, draws=100)
        found = compared.differences["far"]["AUC, small"]
        assert found.value < 0
        assert verdict(found) == said
        assert compared.sides["far"].photographs["AUC, small"] == small
        assert verdict(compared.differences["far"]["AUC"]) == "worse"


def test_what_is_labelled_on_few_photographs_has_no_interval(tmp_path):
    people = [person(n, (1, 1, 2), (1, 1, 2), (1, 1, 2 if n < 4 else 0), image=n) for n in range(1, 11)]
    both = {
        name: predictions_of(*[(number, 0.5, [(x, 1)] * 3) for number in range(1, 11)])
        for name, x in (("near", 1), ("far", 30))
    }
    compared = compare(truth_of(tmp_path, *people), both, HANDS, draws=100)
    said = {name: verdict(one) for name, one in compared.differences["far"].items()}
    assert (said["AUC of head"], said["AUC of right_hand"], said["APm"]) == ("worse", TOO_FEW, UNKNOWN)
    assert said["AP"] == "worse"
    as_json = compared_as_json(compared, context={})["differences"]["far"]["AUC of right_hand"]
    assert (as_json["low"], as_json["high"], as_json["verdict"]) == (None, None, TOO_FEW)


def test_draws_without_anybody_say_nothing():
    assert interval_of(0.5, [np.nan, 0.4, 0.6], photographs=9) == interval_of(0.5, [0.4, 0.6], photographs=9)


def test_people_on_one_photograph_say_nothing_of_others(tmp_path):
    alone = truth_of(tmp_path, person(1, *[(1, 1, 2)] * 3), images=3)
    both = {name: predictions_of((1, 0.5, [(1, 1)] * 3)) for name in ("one", "other")}
    with pytest.raises(CocoprepError, match="people on two photographs at least, found them on 1"):
        compare(alone, both, HANDS, draws=100)


def test_too_few_results_or_draws(truth):
    one = predicted(truth, 1)
    with pytest.raises(ConfigError, match="two results at least"):
        compare(truth, {"one": one}, HANDS)
    with pytest.raises(ConfigError, match="--draws"):
        compare(truth, {"one": one, "other": one}, HANDS, draws=1)
