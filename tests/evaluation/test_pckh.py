"""PCKh by the head sizes of a file, against the rule as papers on MPII count it, written out anew."""

import json

import numpy as np
import pytest

from cocoprep.coco.truth import read_truth
from cocoprep.evaluation.as_json import evaluation_as_json
from cocoprep.evaluation.evaluate import evaluate, evaluate_across
from cocoprep.evaluation.pck import head_sizes, unit_lengths
from cocoprep.pose.joint_map import map_joints
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.storage.local import LocalFiles
from tests.support.scoring import coco_of, person, predictions_of, write_json

MPII = named_table("mpii-16")
PEOPLE = 40


def papers_rule(predicted, truth, missing, head_boxes):
    """Return the percentages that are published on MPII's validation set.

    Args:
        predicted: (N, 16, 2) in MPII's order, pixels.
        truth: (N, 16, 2).
        missing: (N, 16) true where a joint is not annotated.
        head_boxes: (N, 4) corners x1, y1, x2, y2.
    """
    size = 0.6 * np.hypot(head_boxes[:, 2] - head_boxes[:, 0], head_boxes[:, 3] - head_boxes[:, 1])
    scaled = np.sqrt(((predicted - truth) ** 2).sum(axis=2)) / size[:, None]
    there = ~missing
    right = ((scaled <= 0.5) & there).sum(axis=0)
    percent = 100 * right / there.sum(axis=0)
    order = {name: k for k, name in enumerate(MPII.names)}
    found = {"Head": percent[order["head_top"]]}
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        found[part.capitalize()] = 0.5 * (percent[order[f"left_{part}"]] + percent[order[f"right_{part}"]])
    counted = [k for k in range(16) if MPII.names[k] not in ("pelvis", "thorax")]
    weights = there[:, counted].sum(axis=0)
    found["Total"] = (percent[counted] * weights / weights.sum()).sum()
    steps = np.arange(0, 0.5 + 0.01, 0.01)
    for name, step in {"Total@0.1": 10, "Total@0.11": 11}.items():  # mmpose's step, and HRNet's
        right = ((scaled <= steps[step]) & there).sum(axis=0)
        found[name] = (100 * right[counted] / weights * weights / weights.sum()).sum()
    return found


@pytest.fixture(scope="module")
def people():
    """Return points (N, 16, 2), visibilities, corners of head boxes, and predictions of them."""
    rng = np.random.default_rng(3)
    points = rng.uniform(10, 190, (PEOPLE, 16, 2)).round(1)
    visibility = rng.integers(0, 3, (PEOPLE, 16))
    corners = rng.uniform(0, 50, (PEOPLE, 2))
    boxes = np.column_stack([corners, corners + rng.uniform(10, 40, (PEOPLE, 2))])
    return points, visibility, boxes, points + rng.normal(0, 9, points.shape)


def file_of(people, *, sizes):
    points, visibility, boxes, _ = people
    size = 0.6 * np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    entries = []
    for n in range(PEOPLE):
        triples = [(float(x), float(y), int(v)) for (x, y), v in zip(points[n], visibility[n], strict=True)]
        head = {"head_size": float(size[n]), "head_box": boxes[n].tolist()} if n < sizes else {}
        entries.append(person(n + 1, *triples, image=n + 1, **head))
    return coco_of(*entries, table=MPII)


def scored(folder, people, *, sizes=PEOPLE):
    truth = read_truth(write_json(folder, file_of(people, sizes=sizes)), LocalFiles())
    found = predictions_of(*((n + 1, 0.5, people[3][n]) for n in range(PEOPLE)), annotation_ids=truth.annotation_ids)
    return truth, found


def test_the_papers_figures(tmp_path, people):
    truth, predictions = scored(tmp_path, people)
    found = evaluate(truth, predictions, MPII)
    points, visibility, boxes, predicted = people
    expected = papers_rule(predicted, points, visibility == 0, boxes)
    fine = {f"Total@{threshold}": value for threshold, value in found.pckh.fine.items()}
    assert {**found.pckh.parts, "Total": found.pckh.total, **fine} == {
        name: pytest.approx(value / 100, abs=1e-12) for name, value in expected.items()
    }
    assert (found.pckh.people, found.pckh.stated) == (PEOPLE, PEOPLE)
    assert 0 < fine["Total@0.1"] < fine["Total@0.11"] < 0.2 < found.pckh.total < 0.9
    content = evaluation_as_json(found, MPII, context={})
    assert (content["pckh"]["Total"], content["pckh"]["Total@0.1"]) == (found.pckh.total, fine["Total@0.1"])
    assert content["pck"]["head"]["people_whose_unit_is_stated"] == PEOPLE
    json.dumps(content)


def test_by_hand(tmp_path):
    """One person whose head is 10 pixels long: 5 pixels off are right at 0.5, 5.01 wrong; 1 is right at 0.1."""
    off = dict.fromkeys(MPII.names, 5.0)
    off |= {
        "left_wrist": 5.01,
        "right_wrist": 1.0,
        "upper_neck": 1.05,
        "head_top": 50.0,
        "thorax": 90.0,
        "pelvis": 90.0,
    }
    hidden, unknown = "left_knee", "right_ankle"
    seen = [1 if name == hidden else 0 if name == unknown else 2 for name in MPII.names]
    places = [(100.0, 5.0 * k) for k in range(16)]
    triples = [(x, y, v) if v else (0, 0, 0) for (x, y), v in zip(places, seen, strict=True)]
    truth = read_truth(write_json(tmp_path, coco_of(person(1, *triples, head_size=10.0), table=MPII)), LocalFiles())
    found = [(x + off[name], y) for name, (x, y) in zip(MPII.names, places, strict=True)]
    pckh = evaluate(truth, predictions_of((1, 0.5, found), annotation_ids=truth.annotation_ids), MPII).pckh
    ankle = pckh.parts.pop("Ankle")
    assert np.isnan(ankle)  # of two joints the one is not labelled: papers' code divides by 0 here
    assert pckh.parts == {"Head": 0, "Shoulder": 1, "Elbow": 1, "Wrist": 0.5, "Hip": 1, "Knee": 1}
    assert pckh.joints == 13  # 16, without pelvis and thorax, and the ankle that is not labelled
    assert pckh.total == pytest.approx(11 / 13)
    assert pckh.fine == {0.1: pytest.approx(1 / 13), 0.11: pytest.approx(2 / 13)}


def test_where_the_file_states_no_size_the_joints_of_the_head_have_one(tmp_path, people):
    truth, predictions = scored(tmp_path, people, sizes=10)
    found = evaluate(truth, predictions, MPII).pck["head"]
    neck, top = MPII.names.index("upper_neck"), MPII.names.index("head_top")
    both = (people[1][10:, [neck, top]] > 0).all(axis=1)
    assert (found.stated, found.people) == (10, 10 + both.sum())
    lengths = unit_lengths(truth, MPII)["head"]
    np.testing.assert_allclose(lengths[:10], truth.head_size[:10])
    np.testing.assert_allclose(
        lengths[10:][both], np.linalg.norm(people[0][10:, neck] - people[0][10:, top], axis=1)[both]
    )
    assert "for 10 people, by the joints of the head for" in head_sizes(found.stated, found.people, MPII.noun)


def test_a_network_without_a_head_is_measured_by_the_files_heads(tmp_path, people):
    truth, predictions = scored(tmp_path, people)
    to_coco = map_joints(MPII, COCO_17)
    points = to_coco.apply(people[3])
    theirs = predictions_of(*((n + 1, 0.5, points[n]) for n in range(PEOPLE)), annotation_ids=truth.annotation_ids)
    found = evaluate_across(truth, theirs, map_joints(COCO_17, truth.table))
    whole = evaluate(truth, predictions, MPII)
    assert np.isnan(found.pckh.parts["Head"])
    rest = {part: value for part, value in whole.pckh.parts.items() if part != "Head"}
    assert {part: found.pckh.parts[part] for part in rest} == rest
    assert found.pckh.people == PEOPLE


def test_no_such_joints_no_such_table(tmp_path):
    truth = read_truth(
        write_json(tmp_path, coco_of(person(1, *[(k, k, 2) for k in range(17)]), table=COCO_17)), LocalFiles()
    )
    assert evaluate(truth, predictions_of((1, 0.5, truth.keypoints[0])), COCO_17).pckh is None
