"""Label Studio's export: whose a joint is, and what is told where that is not said."""

from __future__ import annotations

import json

import pytest

SIZE = {"original_width": 200, "original_height": 100}


def joint(label, x, y, parent=None, **more):
    value = {"x": x, "y": y, "width": 0.5, "keypointlabels": [label]}
    return {"id": f"{label}{x}", "type": "keypointlabels", "value": value, "parentID": parent, **SIZE, **more}


def box(name, x=10, y=20, w=30, h=40, label="bird", rotation=0):
    value = {"x": x, "y": y, "width": w, "height": h, "rotation": rotation, "rectanglelabels": [label]}
    return {"id": name, "type": "rectanglelabels", "value": value, **SIZE}


def convert(run, tmp_path, *regions, tasks=None, options=()):
    task = {"id": 1, "data": {"image": "/data/upload/a.jpg"}, "annotations": [{"id": 1, "result": list(regions)}]}
    (tmp_path / "export.json").write_text(json.dumps(tasks or [task]))
    code, out, err = run(
        "convert", tmp_path / "export.json", "--from", "labelstudio", "--out", tmp_path / "out", *options
    )
    path = tmp_path / "out/annotations/person_keypoints_export.json"
    return code, out + err, json.loads(path.read_bytes()) if code == 0 else None


def test_percentages_become_pixel_indices(run, tmp_path):
    code, _, document = convert(run, tmp_path, box("b"), joint("tail", 50, 50, "b"), joint("beak", 12.5, 25, "b"))
    assert code == 0
    (person,) = document["annotations"]
    assert document["categories"][0]["keypoints"] == ["beak", "tail"]
    assert document["categories"][0]["name"] == "bird"
    assert person["keypoints"] == [24.5, 24.5, 2, 99.5, 49.5, 2]
    assert person["bbox"] == [20, 20, 60, 40]
    assert document["images"] == [{"id": 1, "file_name": "data/upload/a.jpg", "width": 200, "height": 100}]


def test_a_rectangle_that_is_turned_is_enclosed(run, tmp_path):
    _, _, document = convert(run, tmp_path, box("b", 50, 50, 10, 10, rotation=90), joint("beak", 45, 55, "b"))
    x, y, w, h = document["annotations"][0]["bbox"]
    assert (x, y, w, h) == pytest.approx((90, 50, 10, 20))


def test_relations_say_whose_a_joint_is(run, tmp_path):
    regions = [
        box("b", label="bird"), box("c", 50, 50), joint("beak", 20, 30), joint("tail", 60, 60),
        {"type": "relation", "from_id": "beak20", "to_id": "b", "direction": "right"},
        {"type": "relation", "from_id": "c", "to_id": "tail60", "direction": "left"},
    ]  # fmt: skip
    _, said, document = convert(run, tmp_path, *regions)
    assert [a["keypoints"][2::3] for a in document["annotations"]] == [[2, 0], [0, 2]]
    assert "LEFT OUT" not in said


def test_the_only_rectangle_takes_all_and_no_rectangle_makes_one_person(run, tmp_path):
    _, said, document = convert(run, tmp_path, box("b"), joint("beak", 20, 30))
    assert document["annotations"][0]["num_keypoints"] == 1
    assert "taken for the only one's" in said
    _, said, document = convert(run, tmp_path, joint("beak", 20, 30), joint("tail", 30, 40))
    assert document["annotations"][0]["num_keypoints"] == 2
    assert document["categories"][0]["name"] == "person"
    assert "taken for one person each" in said


def broken(region, **value):
    return {**region, "value": {**region["value"], **value}}


TOLD = {
    "a joint of several": ([box("c", 60)], [joint("tail", 90, 90)], "none of several rectangles"),
    "a joint twice": ([], [joint("beak", 21, 30, "b")], "there twice"),
    "a rectangle's id twice": ([], [box("b", 60)], "no id, or that of another"),
    "a polygon": ([], [{"type": "polygonlabels", "value": {}}], "neither KeyPointLabels nor"),
    "no size": ([], [{**joint("tail", 1, 2, "b"), "original_width": None}], "no size"),
    "no place": ([], [broken(joint("tail", 1, 2, "b"), x=None)], "malformed"),
    "turned": ([], [joint("tail", 1, 2, "b", image_rotation=90)], "was turned"),
    "two labels": ([], [broken(joint("tail", 1, 2, "b"), keypointlabels=["a", "b"])], "no label, or several"),
    "no object": ([], [7], "malformed"),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_is_left_out_is_told(case, run, tmp_path):
    before, after, says = TOLD[case]
    code, said, document = convert(run, tmp_path, *before, box("b"), joint("beak", 20, 30, "b"), *after)
    assert code == 0, said
    assert says in "".join(line for line in said.splitlines() if line.startswith("LEFT OUT"))
    assert document["annotations"][-1]["num_keypoints"] == 1


def test_the_first_annotation_that_was_not_cancelled_counts(run, tmp_path):
    sound = {"result": [box("b"), joint("beak", 20, 30, "b")]}
    annotations = [{"was_cancelled": True, "result": []}, sound, sound]
    tasks = [{"data": {"picture": "a.jpg"}, "annotations": annotations}, {"data": {"image": "b.jpg"}}]
    _, said, document = convert(run, tmp_path, tasks=tasks)
    assert len(document["annotations"]) == 1
    assert "LEFT OUT: 1 annotations are not the first" in said or "1 annotation is not the first" in said
    assert "no photograph, or no annotation" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{}", "Expected a list of tasks"),
        ("[", "not valid JSON"),
        ("[" * 5000, "nested hundreds"),
        ("[]", "nobody in it has joints"),
        ('[{"data": {"image": "../a.jpg"}, "annotations": [{"result": []}]}]', "nobody in it has joints"),
    ],
)
def test_another_file_is_refused(content, says, run, tmp_path):
    (tmp_path / "x.json").write_text(content)
    code, _, err = run("convert", tmp_path / "x.json", "--from", "labelstudio", "--out", tmp_path / "out")
    assert code == 1
    assert says in err


def test_joints_by_a_table_of_ones_own_choice(run, tmp_path):
    regions = [box("b", label="person"), joint("Left Eye", 20, 30, "b"), joint("paw", 21, 30, "b")]
    _, said, document = convert(run, tmp_path, *regions, options=["--keypoints", "coco-17"])
    (person,) = document["annotations"]
    assert person["keypoints"][3:6] == [39.5, 29.5, 2]
    assert len(person["keypoints"]) == 51
    assert "LEFT OUT: 1 joint is none of its category's, such as 'paw'" in said
