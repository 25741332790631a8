"""What became of each entry of a data set, or would in a build."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from cocoprep.builder.config import SelectConfig
from cocoprep.builder.joined import annotations_of
from cocoprep.builder.selection import select_people
from cocoprep.coco.annotations import parse_annotation_file
from cocoprep.inspection.fates import LEAST_OF_REASON, REASONS, fates_of
from cocoprep.inspection.read_data_set import read_data_set
from cocoprep.pose.crop_config import CropConfig
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder, keypoints, write_coco
from tests.support.people import write_people

FILES = LocalFiles()
CROP = CropConfig(input_size=(64, 64))
NOSE = keypoints(nose=(10, 10, 2))
ODD = [
    {"id": 1, "image_id": 1, "keypoints": NOSE},
    {"id": 2, "image_id": 1, "keypoints": NOSE, "iscrowd": 1},
    {"id": 3, "image_id": 1, "keypoints": [0] * 51, "iscrowd": 1},
    {"id": 4, "image_id": 1, "keypoints": NOSE, "bbox": [500, 500, 20, 20]},
    {"id": 5, "image_id": 1, "keypoints": NOSE, "bbox": [0, 0, 0, 0]},
    {"id": 6, "image_id": 1, "keypoints": NOSE, "category_id": 7},
    {"id": 7, "image_id": 1, "keypoints": "none"},
    {"id": 1, "image_id": 1, "keypoints": NOSE},
    {"id": 9, "image_id": 1, "keypoints": [0] * 51},
]


@pytest.fixture
def odd(tmp_path):
    return write_coco(tmp_path / "coco", {1: Image.new("RGB", (96, 80))}, ODD)


def test_an_annotation_file_is_judged_as_a_build_judges(odd):
    path, _ = odd
    data_set = read_data_set(str(path), "odd", FILES)
    fates = fates_of(data_set, CROP, FILES)
    assert not fates.built
    file = parse_annotation_file(path.read_bytes(), str(path))
    selection = select_people(annotations_of(file), SelectConfig(), CROP)
    assert fates.counts() == Counter((entry.reason or "") for entry in selection.entries)
    judged = {e.annotation_id: (e.reason or "") for e in selection.entries if e.person is not None}
    found = [fates.fate(n) for n in range(len(fates.reasons))]
    assert {one.annotation_id: one.reason for one in found} == judged
    assert {one.image_id for one in found} == {1}


def test_a_built_folder_tells_by_its_ledger(odd, tmp_path):
    path, images = odd
    build_folder(
        tmp_path / "out", annotations=path, images=images, crop=CROP, select=SelectConfig(max_bad_fraction=1.0)
    )
    fates = fates_of(read_data_set(str(tmp_path / "out"), "out", FILES), CROP, FILES)
    assert fates.built
    found = [fates.fate(n) for n in range(len(ODD))]
    assert [one.reason for one in found] == [
        "", "crowd", "zero_keypoints", "box", "box", "category", "malformed", "duplicate", "zero_keypoints",
    ]  # fmt: skip
    assert [one.row for one in found] == list(range(len(ODD)))
    assert [one.place is None for one in found][5:7] == [True, True]
    assert found[0].shard
    assert found[6].detail
    ids = fates.data_set.people.annotation_ids
    assert all(ids[one.place] == one.annotation_id for one in found if one.place is not None)


def test_of_many_some_are_chosen(tmp_path):
    path, _ = write_people(tmp_path, images=200)
    fates = fates_of(read_data_set(str(path), "many", FILES), CROP, FILES)
    assert fates.counts() == {"": 400, "zero_keypoints": 200}
    assert fates.choose(600) == list(range(600))
    always = {int(one) for one in fates.data_set.people.annotation_ids[[0, 299, 599]]}
    chosen = fates.choose(100, always)
    assert chosen == sorted(set(chosen)) == fates.choose(100, always)
    assert len(chosen) == 100
    assert {0, 299, 599} <= set(chosen)
    reasons = Counter(REASONS[fates.reasons[n]] for n in chosen)
    assert reasons["zero_keypoints"] >= LEAST_OF_REASON
    assert reasons[""] > 50
    gaps = np.diff([n for n in chosen if fates.reasons[n] == 0])
    assert gaps.max() < 3 * gaps.mean()  # evenly spread
    assert len(fates.choose(2, always)) == 2
