"""Which of several entries is meant, and where its photograph is looked for."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from cocoprep.builder.config import SelectConfig
from cocoprep.draw.dropped import draw_dropped
from cocoprep.draw.subject import find_subject
from cocoprep.errors import CocoprepError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.dataset import open_dataset
from tests.support.building import build_folder, keypoints, write_coco
from tests.support.people import write_people

JOINTS = keypoints(nose=(30, 20, 2), left_eye=(33, 18, 2))
ANNOTATIONS = [
    {"id": 1, "image_id": 1, "bbox": "none", "keypoints": JOINTS},
    {"id": 1, "image_id": 1, "bbox": [10, 10, 40, 50], "keypoints": JOINTS},
    {"id": 2, "image_id": 1, "bbox": [5, 5, 30, 40]},
    {"id": 3, "image_id": 1, "bbox": [0, 0, 30, 40], "iscrowd": 1},
    {"id": 2, "image_id": 1, "bbox": "none", "keypoints": JOINTS},
    {"id": "left", "image_id": 1, "bbox": [12, 10, 40, 50], "keypoints": JOINTS},
    *({"id": 7, "image_id": 1, "bbox": [n, 10, 40, 50], "keypoints": JOINTS} for n in (13, 14)),
    *({"id": 50 + n, "image_id": 40, "bbox": [0, 0, 20, 20]} for n in range(7)),
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("subject")
    pictures = {n: Image.new("RGB", (80, 60), (90, 90, 90)) for n in (1, 40)}
    path, images = write_coco(root / "data", pictures, ANNOTATIONS)
    build_folder(
        root / "out", annotations=path, images=images, crop=CropConfig(input_size=(32, 32)),
        select=SelectConfig(shards=1, max_bad_fraction=1),
    )  # fmt: skip
    return open_dataset(root / "out")


def test_of_entries_with_one_id_the_kept_one_is_meant(dataset):
    subject = find_subject(dataset, 1)
    assert (subject.row, subject.reason, subject.rivals) == (1, None, 1)
    assert subject.annotation.bbox == (10, 10, 40, 50)
    assert subject.person["annotation_id"] == 1


def test_where_none_is_kept_the_first_is_meant(dataset):
    subject = find_subject(dataset, 2)
    assert (subject.row, subject.reason, subject.rivals, subject.person) == (2, "zero_keypoints", 1, None)
    assert subject.annotation.bbox == (5, 5, 30, 40)


def test_the_others_are_those_of_the_photograph_with_whether_they_were_kept(dataset):
    others = {a.id: kept for a, kept in find_subject(dataset, 3).others}
    assert (others.pop(1), others.pop(2)) == (True, False)
    assert list(others.values()) == [True] * 3


def test_an_annotation_is_found_by_its_own_id_and_by_its_number(dataset):
    subject = find_subject(dataset, "left")
    assert (subject.row, subject.reason, subject.person["annotation_id"]) == (5, None, subject.annotation_id)
    assert find_subject(dataset, subject.annotation_id).row == 5
    assert subject.title == f"Annotation {subject.annotation_id}, left in the file"
    assert find_subject(dataset, 1).title == "Annotation 1"
    assert replace(subject, annotation_id=0).title == "Annotation left"
    assert replace(subject, annotation_id=0, source_id="").title == "Annotation without an id"


def test_an_id_that_several_have_is_refused_with_their_numbers(dataset):
    with pytest.raises(CocoprepError, match=r"annotation 7: expected an id .* found 2 of it") as error:
        find_subject(dataset, 7)
    numbers = str(error.value).rsplit(": ", 1)[1].rstrip(".").split(", ")
    assert {find_subject(dataset, number).row for number in numbers} == {6, 7}


def test_a_folder_of_other_photographs_has_none_of_this_name(dataset, tmp_path):
    subject = find_subject(dataset, 1, images=str(tmp_path))
    assert subject.photograph is None
    assert "no such file" in subject.fault
    assert f"Looked in {tmp_path}; pass --images" in subject.fault


def test_the_photograph_is_found_in_an_archive_of_another_form_and_behind_links(dataset, tmp_path):
    built_of = dataset.manifest.source["images"]
    shutil.make_archive(str(tmp_path / "export"), "tar", built_of, ".")
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "deep" / "other").mkdir()
    for path in Path(built_of).iterdir():
        (tmp_path / "deep" / "down" / path.name.upper()).symlink_to(path)
    assert find_subject(dataset, 1, images=str(tmp_path / "export.tar")).photograph is not None
    subject = find_subject(dataset, 1, images=str(tmp_path / "deep"))
    assert "--follow-links has it followed" in subject.fault
    assert find_subject(dataset, 1, images=str(tmp_path / "deep"), follow_links=True).photograph is not None


def test_an_image_id_is_answered_with_the_first_of_its_annotations(dataset):
    with pytest.raises(CocoprepError, match=r"40 is an image id: .*annotations, 50, 51, 52, 53, 54 and others\.$"):
        find_subject(dataset, 40)


def test_joints_come_as_they_stand_in_the_file(dataset):
    joints = find_subject(dataset, 1).annotation.joints()
    assert joints.shape == (17, 3)
    assert joints[:2].tolist() == [[30, 20, 2], [33, 18, 2]]
    assert not joints[2:].any()


@pytest.mark.parametrize(("rule", "expected"), [("auto", "stored"), ("stored", "stored"), ("upright", "upright")])
def test_the_photograph_is_shown_as_the_build_has_taken_it(rule, expected, tmp_path):
    halves = Image.new("RGB", (80, 60), (200, 0, 0))
    halves.paste((0, 0, 200), (40, 0, 80, 60))
    exif = Image.Exif()
    exif[0x0112] = 3
    path, images = write_coco(tmp_path / "data", {1: halves, 2: halves}, [{**ANNOTATIONS[1], "id": 7}])
    halves.save(images / "000000000001.jpg", exif=exif)
    build_folder(
        tmp_path / "out", annotations=path, images=images, crop=CropConfig(input_size=(32, 32)),
        select=SelectConfig(shards=1), exif=rule,
    )  # fmt: skip
    photograph = find_subject(open_dataset(tmp_path / "out"), 7).photograph
    red, _, blue = photograph.getpixel((10, 30))
    assert (red > blue) == (expected == "stored")


def test_a_dropped_annotation_whose_photograph_has_no_size(tmp_path):
    path, images = write_coco(
        tmp_path / "data", {1: Image.new("RGB", (80, 60)), 2: (80, 60)},
        [{**ANNOTATIONS[1], "id": 7}, {**ANNOTATIONS[1], "id": 8, "image_id": 2}],
    )  # fmt: skip
    document = json.loads(path.read_bytes())
    for image in document["images"]:
        del image["width"], image["height"]
    path.write_text(json.dumps(document))
    build_folder(
        tmp_path / "out", annotations=path, images=images, crop=CropConfig(input_size=(32, 32)),
        select=SelectConfig(shards=1, max_bad_fraction=1),
    )  # fmt: skip
    subject = find_subject(open_dataset(tmp_path / "out"), 8)
    assert (subject.reason, subject.image.has_size, subject.photograph) == ("image", False, None)
    assert draw_dropped(subject).width > 400
    Image.new("RGB", (80, 60)).save(images / "000000000002.jpg")
    assert find_subject(open_dataset(tmp_path / "out"), 8).photograph.size == (80, 60)


def test_what_was_built_behind_links_is_found_behind_them(tmp_path):
    annotations, photographs = write_people(tmp_path / "coco", images=2)
    links = tmp_path / "links"
    links.mkdir()
    for path in photographs.iterdir():
        (links / path.name).symlink_to(path)
    build_folder(
        tmp_path / "out", annotations=annotations, images=links, crop=CropConfig(input_size=(64, 64)), follow_links=True
    )
    dataset = open_dataset(str(tmp_path / "out"))
    assert find_subject(dataset, 102).photograph is not None
    assert find_subject(dataset, 102, images=str(links)).photograph is None  # wherever else they are is another matter
