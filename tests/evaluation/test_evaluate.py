from __future__ import annotations

import json
import math

import numpy as np
import pytest

from cocoprep.errors import CocoprepError
from cocoprep.evaluation.as_json import evaluation_as_json, thresholds_as_json
from cocoprep.evaluation.evaluate import evaluate
from tests.support.scoring import HANDS, person, predictions_of, truth_of

PEOPLE = (
    person(1, (10, 10, 2), (20, 20, 2), (30, 30, 1)),
    person(2, (60, 10, 2), (70, 20, 2), (0, 0, 0)),
    person(3, (10, 10, 2), (20, 20, 2), (30, 30, 2), image=2),
    person(4, *[(0, 0, 0)] * 3, image=2),
)
ROWS = (1, 0.9, [(10, 10), (20, 20), (30, 30)]), (1, 0.8, [(60, 10), (70, 20), (0, 0)])
SURE = np.array([[0.9, 0.9, 0.8], [0.7, 0.6, 0.1]])


@pytest.fixture
def found(tmp_path):
    return evaluate(truth_of(tmp_path, *PEOPLE, images=3), predictions_of(*ROWS, confidence=SURE), HANDS)


def test_everything_is_measured(found):
    assert found.matches.tolist() == [0, 1, -1, -1]
    np.testing.assert_array_equal(found.person_oks, [1, 1, np.nan, np.nan])
    assert found.oks.figures["AR"] == pytest.approx(2 / 3)
    assert found.pck["box"].pck.total.tolist() == [5 / 8] * 4
    assert (found.end_point.mean_px, found.end_point.people, found.end_point.undetected) == (0, 2, 1)
    assert found.errors.tables["joint"]["head"]["undetected"] == 1
    assert found.joints.thresholds.tolist() == [0.7, 0.6, 0.8]
    assert found.joints.people == 2


def test_builtins_are_json_unrounded(found):
    content = evaluation_as_json(found, HANDS, context={"run": "r"})
    again = json.loads(json.dumps(content, allow_nan=False))
    assert again == content
    assert next(iter(content)) == "run"
    assert content["counts"] == {
        "images": 3, "annotations": 4, "people": 3, "predictions": 2, "people_predicted": 2,
    }  # fmt: skip
    assert content["oks"] == found.oks.figures
    box = content["pck"]["box"]
    assert box["joints"] == 8
    assert box["joints_per_joint"] == {"head": 3, "left_hand": 3, "right_hand": 2}
    assert box["at"]["0.1"] == {"total": 5 / 8, "per_joint": {"head": 2 / 3, "left_hand": 2 / 3, "right_hand": 0.5}}
    assert content["pck"]["head"]["auc"] is None  # nobody has a head of two joints
    assert content["pck"]["head"]["people_without_unit"] == 3
    assert content["end_point_error"]["per_joint"]["head"] == {"mean_px": 0.0, "median_px": 0.0, "joints": 2}
    assert content["errors"] == found.errors.tables
    assert content["confidence"] == thresholds_as_json(found.joints, HANDS)
    assert content["confidence"]["per_joint"]["right_hand"]["threshold"] == 0.8


def test_equal_confidences_give_no_thresholds(tmp_path):
    truth = truth_of(tmp_path, *PEOPLE)
    found = evaluate(truth, predictions_of(*ROWS), HANDS)
    assert found.joints is None
    assert evaluation_as_json(found, HANDS, context={})["confidence"] is None


def test_nobody_is_near(tmp_path):
    truth = truth_of(tmp_path, *PEOPLE)
    found = evaluate(truth, predictions_of((2, 0.5, [(900, 900)] * 3), confidence=SURE[:1]), HANDS)
    assert (found.matches == -1).all()
    assert found.joints is None
    assert math.isnan(found.end_point.mean_px)
    assert found.pck["box"].pck.total.tolist() == [0] * 4
    assert json.dumps(evaluation_as_json(found, HANDS, context={}), allow_nan=False)


def test_thresholds_are_the_callers(tmp_path):
    truth = truth_of(tmp_path, *PEOPLE)
    found = evaluate(truth, predictions_of(*ROWS), HANDS, thresholds=[0.3])
    assert {unit: figures.pck.thresholds for unit, figures in found.pck.items()} == {
        "box": (0.3,), "torso": (0.3,), "head": (0.3,),
    }  # fmt: skip


def test_no_predictions_are_refused(tmp_path):
    empty = predictions_of(*ROWS)
    empty = type(empty)(empty.image_ids[:0], empty.keypoints[:0], empty.confidence[:0], empty.scores[:0])
    with pytest.raises(CocoprepError, match="no predictions"):
        evaluate(truth_of(tmp_path, *PEOPLE), empty, HANDS)
