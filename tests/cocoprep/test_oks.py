from __future__ import annotations

import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cocoprep.errors import CocoprepError
from cocoprep.keypoints import COCO_17
from cocoprep.oks import OKS_FIGURES, evaluate_oks
from cocoprep.results import result_lines


def truth_of(keypoints, area=1000.0, num=None):
    flat = np.asarray(keypoints, float).ravel().tolist()
    labelled = sum(map(bool, flat[2::3])) if num is None else num
    return {
        "images": [{"id": 1, "width": 100, "height": 100}],
        "annotations": [
            {
                "id": 5, "image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50], "area": area, "iscrowd": 0,
                "num_keypoints": labelled, "keypoints": flat,
            }
        ],
        "categories": [{"id": 1, "name": "person"}],
    }  # fmt: skip


def test_a_perfect_prediction_scores_one():
    keypoints = np.column_stack([np.arange(17), np.arange(17), np.full(17, 2)])
    results = result_lines([1], keypoints[None, :, :2].astype(float), [0.9], 1)
    figures = evaluate_oks(truth_of(keypoints), results, COCO_17)
    assert figures["AP"] == pytest.approx(1)
    assert figures["AR"] == pytest.approx(1)


def test_oks_by_hand_decides_between_thresholds():
    """One joint, the nose, off by d: OKS = exp(-d^2 / (2 area (2 sigma)^2))."""
    keypoints = np.zeros((17, 3))
    keypoints[0] = (50, 50, 2)
    variance = (2 * 0.026) ** 2
    distance = np.sqrt(-2 * np.log(0.72) * 1000 * variance)  # OKS 0.72: right at 0.50 to 0.70, wrong from 0.75
    predicted = keypoints[None, :, :2] + [[[distance, 0]]]
    figures = evaluate_oks(truth_of(keypoints), result_lines([1], predicted, [1.0], 1), COCO_17)
    assert figures["AP"] == pytest.approx(0.5)
    assert figures["AP75"] == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_no_numbers_are_refused(bad):
    """Bare pycocotools scores them as AP 1.0."""
    keypoints = np.ones((17, 3))
    results = result_lines([1], np.full((1, 17, 2), bad), [1.0], 1)
    with pytest.raises(CocoprepError, match="line 0, image_id 1"):
        evaluate_oks(truth_of(keypoints), results, COCO_17)


def test_no_predictions_are_refused():
    with pytest.raises(CocoprepError, match="no predictions"):
        evaluate_oks(truth_of(np.ones((17, 3))), [], COCO_17)


def test_all_ten_figures_equal_plain_pycocotools_on_noisy_results(coco_mini, tmp_path, capsys):
    path = coco_mini / "annotations" / "person_keypoints_train2017.json"
    truth, rng = json.loads(path.read_text()), np.random.default_rng(0)
    points = np.array([a["keypoints"] for a in truth["annotations"]], float).reshape(-1, 17, 3)[..., :2]
    noisy = points + rng.normal(0, 4, points.shape)
    lines = result_lines([a["image_id"] for a in truth["annotations"]], noisy, rng.uniform(size=len(points)), 1)
    ours = evaluate_oks(truth, lines, COCO_17)
    coco = COCO(str(path))
    plain = COCOeval(coco, coco.loadRes(lines), "keypoints")
    plain.evaluate()
    plain.accumulate()
    plain.summarize()
    np.testing.assert_array_equal([ours[name] for name in OKS_FIGURES], plain.stats)
    assert 0 < ours["AP"] < 1
