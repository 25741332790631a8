"""From photographs and boxes to joints, in the photograph's own pixels."""

from __future__ import annotations

import json
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from cocoprep.errors import ConfigError, ImageError
from cocoprep.model.predict import photographs
from cocoprep.model.predict.annotated import list_annotated
from cocoprep.model.predict.listing import list_files, read_picture
from cocoprep.model.predict.named import Photographs
from cocoprep.model.predict.photographs import predict_photographs
from cocoprep.model.predict.predictor import Predictor
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.settings import crop_record
from tests.builder.bad_input import huge_png
from tests.support.any_joints import FIVE, write
from tests.support.building import write_coco
from tests.support.runs import brightness_network, spot

CROP = crop_record(CropConfig(input_size=(64, 48)))


@pytest.fixture(scope="module")
def predictor():
    return Predictor(brightness_network(CROP), CROP, COCO_17)


class Faults(list):
    """Keeps what it is told."""

    def __call__(self, name, fault):
        self.append((name, fault))


def annotated(annotations, images, faults, **options):
    return list_annotated(annotations.read_bytes(), str(annotations), Photographs({"": str(images)}), faults, **options)


def save(path, picture, **options):
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path, **options)
    return str(path)


def look(predictor, listed, **options):
    faults = Faults()
    return list(predict_photographs(predictor, listed, faults, **options)), faults


def test_a_spot_is_found_where_it_lies(predictor, tmp_path):
    """Through box, window, crop, heatmap and back: COCO's frame is half a pixel off ours."""
    path = save(tmp_path / "a.png", spot(160, 120, (70.3, 52.8)))
    boxes = [(40, 20, 60, 70), (0, 0, 160, 120), (60, 30, 120, 100)]
    (seen,), faults = look(predictor, list_files([path], boxes, Faults()))
    assert not faults
    assert seen.boxes == boxes
    np.testing.assert_allclose(seen.joints.keypoints, np.full((3, 17, 2), [69.8, 52.3]), atol=0.15)
    assert (seen.joints.confidence[0] > 0.7).all()


def test_without_boxes_the_whole_picture_is_taken(predictor, tmp_path):
    path = save(tmp_path / "a.png", spot(160, 120, (70.3, 52.8)))
    (seen,), _ = look(predictor, list_files([path], [], Faults()))
    assert seen.boxes == [(0, 0, 160, 120)]
    np.testing.assert_allclose(seen.joints.keypoints, np.full((1, 17, 2), [69.8, 52.3]), atol=0.3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_users_photograph_is_turned_upright(tmp_path, orientation):
    """What a viewer shows: Pillow's own way to turn a picture upright must agree."""
    from PIL import ImageOps

    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", picture, exif=exif)
    with Image.open(path) as stored:
        expected = np.array(ImageOps.exif_transpose(stored))
    np.testing.assert_array_equal(np.array(read_picture(path)), expected)


def test_batches_go_over_photographs(predictor, tmp_path):
    spots = [(45.5, 50.5), (70.5, 50.5), (100.5, 70.5), (60.5, 70.5), (115.5, 60.5)]
    paths = [save(tmp_path / f"{n}.png", spot(160, 120, at, sigma_px=12)) for n, at in enumerate(spots)]
    listed = list_files(paths, [(0, 0, 160, 120), (0, 0, 150, 110), (-20, -10, 400, 300)], Faults())
    batches = []
    seen, _ = look(predictor, listed, batch_size=4, on_batch=lambda people, seconds: batches.append((people, seconds)))
    assert [people for people, _ in batches] == [4, 4, 4, 3]
    assert all(seconds > 0 for _, seconds in batches)
    assert [one.listed.image_id for one in seen] == [1, 2, 3, 4, 5]
    for one, at in zip(seen, spots, strict=True):
        np.testing.assert_allclose(one.joints.keypoints, np.full((3, 17, 2), np.array(at) - 0.5), atol=0.3)


def test_no_more_photographs_are_held_than_fit(predictor, tmp_path, monkeypatch):
    monkeypatch.setattr(photographs, "HELD_PIXELS", 2 * 160 * 120)
    paths = [save(tmp_path / f"{n}.png", spot(160, 120, (50, 50))) for n in range(7)]
    batches = []
    seen, _ = look(
        predictor, list_files(paths, [], Faults()), batch_size=8, on_batch=lambda people, _: batches.append(people)
    )
    assert batches == [3, 3, 1]
    assert len(seen) == 7


def test_what_cannot_be_used_is_told_and_the_rest_goes_on(predictor, tmp_path):
    good = save(tmp_path / "good.png", spot(160, 120, (70, 50)))
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "short.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "huge.png").write_bytes(huge_png(9000, 9000))
    os.mkfifo(tmp_path / "pipe.jpg")
    paths = [str(tmp_path / name) for name in ("short.png", "text.jpg", "huge.png", "pipe.jpg", "none.jpg")]
    seen, faults = look(predictor, list_files([*paths, good], [(40, 20, 60, 70), (500, 20, 10, 10)], Faults()))
    assert [one.listed.name for one in seen] == [good]
    assert len(seen[0].boxes) == 1
    assert [name for name, _ in faults] == [*paths, good]
    said = [fault for _, fault in faults]
    for text, fault in zip(
        ("cannot be decoded", "expected a JPEG", "more than the limit of", "not a regular file",
         "no such file", "less than one pixel"),
        said, strict=True,
    ):  # fmt: skip
        assert text in fault
        assert "\n" not in fault


def test_folders_give_their_pictures_by_name_once(tmp_path):
    for name in ("b.jpg", "a.PNG", "c.webp", "notes.txt", ".hidden.jpg"):
        save(tmp_path / name, Image.new("RGB", (4, 4)), format="PNG")
    (tmp_path / "inner").mkdir()
    save(tmp_path / "inner" / "d.jpg", Image.new("RGB", (4, 4)))
    (tmp_path / "e.jpg").mkdir()
    again = str(tmp_path / "b.jpg")
    listed = list_files([again, str(tmp_path), again], [], Faults())
    assert [os.path.basename(one.name) for one in listed] == ["b.jpg", "a.PNG", "c.webp"]
    assert [one.image_id for one in listed] == [1, 2, 3]
    faults = Faults()
    assert list_files([str(tmp_path / "e.jpg")], [], faults) == []
    assert "found none" in faults[0][1]


def coco(root):
    pictures = {n: Image.fromarray(spot(160, 120, (10.0 * n, 50.0), sigma_px=12)) for n in (3, 5, 9)}
    people = [
        {"id": 1, "image_id": 5, "bbox": [10, 20, 60, 70]},
        {"id": 2, "image_id": 3, "bbox": [0, 0, 160, 120], "keypoints": [20, 20, 2] * 17},
        {"id": 3, "image_id": 5, "bbox": [0, 0, 160, 120], "iscrowd": 1},
        {"id": 4, "image_id": 5, "bbox": [20, 10, 80, 90], "keypoints": [20, 20, 2] * 17},
        {"id": 5, "image_id": 9, "bbox": [0, 0, "wide", 5]},
    ]
    return write_coco(root, pictures, people)


@pytest.mark.parametrize("zipped", [False, True])
def test_the_boxes_of_an_annotation_file(predictor, tmp_path, zipped):
    annotations, images = coco(tmp_path)
    if zipped:
        with zipfile.ZipFile(tmp_path / "images.zip", "w") as packed:
            for path in images.iterdir():
                packed.write(path, path.name)
        images = tmp_path / "images.zip"
    faults = Faults()
    listed, category = annotated(annotations, images, faults)
    assert category == 1
    assert [(one.image_id, len(one.boxes)) for one in listed] == [(3, 1), (5, 2)]
    assert "row 4" in faults[0][1]
    seen, faults = look(predictor, listed)
    assert not faults
    for one in seen:
        truth = np.array([10.0 * one.listed.image_id, 50.0]) - 0.5
        np.testing.assert_allclose(one.joints.keypoints - truth, 0, atol=0.5)


def test_entries_of_other_categories_are_no_faults(tmp_path):
    inputs = write(tmp_path, FIVE, 7)  # eight birds, and a car
    faults = Faults()
    listed, category = annotated(inputs["annotations"], inputs["images"], faults)
    assert (category, sum(len(one.boxes) for one in listed), list(faults)) == (7, 8, [])


def test_what_is_guessed_of_boxes_is_told_and_nobody_is_no_fault(tmp_path):
    person = {"id": 1, "image_id": 5, "bbox": [], "keypoints": [20, 20, 2, 60, 80, 2] + [0] * 45}
    nobody = {"id": 2, "image_id": 5, "bbox": [0, 0, 0, 0]}
    annotations, images = write_coco(tmp_path, {5: Image.new("RGB", (160, 120))}, [person, nobody, person])
    faults, notes = Faults(), []
    (listed,), _ = annotated(annotations, images, faults, on_note=notes.append)
    assert listed.boxes == ((10, 5, 60, 90),)
    assert not faults
    assert notes == [
        "1 annotation is there twice, id and all: counted once",
        "2 annotations have no box: the extent of the labelled joints and 25% of it on each side is taken",
        "1 annotation has neither a box nor labelled joints: passed over",
    ]


def test_a_category_without_names_has_the_networks_joints(tmp_path):
    inputs = write(tmp_path, FIVE, 7)
    document = json.loads(inputs["annotations"].read_text())
    for category in document["categories"]:
        category.pop("keypoints", None)
    document["categories"] = [one for one in document["categories"] if one["id"] == 7]
    inputs["annotations"].write_text(json.dumps(document))
    paths = inputs["annotations"], inputs["images"]
    listed, _ = annotated(*paths, Faults(), table=FIVE)
    assert sum(len(one.boxes) for one in listed) == 8
    listed, _ = annotated(*paths, Faults())  # others than the network's: boxes are all that is asked for
    assert sum(len(one.boxes) for one in listed) == 8
    for entry in document["annotations"]:
        entry.pop("keypoints", None)
        entry["bbox"] = [1, 2, 30, 40]
    inputs["annotations"].write_text(json.dumps(document))
    listed, _ = annotated(*paths, Faults())  # boxes alone, as in an instances file
    assert [box for one in listed for box in one.boxes] == [(1, 2, 30, 40)] * 8


def test_people_with_few_labels_are_left_out_when_asked(tmp_path):
    annotations, images = coco(tmp_path)
    listed, _ = annotated(annotations, images, Faults(), min_keypoints=1)
    assert [(one.image_id, len(one.boxes)) for one in listed] == [(3, 1), (5, 1)]


def test_files_that_are_not_there(tmp_path):
    annotations, _ = coco(tmp_path)
    with pytest.raises(ConfigError, match="--images"):
        annotated(annotations, tmp_path / "none", Faults())
    with pytest.raises(ImageError, match="no such file"):
        read_picture(str(tmp_path / "none.jpg"))
