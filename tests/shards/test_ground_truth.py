"""The ground truth beside the shards: pycocotools checks nothing, so what it gets is checked before."""

from __future__ import annotations

import json
import shutil

import pytest

from cocoprep.errors import RecordError
from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.storage.local import LocalFiles


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(images=4, size=(32, 32), shards=2)


def test_what_a_build_wrote_is_read(built):
    truth = read_ground_truth(str(built), LocalFiles())
    assert truth == json.loads((built / GROUND_TRUTH).read_text())


CHANGES = {
    "no images": (lambda truth: truth.pop("images"), "images"),
    "a person of no image": (lambda truth: truth["annotations"][0].update(image_id=99), "of no image"),
    "a person of another category": (lambda truth: truth["annotations"][0].update(category_id=2), "or category"),
    "fewer joints": (lambda truth: truth["annotations"][0]["keypoints"].pop(), "found 50"),
    "a box without end": (lambda truth: truth["annotations"][0].update(bbox=[0, 0, 1e300, 1]), "none above"),
    "text for an area": (lambda truth: truth["annotations"][0].update(area="x"), "Expected `float`"),
    "two categories": (lambda truth: truth["categories"].append({"id": 2}), "one category"),
    "joints without names": (lambda truth: truth["categories"][0].pop("keypoints"), "with its keypoints"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_no_build_writes_is_refused(case, built, tmp_path):
    change, said = CHANGES[case]
    folder = shutil.copytree(built, tmp_path / "out")
    truth = json.loads((folder / GROUND_TRUTH).read_text())
    change(truth)
    (folder / GROUND_TRUTH).write_text(json.dumps(truth))
    with pytest.raises(RecordError, match="cocoprep verify") as error:
        read_ground_truth(str(folder), LocalFiles())
    assert said in str(error.value)
