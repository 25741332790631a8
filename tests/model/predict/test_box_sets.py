"""People looked for on photographs: in the truth's boxes as a built folder has them, and in a detector's."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cocoprep.coco.truth import read_truth
from cocoprep.crops.orientation import ExifTally
from cocoprep.evaluation.as_json import evaluation_as_json
from cocoprep.evaluation.box_rules import PUBLISHED, BoxRules
from cocoprep.evaluation.evaluate import evaluate
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.model.predict.box_sets import BoxSet, predict_box_sets, truth_boxes
from cocoprep.model.predict.folder import predict_folder
from cocoprep.model.predict.named import Photographs
from cocoprep.model.predict.predictor import Predictor, open_predictor
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.sample import write_sample
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.shards.settings import crop_record
from cocoprep.storage.local import LocalFiles
from tests.support.painted import colour_network, detections, paint_truth
from tests.support.runs import write_run

EVERYBODY = BoxRules(nms="none", rescore="product")


@pytest.fixture(scope="module")
def built(people_folder, tmp_path_factory):
    """Return a built folder, its ground truth, photographs, and a run."""
    data = people_folder(images=5, shards=2)
    run = str(write_run(tmp_path_factory.mktemp("runs") / "run", data))
    truth = read_truth(str(data / GROUND_TRUTH), LocalFiles(), COCO_17)
    photographs = Photographs({"": str(data.parent / "coco" / "train2017")}, LocalFiles())
    return data, truth, photographs, run


def no_fault(name, fault):
    raise AssertionError(f"{name}: {fault}")


def detector(lines, rules=PUBLISHED):
    """Return the set of boxes that a list has."""
    return BoxSet(
        np.array([line["image_id"] for line in lines], np.int64), np.array([line["bbox"] for line in lines], float),
        np.array([line["score"] for line in lines], float), rules=rules,
    )  # fmt: skip


def figures_of(truth, predictions):
    return evaluation_as_json(evaluate(truth, predictions, COCO_17), COCO_17, context={})


@pytest.mark.parametrize("flip_test", [pytest.param(False, marks=pytest.mark.long), True])
def test_every_figure_is_that_of_the_built_folder_to_the_bit(built, flip_test):
    """In the boxes of its people, by its crops' settings, and with its JPEG coding repeated."""
    data, truth, photographs, run = built
    predictor, dataset = open_predictor(run, flip_test=flip_test), open_dataset(data)
    stored, _ = predict_folder(predictor, str(data), batch_size=4)
    (looked,) = predict_box_sets(
        predictor, truth, [truth_boxes(truth)], photographs, no_fault, batch_size=4, coded=dataset.manifest.crop
    )
    found = looked.predictions
    assert (looked.boxes, looked.twice, len(found)) == (10, 0, 10)
    order, other = np.argsort(stored.annotation_ids), np.argsort(found.annotation_ids)
    for name in ("annotation_ids", "image_ids", "keypoints", "confidence", "scores"):
        np.testing.assert_array_equal(getattr(stored, name)[order], getattr(found, name)[other])
    assert figures_of(truth, found) == figures_of(truth, stored)
    # A detector that finds these boxes and is sure of them: OKS is the same, and the rest as of any results.
    boxes = BoxSet(truth.image_ids[truth.counts], truth.bbox[truth.counts], np.ones(10), rules=EVERYBODY)
    (looked,) = predict_box_sets(
        predictor, truth, [boxes], photographs, no_fault, batch_size=4, coded=dataset.manifest.crop
    )
    unknown = replace(stored, annotation_ids=None)
    assert evaluate(truth, looked.predictions, COCO_17).oks.figures == evaluate(truth, unknown, COCO_17).oks.figures


def test_without_the_coding_crops_are_others(built):
    data, truth, photographs, run = built
    predictor = open_predictor(run)
    coded, plain = (
        predict_box_sets(predictor, truth, [truth_boxes(truth)], photographs, no_fault, coded=coding)[0].predictions
        for coding in (open_dataset(data).manifest.crop, None)
    )
    assert np.abs(coded.confidence - plain.confidence).max() > 0


def test_several_sets_are_those_of_each_alone_and_photographs_are_read_once(built, monkeypatch):
    _, truth, photographs, run = built
    predictor = open_predictor(run)
    lines = detections(truth, jitter=0.1, doubled=0.5)
    sets = [truth_boxes(truth), detector(lines), detector(lines[::2], BoxRules(rescore="joints"))]
    sets.append(detector(lines, BoxRules(box_scale=2.0)))
    loaded, told, load = [], [], Photographs.load
    monkeypatch.setattr(Photographs, "load", lambda self, source, info: loaded.append(info) or load(self, source, info))
    together = predict_box_sets(
        predictor, truth, sets[:3], photographs, no_fault, batch_size=4, on_people=lambda *n: told.append(n)
    )
    assert sorted(info.image_id for info in loaded) == [1, 2, 3, 4, 5]
    total = sum(map(len, sets[:3]))
    assert told[0] == (0, total)
    assert told[-1] == (total, total)
    together.append(predict_box_sets(predictor, truth, sets, photographs, no_fault, batch_size=4)[3])
    for one, found in zip(sets, together, strict=True):
        (alone,) = predict_box_sets(predictor, truth, [one], photographs, no_fault, batch_size=4)
        np.testing.assert_allclose(found.predictions.keypoints, alone.predictions.keypoints, atol=1e-3)
        np.testing.assert_allclose(found.predictions.scores, alone.predictions.scores, atol=1e-5)
        assert found.boxes == len(one)
    assert together[0].predictions.box_scores is None
    assert np.abs(together[3].predictions.keypoints[0] - together[1].predictions.keypoints[0]).max() > 0.1


def test_what_cannot_be_looked_at_is_told(built):
    data, truth, _, run = built
    empty = data.parent / "empty"
    empty.mkdir()
    faults = []
    tally = ExifTally()
    (looked,) = predict_box_sets(
        open_predictor(run), truth, [truth_boxes(truth)], Photographs({"": str(empty)}, LocalFiles(), tally=tally),
        lambda name, fault: faults.append(fault),
    )  # fmt: skip
    assert (len(looked.predictions), looked.boxes, len(faults)) == (0, 0, 5)
    assert looked.predictions.keypoints.shape == (0, 17, 2)


CROP = crop_record(CropConfig(input_size=(128, 96)))


@pytest.fixture(scope="module", params=["drawn", "coco"])
def painted(request, tmp_path_factory):
    """Return a ground truth, of drawn people or of real ones, over which photographs are painted."""
    folder = tmp_path_factory.mktemp("painted")
    if request.param == "coco":
        annotations = request.getfixturevalue("coco_mini") / "annotations/person_keypoints_train2017.json"
    else:
        write_sample(folder / "sample", images=16)
        annotations = folder / "sample/annotations/person_keypoints_train2017.json"
    path, photographs = paint_truth(annotations, folder / "painted", images=12)
    truth = read_truth(str(path), LocalFiles(), COCO_17)
    return truth, Photographs({"": str(photographs)}, LocalFiles())


@pytest.fixture(scope="module")
def predictor():
    return Predictor(colour_network(CROP), CROP, COCO_17)


WORSE = {
    "as they are": {},
    "jittered": {"jitter": 0.12},
    "more": {"jitter": 0.3},
    "missed": {"missed": 0.4},
    "false": {"false": 1},
    "all": {"jitter": 0.3, "missed": 0.4, "false": 0.5, "doubled": 0.5},
}


def test_ap_falls_as_boxes_get_worse_and_is_what_a_plain_script_finds(painted, predictor):
    truth, photographs = painted
    sets = {name: detector(detections(truth, **how)) for name, how in WORSE.items()}
    doubled = detections(truth, doubled=1)
    sets["doubled"] = detector(doubled)
    sets["doubled, left"] = detector(doubled, EVERYBODY)
    looked = predict_box_sets(predictor, truth, list(sets.values()), photographs, no_fault)
    ap = {}
    for (name, one), found in zip(sets.items(), looked, strict=True):
        evaluation = evaluate(truth, found.predictions, COCO_17)
        ap[name] = evaluation.oks.figures["AP"]
        assert evaluation.oks.figures == bare_pycocotools(truth, found.predictions.lines(1))
        if one.rules is PUBLISHED:
            lines = plain_script(predictor, truth, one, photographs)
            assert bare_pycocotools(truth, lines) == pytest.approx(evaluation.oks.figures, abs=1e-12)
    assert ap["as they are"] > 0.4
    assert ap["as they are"] > ap["jittered"] > ap["more"] > ap["all"]
    assert ap["as they are"] > ap["missed"]
    assert ap["as they are"] > ap["false"]
    assert ap["as they are"] >= ap["doubled"] > ap["doubled, left"]


def bare_pycocotools(truth, lines):
    """Score results lines with pycocotools and nothing else."""
    coco = COCO()
    coco.dataset = json.loads(json.dumps(truth.document))
    coco.createIndex()
    found = COCOeval(coco, coco.loadRes(json.loads(json.dumps(lines))), "keypoints")
    found.evaluate()
    found.accumulate()
    found.summarize()
    return dict(zip(OKS_FIGURES, map(float, found.stats), strict=True))


def plain_script(predictor, truth, boxes, photographs):
    """Rescore and suppress, one person after another, what is found in every box: as the published code does it."""
    everybody = replace(boxes, scores=None, rules=None, annotation_ids=np.arange(len(boxes)))
    (looked,) = predict_box_sets(predictor, truth, [everybody], photographs, no_fault)
    found, lines = looked.predictions, []
    for image_id in sorted(set(found.image_ids.tolist())):
        people = []
        for n in np.flatnonzero(found.image_ids == image_id):
            row, confidence = found.annotation_ids[n], found.confidence[n]
            sure = [one for one in confidence if one > 0.2] or confidence
            width, height = clipped_size(boxes.bbox[row], *truth_size(truth, image_id))
            width = 1.25 * max(width, height * 96 / 128)
            area = width * width * 128 / 96
            people.append((boxes.scores[row] * sum(sure) / len(sure), found.keypoints[n], confidence, area))
        kept = []
        for person in sorted(people, key=lambda one: -one[0]):
            if all(oks(person, other) <= 0.9 for other in kept):
                kept.append(person)
        for score, joints, confidence, _ in kept:
            triples = np.column_stack([joints, confidence]).ravel().tolist()
            lines.append({"image_id": image_id, "category_id": 1, "keypoints": triples, "score": score})
    return lines


def oks(one, other):
    distance = ((one[1] - other[1]) ** 2).sum(axis=1)
    spread = (2 * np.array(COCO_17.oks_sigmas)) ** 2
    return np.exp(-distance / spread / ((one[3] + other[3]) / 2 + np.spacing(1)) / 2).mean()


def truth_size(truth, image_id):
    (size,) = [(one["width"], one["height"]) for one in truth.images if one["id"] == image_id]
    return size


def clipped_size(box, width, height):
    """Return the width and height of what of a box is on its photograph."""
    return np.clip(box[:2] + box[2:], 0, (width, height)) - np.clip(box[:2], 0, (width, height))
