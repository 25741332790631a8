"""Labels that look wrong are told with their likely cause; sound ones, real ones too, raise nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cocoprep.coco.suspicions import Labels, labels_of, suspicious_boxes
from cocoprep.coco.suspicions import suspicions as told_of
from cocoprep.coco.truth import read_truth
from cocoprep.storage.local import LocalFiles

WIDTH, HEIGHT = 640, 480


def suspicions(parts, source_ids=None):
    return told_of(parts, source_ids or {})


def sound(people=40, joints=17, seed=0, *, within=(0.0, 1.0)):
    """Return people whose joints lie in their boxes, and these in the photographs."""
    rng = np.random.default_rng(seed)
    size = np.array([WIDTH, HEIGHT])
    centre = rng.uniform(0.15 + 0.7 * within[0], 0.15 + 0.7 * within[1], (people, 2)) * size
    half = rng.uniform(0.05, 0.15, (people, 2)) * size
    points = centre[:, None] + rng.uniform(-1, 1, (people, joints, 2)) * half[:, None]
    labelled = rng.random((people, joints)) < 0.7
    labelled[:, 0] = True
    points[~labelled] = 0
    box = np.concatenate([centre - half, 2 * half], axis=1)
    return labels(points, labelled, box)


def labels(points, labelled, box, sizes=None):
    sizes = np.tile((WIDTH, HEIGHT), (len(box), 1)) if sizes is None else sizes
    ids = np.arange(len(box), dtype=np.int64) + 500
    return Labels(ids, sizes, box, np.ascontiguousarray(points[..., 0]), np.ascontiguousarray(points[..., 1]), labelled)


def points_of(people):
    return np.stack([people.x, people.y], axis=-1)


def with_joints(people, points):
    return labels(points, people.labelled, people.bbox)


def with_boxes(people, box):
    return labels(points_of(people), people.labelled, box)


def as_corners(people):
    return with_boxes(people, np.concatenate([people.bbox[:, :2], people.bbox[:, :2] + people.bbox[:, 2:]], axis=1))


def the_one(people):
    (told,) = suspicions([people])
    assert told.startswith("warning: ")
    return told.removeprefix("warning: ")


@pytest.mark.parametrize("joints", [1, 5, 17, 133])
def test_sound_labels_raise_nothing(joints):
    assert suspicions([sound(joints=joints)]) == ()


def test_nobody_raises_nothing():
    assert suspicions([]) == suspicions([sound(people=0)]) == ()


def test_joints_at_the_corner():
    people = sound()
    points = points_of(people)
    at_corner = people.labelled & (np.arange(17) > 12)
    at_corner[:3] = False
    points[at_corner] = 0
    said = the_one(with_joints(people, points))
    count, of = int(at_corner.sum()), int(at_corner.any(axis=1).sum())
    first = 500 + int(at_corner.any(axis=1).argmax())
    assert said.startswith(f"labelled joints lie at exactly (0, 0), {count} in all, in {of} of ")
    assert f" annotations, as on image {first}:" in said


def test_an_image_is_named_by_its_own_id():
    people = sound()
    points = points_of(people)
    points[3, 0] = 0
    (told,) = suspicions([with_joints(people, points)], {503: "street 3"})
    assert "as on image 'street 3': " in told


def test_one_joint_at_the_corner_of_very_many_is_chance():
    people = sound(people=2000)
    points = points_of(people)
    points[0, 0] = 0
    assert suspicions([with_joints(people, points)]) == ()
    points[:3, 0] = 0
    assert "(0, 0), 3 in all, in 3 of 2000 annotations" in the_one(with_joints(people, points))


@pytest.mark.parametrize("boxes", ["divided too", "in pixels"])
def test_coordinates_within_0_and_1(boxes):
    people = sound()
    by = np.array([WIDTH, HEIGHT], float)
    box = people.bbox / np.tile(by, 2) if boxes == "divided too" else people.bbox
    said = the_one(labels(points_of(people) / by, people.labelled, box))
    assert said.startswith("the joints of 40 of 40 annotations lie within 0 and 1, as on image 500: ")


@pytest.mark.parametrize("people", [1, 40])
def test_boxes_that_read_like_corners(people):
    lower_right = sound(people, within=(0.6, 1.0))
    assert suspicions([lower_right]) == ()
    said = the_one(as_corners(lower_right))
    assert f"{people} of {people} boxes reach far out of their photograph, as on image 500, but as corners" in said


def test_without_sizes_nothing_reaches_out_of_a_photograph():
    people = as_corners(sound(within=(0.6, 1.0)))
    unsized = labels(points_of(people), people.labelled, people.bbox, np.zeros((40, 2), np.int64))
    assert not any("corners" in told for told in suspicions([unsized]))


def test_boxes_that_reach_out_are_no_corners_where_they_would_not_hold_the_joints():
    people = sound(within=(0.6, 1.0))
    far = people.bbox * [1, 1, 4, 4]
    assert suspicions([with_boxes(people, far)]) == ()


def test_boxes_that_are_padded_around_joints_are_no_corners():
    """As those that stand in for missing ones, about people who nearly fill their photographs."""
    people = sound(people=1)
    points = np.array([[[250, 60], [600, 440]]], float)
    box = np.array([[250 - 0.25 * 350, 60 - 0.25 * 380, 1.5 * 350, 1.5 * 380]])
    assert (box[:, :2] + box[:, 2:] > [1.05 * WIDTH, 1.05 * HEIGHT]).any()
    assert suspicions([labels(points, people.labelled[:, :2] | True, box)]) == ()


@pytest.mark.parametrize(
    ("box", "says"),
    [
        (lambda b: np.concatenate([b[:, :2] + b[:, 2:] / 2, b[:, 2:]], axis=1), "given by their centres"),
        (lambda b: np.roll(b, 1, axis=0), "of another photograph, or of one of another size"),
        (lambda b: b / 4, "of another photograph, or of one of another size"),
    ],
)
def test_joints_outside_of_their_boxes(box, says):
    people = sound()
    said = the_one(with_boxes(people, box(people.bbox)))
    assert "of 40 annotations lie outside of their box, as on image 5" in said
    assert says in said


def test_a_few_joints_outside_of_their_boxes_are_how_people_label():
    people = sound(people=100)
    box = people.bbox.copy()
    box[:5] += 200
    assert suspicions([with_boxes(people, box)]) == ()
    box[5:7] += 200
    assert "most joints of 7 of 100 annotations" in the_one(with_boxes(people, box))


def test_people_told_in_parts_count_together():
    people = as_corners(sound(within=(0.6, 1.0)))
    parts = [
        Labels(*(getattr(people, name)[rows] for name in ("image_ids", "sizes", "bbox", "x", "y", "labelled")))
        for rows in (slice(25, 40), slice(0, 3), slice(3, 25))
    ]
    assert suspicions(parts) == suspicions([people])


@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_real_labels(coco_mini, split, tmp_path):
    path = coco_mini / "annotations" / f"person_keypoints_{split}.json"
    truth = read_truth(str(path), LocalFiles())
    assert suspicions([labels_of(truth)]) == ()
    document = json.loads(path.read_text())
    for annotation in document["annotations"]:
        x, y, w, h = annotation["bbox"]
        annotation["bbox"] = [x, y, x + w, y + h]
    spoilt = tmp_path / "corners.json"
    spoilt.write_text(json.dumps(document))
    (told,) = suspicions([labels_of(read_truth(str(spoilt), LocalFiles()))])
    assert "as corners x1, y1, x2, y2 they would fit" in told


@pytest.mark.parametrize(("sizes", "warnings"), [((640, 480), 1), ((0, 0), 0)])
def test_a_detectors_boxes_that_would_fit_as_corners(sizes, warnings):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 300, (50, 2))
    size = rng.uniform(20, 180, (50, 2))
    of = np.array([sizes] * 50)
    assert suspicious_boxes(np.hstack([corner, size]), of) == ()
    assert suspicious_boxes(np.empty((0, 4)), of[:0]) == ()
    told = suspicious_boxes(np.hstack([corner, corner + size]), of)
    assert len(told) == warnings
    assert all("of the detections' 50 boxes reach far out" in one for one in told)
