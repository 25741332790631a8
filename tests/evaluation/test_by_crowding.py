"""AP by how crowded photographs are, against pycocotools on files that were parted by hand."""

import numpy as np
import pytest

from cocoprep.coco.truth import read_truth
from cocoprep.evaluation.as_json import evaluation_as_json
from cocoprep.evaluation.by_crowding import without_index
from cocoprep.evaluation.evaluate import evaluate
from cocoprep.evaluation.oks import evaluate_oks
from cocoprep.pose.tables import named_table
from cocoprep.storage.local import LocalFiles
from tests.support.scoring import coco_of, person, predictions_of, write_json

CROWD = named_table("crowdpose-14")


def crowded(rng, index):
    """Return a file of two people an image, whose crowd indices are given; and predictions of them."""
    people = [
        person(n + 1, *[(*rng.uniform(0, 100, 2).tolist(), int(v)) for v in rng.integers(0, 3, 14)], image=n // 2 + 1)
        for n in range(2 * len(index))
    ]
    document = coco_of(*people, images=len(index), table=CROWD)
    for image, value in zip(document["images"], index, strict=True):
        if value is not None:
            image["crowdIndex"] = value
    rows = [
        (
            one["image_id"],
            float(rng.uniform()),
            np.reshape(one["keypoints"], (-1, 3))[:, :2] + rng.normal(0, 3, (14, 2)),
        )
        for one in people
    ]
    return document, predictions_of(*rows)


def test_photographs_are_parted_as_the_published_code_parts_them(tmp_path):
    index = [0, 0.1, 0.15, 0.2, 0.33, 0.79, 0.8, 1.0, 0.19999, None]
    document, predictions = crowded(np.random.default_rng(0), index)
    truth = read_truth(write_json(tmp_path, document), LocalFiles())
    found = evaluate(truth, predictions, CROWD).by_crowding
    parts = {"easy": [1, 2, 3, 9], "medium": [4, 5, 6], "hard": [7, 8]}
    assert list(found) == list(parts)
    for name, images in parts.items():
        part = {
            "images": [one for one in truth.images if one["id"] in images],
            "annotations": [dict(one) for one in truth.document["annotations"] if one["image_id"] in images],
            "categories": truth.document["categories"],
        }
        lines = [line for line in predictions.lines(1) if line["image_id"] in images]
        assert found[name].ap == evaluate_oks(part, lines, CROWD)["AP"]
        assert found[name].images == len(images)
        assert found[name].people == 2 * len(images)
    assert without_index(truth) == 1
    assert len({one.ap for one in found.values()}) == 3


def test_a_part_without_anybody_has_no_figure(tmp_path):
    document, predictions = crowded(np.random.default_rng(1), [0.3, 0.4])
    truth = read_truth(write_json(tmp_path, document), LocalFiles())
    evaluation = evaluate(truth, predictions, CROWD)
    assert (evaluation.by_crowding["easy"].ap, evaluation.by_crowding["easy"].images) == (-1, 0)
    assert evaluation.by_crowding["medium"].ap == evaluation.oks.figures["AP"]
    content = evaluation_as_json(evaluation, CROWD, context={})
    assert content["oks_by_crowding"]["medium"] == {"AP": evaluation.oks.figures["AP"], "images": 2, "people": 4}


@pytest.mark.parametrize("odd", ["0.3", -1, 1.5, True, [0.2]])
def test_what_is_no_index_is_passed_over_and_told(tmp_path, odd):
    document, _ = crowded(np.random.default_rng(1), [0.3, odd])
    truth = read_truth(write_json(tmp_path, document), LocalFiles())
    assert truth.crowd_index == {1: 0.3}
    assert "1 photograph has a crowdIndex that is no number from 0 to 1: passed over" in truth.notes[-1]


def test_nobody_says_so_no_table(tmp_path):
    document, predictions = crowded(np.random.default_rng(1), [None, None])
    truth = read_truth(write_json(tmp_path, document), LocalFiles())
    assert evaluate(truth, predictions, CROWD).by_crowding is None
