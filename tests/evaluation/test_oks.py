from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cocoprep.coco.results import read_results, result_lines
from cocoprep.coco.truth import read_truth
from cocoprep.errors import CocoprepError
from cocoprep.evaluation.oks import OKS_FIGURES, evaluate_oks, oks_of_pairs, score_oks
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.storage.local import LocalFiles
from tests.support.scoring import HANDS, coco_of, person, predictions_of, write_json
from tests.support.scoring import truth_of as read_people


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


def test_predictions_of_an_image_that_is_not_listed_are_refused():
    results = result_lines([1, 7, 8], np.zeros((3, 17, 2)), [0.9, 0.9, 0.9], 1)
    with pytest.raises(CocoprepError, match=r"^2 of 3 predictions are of images .*, the first of image_id 7\."):
        evaluate_oks(truth_of(np.ones((17, 3))), results, COCO_17)


def test_no_predictions_are_refused():
    with pytest.raises(CocoprepError, match="no predictions"):
        evaluate_oks(truth_of(np.ones((17, 3))), [], COCO_17)


def plain_figures(truth_path, results_path, table=COCO_17):
    """Return what pycocotools makes of two files, on its own way from them."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(truth_path))
        plain = COCOeval(coco, coco.loadRes(str(results_path)), "keypoints")
        plain.params.kpt_oks_sigmas = table.oks_sigmas
        plain.evaluate()
        plain.accumulate()
        plain.summarize()
    return plain


def our_figures(truth_path, results_path, table=COCO_17):
    truth = read_truth(str(truth_path), LocalFiles(), table)
    return score_oks(truth, read_results(str(results_path), LocalFiles(), truth, table), table)


def assert_equal_to_plain(truth_path, results_path, table=COCO_17):
    ours, plain = our_figures(truth_path, results_path, table), plain_figures(truth_path, results_path, table)
    np.testing.assert_array_equal(list(ours.figures.values()), plain.stats)
    assert tuple(ours.figures) == OKS_FIGURES
    np.testing.assert_array_equal(ours.precision, plain.eval["precision"][:, :, 0, 0, 0])
    np.testing.assert_array_equal(ours.thresholds, plain.params.iouThrs)
    np.testing.assert_array_equal(ours.recalls, plain.params.recThrs)
    return ours.figures


def drawn_truth(rng, *, images=60):
    """Return a ground truth with crowds, people without keypoints, images without people, and sizes of all kinds."""
    people = []
    for number in range(1, 3 * images):
        scale = float(rng.uniform(0.3, 4))
        triples = np.column_stack([rng.uniform(0, 100 * scale, (17, 2)).round(2), rng.integers(0, 3, 17)])
        triples[triples[:, 2] == 0] = 0
        kind = rng.choice(["person", "crowd", "empty"], p=[0.7, 0.1, 0.2])
        if kind != "person":
            triples[:] = 0
        fields = {
            "image": int(rng.integers(1, images + 1)), "area": float((60 * scale) ** 2),
            "iscrowd": int(kind == "crowd"), "bbox": [0, 0, 100 * scale, 100 * scale],
        }  # fmt: skip
        people.append(person(number, *((x, y, int(v)) for x, y, v in triples.tolist()), **fields))
    return coco_of(*people, images=images + 5, table=COCO_17)


def lines_of(truth, rng, *, noise, ties=False, copies=1):
    """Return results on every person, crowds and people without keypoints too, `copies` of each, and some strays."""
    lines = []
    for annotation in [a for a in truth["annotations"] for _ in range(copies)]:
        at = np.array(annotation["keypoints"], float).reshape(-1, 3)[:, :2]
        at[at.sum(axis=1) == 0] = rng.uniform(0, 100, 2)
        moved = at + rng.normal(0, noise, at.shape) * np.sqrt(annotation["area"]) if noise else at
        score = float(rng.integers(1, 4) / 4 if ties else rng.uniform())
        lines += result_lines([annotation["image_id"]], moved[None], [score], 1, rng.uniform(size=(1, 17)))
    return lines


@pytest.mark.parametrize(
    "kind",
    [
        {"noise": 0},
        {"noise": 0.02},
        {"noise": 0.05, "copies": 3},
        {"noise": 0.05, "ties": True},
        {"noise": 0.05, "copies": 4, "ties": True},
        {"noise": 0.2, "copies": 12},  # over twenty an image, of which pycocotools takes the best
    ],
    ids=str,
)
def test_all_ten_figures_equal_a_plain_run(tmp_path, kind):
    rng = np.random.default_rng(1)
    truth = drawn_truth(rng)
    path, results = write_json(tmp_path, truth), write_json(tmp_path, lines_of(truth, rng, **kind), "results.json")
    figures = assert_equal_to_plain(path, results)
    assert 0 < figures["AP"] <= 1
    if not kind["noise"]:
        assert figures["AR"] == 1


def test_all_ten_figures_equal_a_plain_run_on_real_annotations(coco_mini, tmp_path):
    path = coco_mini / "annotations" / "person_keypoints_train2017.json"
    truth, rng = json.loads(path.read_text()), np.random.default_rng(0)
    for noise in (0, 0.03):
        lines = lines_of(truth, rng, noise=noise, copies=2 if noise else 1)
        figures = assert_equal_to_plain(path, write_json(tmp_path, lines, "results.json"))
        assert 0.3 < figures["AP"] <= 1
        # What the build and the training score with is the same.
        assert evaluate_oks(truth, lines, COCO_17) == figures


def test_only_some_images_have_predictions(tmp_path):
    rng = np.random.default_rng(2)
    truth = drawn_truth(rng)
    lines = lines_of(truth, rng, noise=0.02)[:20]
    figures = assert_equal_to_plain(write_json(tmp_path, truth), write_json(tmp_path, lines, "results.json"))
    assert figures["AR"] < 0.3


def test_results_with_boxes_are_sized_by_them(tmp_path):
    """pycocotools takes a prediction's size from its box where the first line has one: APm and APl differ."""
    rng = np.random.default_rng(3)
    truth = drawn_truth(rng)
    lines = lines_of(truth, rng, noise=0.05, copies=2)
    without = assert_equal_to_plain(write_json(tmp_path, truth), write_json(tmp_path, lines, "results.json"))
    for line in lines:
        line["bbox"] = [0, 0, *rng.uniform(1, 300, 2).tolist()]
    boxed = assert_equal_to_plain(write_json(tmp_path, truth), write_json(tmp_path, lines, "results.json"))
    assert boxed["APm"] != without["APm"]
    assert boxed["AP"] == without["AP"]


def test_a_second_category_takes_no_part(tmp_path):
    rng = np.random.default_rng(5)
    truth = drawn_truth(rng)
    truth["categories"].append({"id": 7, "name": "dog"})
    lines = lines_of(truth, rng, noise=0.05)
    assert_equal_to_plain(write_json(tmp_path, truth), write_json(tmp_path, lines, "results.json"))


def test_other_joints_than_cocos(tmp_path):
    people = [person(n, (10, 10, 2), (20 + n, 20, 1), (0, 0, 0), image=n) for n in range(1, 9)]
    rng = np.random.default_rng(4)
    at = np.array([p["keypoints"] for p in people], float).reshape(-1, 3, 3)[..., :2]
    lines = result_lines(range(1, 9), at + rng.normal(0, 6, at.shape), rng.uniform(size=8), 1)
    paths = write_json(tmp_path, coco_of(*people)), write_json(tmp_path, lines, "results.json")
    assert 0 < assert_equal_to_plain(*paths, HANDS)["AP"] < 1


def test_nobody_to_find_is_minus_one(tmp_path):
    truth = read_people(tmp_path, person(1, *[(0, 0, 0)] * 3))
    figures = score_oks(truth, predictions_of((1, 0.5, [(0, 0)] * 3)), HANDS).figures
    assert set(figures.values()) == {-1}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_arrays_that_are_no_numbers_are_refused(tmp_path, bad):
    truth = read_people(tmp_path, person(1, *[(1, 1, 2)] * 3))
    predictions = predictions_of((1, 0.5, [(0, 0)] * 3), (1, 0.4, [(0, 0), (0, bad), (0, 0)]))
    with pytest.raises(CocoprepError, match="line 1, image_id 1"):
        score_oks(truth, predictions, HANDS)


def test_far_away_is_wrong_and_no_warning(tmp_path):
    truth = read_people(tmp_path, person(1, *[(1, 1, 2)] * 3))
    assert score_oks(truth, predictions_of((1, 0.5, [(1e200, -1e200)] * 3)), HANDS).figures["AP"] == 0


def test_scoring_changes_neither_truth_nor_predictions(tmp_path):
    truth = read_people(tmp_path, person(1, *[(1, 1, 2)] * 3))
    before = json.dumps(truth.document)
    lines = predictions_of((1, 0.5, [(1, 1)] * 3)).lines(1)
    kept = json.dumps(lines)
    evaluate_oks(truth.document, lines, HANDS)
    score_oks(truth, predictions_of((1, 0.5, [(1, 1)] * 3)), HANDS)
    assert (json.dumps(truth.document), json.dumps(lines)) == (before, kept)


@pytest.mark.parametrize(
    ("apart", "visibility", "expected"),
    [
        ([0, 0, 0], [2, 1, 2], 1.0),
        ([0, 0, 8], [2, 2, 2], (2 + np.exp(-64 / 80)) / 3),
        ([0, 0, 8], [2, 2, 0], 1.0),
        ([8, 0, 0], [1, 0, 0], np.exp(-64 / 80)),
        ([0, 0, 0], [0, 0, 0], np.nan),
        ([1e200, 0, 0], [1, 1, 0], 0.5),
    ],
)
def test_oks_of_a_pair_by_hand(apart, visibility, expected):
    truth = np.full((1, 3, 2), 7.0)
    predicted = truth + np.array(apart)[None, :, None] * [0, 1]
    np.testing.assert_allclose(oks_of_pairs(predicted, truth, [visibility], [1000.0], HANDS.oks_sigmas), [expected])


def test_an_area_of_zero_leaves_only_the_place_itself():
    found = oks_of_pairs([[[0, 0]], [[1, 0]]], np.zeros((2, 1, 2)), [[2], [2]], [0, 0], [0.1])
    assert found.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["crowdpose-14", "lsp-14"])
def test_fourteen_joints_score_as_pycocotools_with_the_same_sigmas_to_the_bit(name, tmp_path):
    table, rng = named_table(name), np.random.default_rng(3)
    people, lines = [], []
    for number in range(1, 41):
        points = rng.uniform(0, 200, (14, 2))
        seen = rng.integers(0, 3, 14)
        flat = np.column_stack([points * (seen > 0)[:, None], seen]).ravel().tolist()
        people.append(
            {
                "id": number,
                "image_id": 1 + number // 4,
                "category_id": 3,
                "iscrowd": 0,
                "keypoints": flat,
                "num_keypoints": int((seen > 0).sum()),
                "bbox": [0, 0, 200, 200],
                "area": float(rng.uniform(1e3, 2e4)),
            }
        )
        moved = points + rng.normal(0, rng.uniform(0, 12), (14, 2))
        flat = np.column_stack([moved, rng.random(14)]).ravel().tolist()
        lines.append({"image_id": 1 + number // 4, "category_id": 3, "keypoints": flat, "score": float(rng.random())})
    content = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 200, "height": 200} for n in range(1, 12)],
        "annotations": people,
        "categories": [{"id": 3, "name": "person", "keypoints": list(table.names)}],
    }
    truth_file, results_file = write_json(tmp_path, content), write_json(tmp_path, lines, "r.json")
    truth = read_truth(str(truth_file), LocalFiles())
    ours = score_oks(truth, read_results(str(results_file), LocalFiles(), truth, truth.table), truth.table)

    with contextlib.redirect_stdout(io.StringIO()):
        theirs = COCO(str(truth_file))
        evaluation = COCOeval(theirs, theirs.loadRes(str(results_file)), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array([joint.oks_sigma for joint in table.joints])
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert list(ours.figures.values()) == evaluation.stats.tolist()
    assert 0.2 < ours.figures["AP"] < 0.95
    assert np.array_equal(ours.precision, evaluation.eval["precision"][:, :, 0, 0, 0])
