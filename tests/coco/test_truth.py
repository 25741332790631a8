from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import data, integers, sampled_from

from cocoprep.coco.truth import read_truth
from cocoprep.errors import AnnotationError
from cocoprep.evaluation.oks import score_oks
from cocoprep.pose.tables import COCO_17
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import write_people
from tests.support.scoring import HANDS, PIECES, coco_of, person, predictions_of, truth_of, write_json

JOINTS = [(1.5, 2, 2), (3, 4, 1), (9, 9, 0)]


def read(tmp_path, content, table=HANDS):
    path = tmp_path / "truth.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_truth(str(path), LocalFiles(), table)


def test_arrays_by_hand(tmp_path):
    crowd = person(6, *[(0, 0, 0)] * 3, image=2, iscrowd=1, area=5)
    truth = truth_of(tmp_path, person(5, *JOINTS), crowd, images=3)
    assert truth.annotation_ids.tolist() == [5, 6]
    assert truth.image_ids.tolist() == [1, 2]
    assert truth.keypoints[0].tolist() == [[1.5, 2], [3, 4], [0, 0]]  # a joint that is not labelled has no place
    assert truth.visibility.tolist() == [[2, 1, 0], [0, 0, 0]]
    assert truth.area.tolist() == [1000, 5]
    assert truth.bbox[0].tolist() == [0, 0, 100, 50]
    assert truth.counts.tolist() == [True, False]
    assert truth.crowd.tolist() == [False, True]
    assert truth.file_names == {1: "1.jpg", 2: "2.jpg", 3: "3.jpg"}
    assert truth.document["annotations"][0]["keypoints"][6:] == [9, 9, 0]  # pycocotools gets what the file says


def test_a_category_without_keypoint_names_is_taken_for_cocos(tmp_path):
    content = coco_of(person(5, *JOINTS))
    for category in ({"id": 1, "name": "person"}, {"id": 1, "name": "person", "keypoints": []}):
        assert len(read(tmp_path, {**content, "categories": [category]}).annotation_ids) == 1


def test_boxes_that_a_build_leaves_out_count_and_are_told(tmp_path):
    boxes = [[5, 5, -9, 9], [5, 5, 9, 0], [900, 900, 9, 9], [5, 5, 9, 9]]
    people = [person(n, *JOINTS, bbox=box) for n, box in enumerate(boxes, 1)]
    content = coco_of(
        *people, person(5, *JOINTS, bbox=[5, 5, -9, 9], iscrowd=1), person(6, *[(0, 0, 0)] * 3, bbox=[0] * 4)
    )
    for image in content["images"]:
        image.update(width=100, height=80)
    truth = read(tmp_path, content)
    assert list(truth.without_crop) == [0, 1, 2]
    assert truth.counts.sum() == 4
    (note,) = [note for note in truth.notes if "crop" in note]
    assert note == (
        "no crop can be made of the boxes of 3 people, such as that of annotation 1 (bbox [5.0, 5.0, -9.0, 9.0]: "
        "expected a positive width and height): left out by a build, they count here."
    )
    for image in content["images"]:  # a build finds the sizes out
        image.update(width=0, height=None)
    assert list(read(tmp_path, content).without_crop) == [0, 1]
    assert not truth_of(tmp_path, *people[3:]).without_crop


def test_what_coco_ignores_does_not_count(tmp_path):
    content = coco_of(person(1, *JOINTS, iscrowd=1), person(2, *[(0, 0, 0)] * 3), person(3, *JOINTS))
    del content["annotations"][2]["num_keypoints"]  # which is no fault
    del content["annotations"][2]["iscrowd"]
    truth = read(tmp_path, content)
    assert truth.counts.tolist() == [False, False, True]
    assert truth.document["annotations"][2]["num_keypoints"] == 2


@pytest.mark.parametrize("said", [0, 1, 17])
def test_labels_count_and_not_their_number(tmp_path, said):
    truth = read(tmp_path, coco_of(person(1, *JOINTS, num_keypoints=said), person(2, *JOINTS)))
    assert truth.counts.tolist() == [True, True]
    assert [a["num_keypoints"] for a in truth.document["annotations"]] == [2, 2]
    sigma, note = truth.notes
    assert sigma == "OKS by one sigma for all joints, 0.1"
    assert note.startswith("1 annotation says a num_keypoints that is not the number of its labelled joints.")


def test_areas_of_next_to_nothing_are_told(tmp_path):
    box = {"bbox": [0, 0, 10, 20]}
    people = [person(n, *JOINTS, area=area, **box) for n, area in enumerate((0, 1, 1.9, 2.1, 150), 1)]
    ignored = person(6, *JOINTS, area=0, iscrowd=1, **box), person(7, *[(0, 0, 0)] * 3, area=0, **box)
    truth = read(tmp_path, coco_of(*people, *ignored))
    assert truth.without_scale.tolist() == [True] * 3 + [False] * 4
    assert truth.scale_area.tolist()[:5] == [200, 200, 200, 2.1, 150]
    sigma, note = truth.notes
    assert sigma == "OKS by one sigma for all joints, 0.1"
    assert note.startswith("OKS HAS NO SCALE FOR 3 OF 5 PEOPLE: their area is less than 1% of their box's.")


def test_other_categories_are_passed_over(tmp_path):
    content = coco_of(person(1, *JOINTS))
    content["categories"].insert(0, {"id": 9, "name": "dog"})
    content["annotations"].append({"id": 2, "image_id": 1, "category_id": 9, "bbox": [0, 0, 1, 1], "area": 1})
    truth = read(tmp_path, content)
    assert truth.annotation_ids.tolist() == [1]
    assert truth.category_id == 1
    assert [category["id"] for category in truth.document["categories"]] == [1]


def test_a_byte_order_mark_is_no_fault(tmp_path):
    data = b"\xef\xbb\xbf" + json.dumps(coco_of(person(1, *JOINTS))).encode()
    assert len(read(tmp_path, data).annotation_ids) == 1


def changed(**fields):
    return coco_of(person(1, *JOINTS), person(7, *JOINTS, **fields))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not valid JSON"),
        (b'{"images": [', "not valid JSON at byte 12 of 12"),
        (b'{"images": [NaN]}', "NaN and Infinity are not JSON"),
        (b"[1]", "not a COCO keypoints file"),
        (b"[" * 100_000, "nested|not a COCO"),
        (b'{"images": [], "annotations": [], "categories": []}', "'images' is empty"),
        ({**coco_of(person(1, *JOINTS)), "annotations": []}, "'annotations' is empty"),
        ({**coco_of(person(1, *JOINTS)), "categories": [{"id": 3, "name": "dog"}]}, "expected a category 'person'"),
        (
            {**coco_of(person(1, *JOINTS)), "categories": [{"id": 2, "name": "person"}]},
            "no annotation is of category 2",
        ),
        (
            {**coco_of(person(1, *JOINTS)), "categories": [{"id": 1, "name": "person", "keypoints": ["tail"]}]},
            "are not hands's. Expected .*'left_hand'.*found .'tail'",
        ),
        (changed(area="large"), r"1 of 2 annotations are faulty.*\n  row 1, id 7: Expected `float \| null`, got `str`"),
        (changed(keypoints=[1, 2, None]), r"row 1, id 7: Expected `float`, got `null` - at `\$.keypoints\[2\]`"),
        (changed(keypoints=[1, 2]), "id 7: keypoints: expected 9 numbers, found 2"),
        (changed(keypoints=[1, 2, 3] * 3), "id 7: keypoints: expected visibilities"),
        (changed(keypoints=[1e9, 2, 2] * 3), "id 7: keypoints: expected pixels"),
        (changed(area=-1), "id 7: area -1"),
        (changed(bbox=[0, 0, 1e12, 1]), "id 7: bbox"),
        (changed(bbox=[0, 0, 1]), r"id 7: bbox: expected 4 numbers, found 3"),
        (changed(iscrowd=2), "id 7: iscrowd 2"),
        (coco_of(person(7, *JOINTS, image=99), images=2), "id 7: image_id 99: no such image in 'images'"),
        (
            {**coco_of(person(1, *JOINTS)), "images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}]},
            "id 1: image_id 1: 'images' lists this id more than once",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, says):
    with pytest.raises(AnnotationError, match=says) as error:
        read(tmp_path, content)
    assert "truth.json" in str(error.value)


def test_a_little_that_is_faulty_is_left_out_and_told(tmp_path):
    people = [person(n, *JOINTS) for n in range(1, 100)]
    truth = read(tmp_path, coco_of(*people, person(100, *JOINTS, area=-1)))
    assert truth.annotation_ids.tolist() == list(range(1, 100))
    _, note = truth.notes  # the first is of the one sigma of all joints
    assert note.startswith("1 annotation is faulty and LEFT OUT, such as row 99, id 100: area -1.0: expected")


def test_ids_are_those_of_a_build(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=3)
    content = json.loads(annotations.read_bytes())
    names = {image["id"]: f"photo-{image['id']}" for image in content["images"]}
    for image in content["images"]:
        image["id"] = names[image["id"]]
    for n, one in enumerate(content["annotations"]):
        one["image_id"], one["id"] = names[one["image_id"]], (0, "a", 7)[n % 3]
    content["annotations"].append(content["annotations"][0])
    annotations.write_text(json.dumps(content))
    build_folder(tmp_path / "out", annotations=annotations, images=images)
    built = read_truth(str(tmp_path / "out" / "ground_truth.json"), LocalFiles(), COCO_17)
    source = read_truth(str(annotations), LocalFiles(), COCO_17)
    assert sorted(built.annotation_ids) == sorted(source.annotation_ids)
    assert len(set(built.annotation_ids.tolist())) == len(content["annotations"]) - 1
    assert built.source_ids == source.source_ids
    assert sorted(built.source_ids.values()) == sorted(names.values())
    assert any("there twice" in note for note in source.notes)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(AnnotationError, match=r"expected a JSON file of COCO keypoints, found nothing"):
        read_truth(str(tmp_path / "none.json"), LocalFiles(), HANDS)
    with pytest.raises(AnnotationError, match="found a folder"):
        read_truth(str(tmp_path), LocalFiles(), HANDS)


def test_the_ground_truth_of_a_built_folder_is_the_annotation_file(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=3)
    build_folder(tmp_path / "out", annotations=annotations, images=images)
    built = read_truth(str(tmp_path / "out" / "ground_truth.json"), LocalFiles(), COCO_17)
    source = read_truth(str(annotations), LocalFiles(), COCO_17)
    for name in ("annotation_ids", "image_ids", "keypoints", "visibility", "bbox", "area", "crowd"):
        np.testing.assert_array_equal(getattr(built, name), getattr(source, name))


def test_what_a_data_set_states_of_heads_and_crowds_goes_through_a_build(tmp_path):
    """By people and photographs whose ids are text too: they are numbered on the way."""
    annotations, images = write_people(tmp_path / "coco", images=3)
    content = json.loads(annotations.read_text())
    for n, entry in enumerate(content["annotations"]):
        entry.update(id=f"a-{n}", image_id=f"i-{entry['image_id']}", **({"head_size": 20.5 + n} if n % 2 else {}))
    for image in content["images"]:
        image |= {"id": f"i-{image['id']}", "crowdIndex": image["id"] / 4}
    del content["images"][1]["crowdIndex"]
    annotations.write_text(json.dumps(content))
    build_folder(tmp_path / "out", annotations=annotations, images=images)
    built = read_truth(str(tmp_path / "out" / "ground_truth.json"), LocalFiles(), COCO_17)
    source = read_truth(str(annotations), LocalFiles(), COCO_17)
    assert built.crowd_index == source.crowd_index
    assert sorted(source.crowd_index.values()) == [0.25, 0.75]
    heads = [dict(zip(one.annotation_ids.tolist(), one.head_size.tolist(), strict=True)) for one in (built, source)]
    np.testing.assert_equal(*heads)
    assert np.isfinite(source.head_size).tolist() == [n % 2 == 1 for n in range(9)]
    assert "head_size" not in source.document["annotations"][1]


def test_real_annotations(coco_mini):
    path = coco_mini / "annotations" / "person_keypoints_train2017.json"
    truth = read_truth(str(path), LocalFiles(), COCO_17)
    assert (len(truth.area), int(truth.counts.sum()), int(truth.crowd.sum())) == (172, 86, 5)


def test_writing_and_reading_is_no_rounding(tmp_path):
    truth = truth_of(tmp_path, person(1, (0.1, 1 / 3, 2), (1e-9, 5, 1), (0, 0, 0), area=2 / 3))
    assert truth.keypoints[0, 0].tolist() == [0.1, 1 / 3]
    assert truth.area[0] == 2 / 3
    assert write_json(tmp_path, truth.document) == truth.path
    again = read_truth(truth.path, LocalFiles(), HANDS)
    np.testing.assert_array_equal(again.keypoints, truth.keypoints)


@settings(max_examples=300)
@given(data())
def test_whatever_is_in_the_file_is_read_or_refused(drawn):
    """Bytes changed, cut out and put in: never another error than ours, and never one of pycocotools' later."""
    with tempfile.TemporaryDirectory() as folder:
        content = bytearray(json.dumps(coco_of(person(1, *JOINTS), person(2, *[(0, 0, 0)] * 3, iscrowd=1))).encode())
        for _ in range(drawn.draw(integers(1, 4))):
            at = drawn.draw(integers(0, len(content) - 1))
            content[at : at + drawn.draw(integers(0, 3))] = drawn.draw(sampled_from(PIECES))
        with contextlib.suppress(AnnotationError):
            truth = read(Path(folder), bytes(content))
            image = int(truth.image_ids[0])
            assert len(score_oks(truth, predictions_of((image, 0.5, [(1, 2)] * 3)), HANDS).figures) == 10
