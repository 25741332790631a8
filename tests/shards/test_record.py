from __future__ import annotations

import numpy as np
import pytest

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.person import PersonCrop
from cocoprep.crops.pixels import encode_jpeg
from cocoprep.errors import RecordError
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.record import FEATURES, decode_example, encode_example, jpeg_size

CROP = CropConfig(input_size=(64, 48))
JOINTS = 17


def crop_of(seed=0, **changes):
    from PIL import Image

    rng = np.random.default_rng(seed)
    height, width = CROP.stored_size
    values = {
        "image": ImageInfo(2**40 + seed, "a/ü.jpg", 640, 480),
        "annotation_id": 900_000_000_001 + seed,
        "jpeg": encode_jpeg(Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)), 90),
        "heatmaps": rng.integers(0, 256, (*CROP.heatmap_size, JOINTS), np.uint8),
        "keypoints": rng.normal(0, 100, (JOINTS, 2)).astype(np.float32),
        "visibility": rng.integers(0, 3, JOINTS),
        "window": CropWindow(-1.5, 2.25, 100, 133.5),
        "bbox": (1.23, 4.56, 78.9, 0.1),
        "area_px2": 1234.5678,
    }
    return PersonCrop(**{**values, **changes})


def test_what_is_encoded_is_decoded():
    person = crop_of()
    found = decode_example(encode_example(person), CROP, JOINTS)
    assert sorted(found) == [feature.name for feature in FEATURES]
    np.testing.assert_array_equal(found["heatmaps"], person.heatmaps)
    np.testing.assert_array_equal(found["keypoints"], person.keypoints)
    np.testing.assert_array_equal(found["visibility"], person.visibility)
    np.testing.assert_allclose(found["crop_window"], person.window)
    np.testing.assert_allclose(found["bbox"], person.bbox, rtol=1e-6)
    assert found["area"] == np.float32(1234.5678)
    assert (found["image_id"], found["annotation_id"]) == (2**40, 900_000_000_001)
    assert (found["image_width"], found["image_height"], found["file_name"]) == (640, 480, "a/ü.jpg")
    assert found["image"] == person.jpeg


def test_the_bytes_are_tensorflows():
    tf = pytest.importorskip("tensorflow")
    for seed in range(5):
        person = crop_of(seed)
        ours = encode_example(person)
        lists = {
            "bytes": lambda values: tf.train.Feature(bytes_list=tf.train.BytesList(value=values)),
            "float32": lambda values: tf.train.Feature(float_list=tf.train.FloatList(value=values)),
            "int64": lambda values: tf.train.Feature(int64_list=tf.train.Int64List(value=values)),
        }
        features = {}
        for feature in FEATURES:
            value = feature.get(person)
            features[feature.name] = lists[feature.kind](
                [value] if feature.kind == "bytes" else np.ravel(value).tolist()
            )
        theirs = tf.train.Example(features=tf.train.Features(feature=features))
        assert ours == theirs.SerializeToString(deterministic=True)
        assert tf.train.Example.FromString(ours) == theirs


def test_the_table_is_in_the_order_of_the_bytes():
    names = [feature.name for feature in FEATURES]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda record: b"\xff" + record, "not a tf.train.Example"),
        (lambda record: b"", "expected the features"),
        (lambda record: record.replace(b"visibility", b"visibilitx"), "expected the features"),
    ],
)
def test_a_record_of_another_form_is_refused(damage, says):
    with pytest.raises(RecordError, match=says):
        decode_example(damage(encode_example(crop_of())), CROP, JOINTS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"keypoints": np.zeros((16, 2), np.float32)}, "'keypoints': expected 34 values, found 32"),
        ({"visibility": np.zeros(18, np.int64)}, "'visibility': expected 17 values, found 18"),
        ({"heatmaps": np.zeros((16, 12, 16), np.uint8)}, "'heatmaps': expected 3264 bytes"),
        ({"heatmaps": np.zeros((999, 999, 17), np.uint8)}, "'heatmaps': expected 3264 bytes"),
    ],
)
def test_a_value_of_another_size_is_refused(changes, says):
    with pytest.raises(RecordError, match=says):
        decode_example(encode_example(crop_of(**changes)), CROP, JOINTS)


def test_jpeg_size():
    assert jpeg_size(crop_of().jpeg) == CROP.stored_size
    for bad in (b"", b"\xff\xd8", b"\x89PNG" * 10, b"\xff\xd8\xff\xe0\xff\xff" + b"x" * 40):
        with pytest.raises(RecordError, match="'image'"):
            jpeg_size(bad)
