"""Labels that look wrong: of people whose labels are right but for those that are spoilt here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cocoprep.coco.annotations import ImageInfo
from cocoprep.inspection.check import near
from cocoprep.inspection.check.check import check_labels
from cocoprep.inspection.check.near import pairs_of
from cocoprep.inspection.check.network import Predicted
from cocoprep.inspection.check.orderly import masked_quantile
from cocoprep.inspection.check.parts import exchanged_together
from cocoprep.inspection.data_set import DataSet, EntryCounts, People
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17, named_table
from tests.support.figures import figures

NAMES, FLIP = COCO_17.names, list(COCO_17.flip_index)
PARTS = exchanged_together(COCO_17)
SPOILT = 8  # place of the person that is spoilt: its annotation is the ninth


@pytest.fixture(scope="module")
def sound():
    return figures(300)


def spoilt(data_set, change):
    """Return the data set with the joints and the box of one person changed."""
    joints, bbox = data_set.people.joints.copy(), data_set.people.bbox.copy()
    change(joints, bbox)
    return replace(data_set, people=replace(data_set.people, joints=joints, bbox=bbox))


def at(name):
    return NAMES.index(name)


def of_other(joints, bbox):
    joints[SPOILT, at("left_wrist"), :2] = joints[SPOILT + 1, at("left_wrist"), :2] + 1


def long_limb(joints, bbox):
    elbow, wrist = joints[SPOILT, at("right_elbow"), :2], joints[SPOILT, at("right_wrist"), :2]
    joints[SPOILT, at("right_wrist"), :2] = elbow + 4 * (wrist - elbow)


def exchanged(kind):
    def change(joints, bbox):
        part = list(PARTS[kind])
        for place in range(SPOILT, len(joints), 50):
            joints[place, part] = joints[place, [FLIP[k] for k in part]]

    return change


def box_of_other(joints, bbox):
    bbox[SPOILT] = bbox[SPOILT + 1]


def out_of_photograph(joints, bbox):
    joints[SPOILT, at("left_ear"), 0] = -20


def duplicate(joints, bbox):
    joints[SPOILT + 1] = joints[SPOILT]
    joints[SPOILT + 1, :, :2] += 1
    bbox[SPOILT + 1] = bbox[SPOILT] + 1


def shuffled(joints, bbox):
    joints[SPOILT] = joints[SPOILT, np.random.default_rng(3).permutation(17)]


CASES = {
    "other person": (of_other, {"left_wrist"}, "left_wrist lies on that of 10"),
    "limb": (long_limb, {"right_elbow", "right_wrist"}, "right_elbow to right_wrist is"),
    "sides": (exchanged("sides"), {NAMES[k] for k in PARTS["sides"]}, "times as likely"),
    "arms": (exchanged("arms"), {NAMES[k] for k in PARTS["arms"]}, "times as likely"),
    "legs": (exchanged("legs"), {NAMES[k] for k in PARTS["legs"]}, "times as likely"),
    "box": (box_of_other, set(NAMES), "17 of 17 labelled joints lie outside of the box"),
    "visibility": (out_of_photograph, {"left_ear"}, "left_ear is visible, 20 px outside of the photograph"),
    "duplicate": (duplicate, set(NAMES), "17 joints lie where those of 9 do"),
    "pose": (shuffled, None, ""),
}


@pytest.mark.parametrize("kind", CASES)
def test_what_is_spoilt_is_among_the_first(sound, kind):
    change, joints, says = CASES[kind]
    found = check_labels(spoilt(sound, change))
    first = next(one for one in found.suspects[:12] if one.kind == kind and one.place % 50 in (SPOILT, SPOILT + 1))
    assert first.image == f"{first.place // 2 + 1:012}.jpg"
    assert first.annotation_id == first.place + 1
    assert says in first.why
    assert joints is None or {NAMES[k] for k in first.joints} == joints
    assert [one.score for one in found.suspects] == sorted((one.score for one in found.suspects), reverse=True)
    assert all(0.5 <= one.score <= 1 for one in found.suspects)


def test_of_two_alike_the_other_is_named(sound):
    found = check_labels(spoilt(sound, duplicate))
    (one,) = (one for one in found.suspects if one.kind == "duplicate")
    assert (one.annotation_id, one.other_id, one.place) == (10, 9, 9)


def test_sound_people_are_hardly_suspected(sound):
    found = check_labels(sound)
    assert found.people == 300
    assert found.people_suspected <= 6
    assert found.notes == ()
    assert sum(found.by_kind.values()) == len(found.suspects)


def test_nothing_is_changed_and_the_order_is_of_no_account(sound):
    data_set = spoilt(sound, long_limb)
    before = data_set.people.joints.copy()
    found = check_labels(data_set)
    assert (data_set.people.joints == before).all()
    turned = replace(data_set, people=data_set.people.take(np.arange(300)[::-1]))
    told = [(one.kind, one.annotation_id) for one in found.suspects if one.score > 0.6]
    assert [(one.kind, one.annotation_id) for one in check_labels(turned).suspects if one.score > 0.6] == told


def predicted(data_set, *, noise=1.0):
    """Return what a network says that knows where joints are, but for a few pixels, and is as sure of all of them."""
    rng = np.random.default_rng(0)
    joints = data_set.people.joints
    beside = rng.normal(0, noise, joints[..., :2].shape)
    confidence = np.full(joints.shape[:2], 0.9)
    return Predicted(data_set.people.annotation_ids[::-1], (joints[..., :2] + beside)[::-1], confidence[::-1])


@pytest.mark.parametrize("kind", ["sides", "arms", "legs"])
def test_a_network_tells_who_is_exchanged(sound, kind):
    found = check_labels(spoilt(sound, exchanged(kind)), predicted(sound))
    told = {one.place for one in found.suspects if one.kind == kind and "network" in one.why}
    assert told == set(range(SPOILT, 300, 50))
    assert not any(one.kind == "network" for one in found.suspects)


def test_a_network_tells_of_a_joint_elsewhere_and_hardly_of_others(sound):
    found = check_labels(spoilt(sound, of_other), predicted(sound))
    (one,) = (one for one in found.suspects if one.kind == "network")
    assert (one.place, [NAMES[k] for k in one.joints]) == (SPOILT, ["left_wrist"])
    assert "the network is sure of left_wrist" in one.why


def test_a_network_that_is_not_sure_says_nothing(sound):
    said = predicted(sound)
    nobody = replace(said, annotation_ids=said.annotation_ids + 1000)
    lost = replace(said, keypoints=said.keypoints + 500)
    for one in (nobody, lost):
        found = check_labels(spoilt(sound, of_other), one)
        assert not any("network" in suspect.why for suspect in found.suspects)


def random_set(table, count):
    rng = np.random.default_rng(0)
    joints = rng.uniform(0, 100, (count, len(table), 3)).astype(np.float32)
    joints[..., 2] = rng.integers(0, 3, joints.shape[:2])
    joints[joints[..., 2] == 0] = 0
    joints[0], joints[0, 0] = 0, (5, 5, 2)
    people = People(
        np.arange(1, count + 1), np.arange(count) // 3, np.full((count, 2), 100), rng.uniform(0, 100, (count, 4)),
        np.ones(count), np.zeros(count, bool), joints,
    )  # fmt: skip
    images = tuple(ImageInfo(n, f"{n}.jpg", 100, 100) for n in range(count))
    return DataSet("x", "x", "x", table, EntryCounts(count, 0, 0, 0), images, people.sizes, people)


def without_sides(count):
    return KeypointTable("bare", tuple(Joint(f"j{k}", f"j{k}", 0.05) for k in range(count)), ())


TABLES = [*map(without_sides, (1, 2, 3, 60)), *map(named_table, ("hand-21", "animalpose-20", "coco-wholebody-133"))]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.name}-{len(table)}")
@pytest.mark.parametrize("count", [1, 2, 40])
@pytest.mark.parametrize("change", ["as they are", "in one place", "beyond all bounds"])
def test_any_joints_of_anybody(table, count, change):
    data_set = random_set(table, count)
    people = data_set.people
    joints, bbox = people.joints.copy(), people.bbox
    if change == "in one place":
        joints[..., :2] = 7
    if change == "beyond all bounds":
        joints[..., :2] *= 1e30
        bbox = bbox * 1e300
    with np.errstate(all="raise", under="ignore"):
        found = check_labels(replace(data_set, people=replace(people, joints=joints, bbox=bbox)))
    assert all(np.isfinite(one.score) for one in found.suspects)
    assert ("no joints form pairs" in " ".join(found.notes)) == (not table.has_pairs)
    assert "take suspicions for hints" in " ".join(found.notes)


def test_nobody_is_told():
    data_set = random_set(COCO_17, 2)
    people = replace(data_set.people, joints=np.zeros_like(data_set.people.joints))
    found = check_labels(replace(data_set, people=people))
    assert (found.people, found.suspects, found.notes) == (0, (), ("nobody has a label to check",))


def test_pairs_of_photographs(monkeypatch):
    pairs = {
        tuple(sorted(pair))
        for one, other in pairs_of(np.array([3, 1, 3, 2, 3, 1]))
        for pair in zip(one, other, strict=True)
    }
    assert pairs == {(0, 2), (0, 4), (2, 4), (1, 5)}
    monkeypatch.setattr(near, "MOST_COMPARED", 2)
    assert [pair for one, other in pairs_of(np.array([3, 1, 3, 2, 3, 1])) for pair in zip(one, other, strict=True)] == [
        (1, 5)
    ]
    assert near.crowded(np.array([3, 1, 3, 2, 3, 1])) == 3


def test_parts_follow_limbs_and_torso():
    table = named_table("mpii-16")
    parts = {kind.value: {table.names[k] for k in joints} for kind, joints in exchanged_together(table).items()}
    assert parts["arms"] == {f"{side}_{name}" for side in ("left", "right") for name in ("shoulder", "elbow", "wrist")}
    assert parts["legs"] == {f"{side}_{name}" for side in ("left", "right") for name in ("hip", "knee", "ankle")}
    assert exchanged_together(named_table("hand-21")) == {}
    assert list(exchanged_together(named_table("animalpose-20"))) == ["sides"]


def test_quantiles_of_what_is_there():
    values = np.array([[1.0, 9.0, 2.0, 3.0], [5.0, 1.0, 1.0, 1.0]])
    there = np.array([[True, False, True, True], [False, False, False, False]])
    found = masked_quantile(values, there, 0.5, axis=1)
    assert found[0] == 2
    assert np.isnan(found[1])


@pytest.mark.parametrize("place", [(0, 0), (1e6, -1e6)])
def test_a_stray_joint_of_many_makes_nobody_else_odd(sound, place):
    joints = sound.people.joints.copy()
    joints[::8, at("left_wrist"), :2] = place
    faulty = replace(sound, people=replace(sound.people, joints=joints))
    found = check_labels(faulty)
    strayed = {one.place for one in found.suspects if one.kind.value == "visibility"}
    assert strayed == set(range(0, 300, 8))
    others = {one.place for one in found.suspects} - strayed
    assert others <= {one.place for one in check_labels(sound).suspects}
