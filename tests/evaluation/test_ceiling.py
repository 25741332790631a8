from __future__ import annotations

import json

import pytest

from cocoprep.errors import RecordError
from cocoprep.evaluation.ceiling import measure_ceiling, read_ceiling
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.manifest import ceiling_basis, read_manifest
from cocoprep.shards.names import CEILING, GROUND_TRUTH
from cocoprep.shards.seal import seal
from cocoprep.storage.local import LocalFiles
from tests.support.people import build_people

FILES = LocalFiles()


def test_what_was_measured_is_read_back_and_says_on_what(tmp_path):
    folder = str(build_people(tmp_path, images=4, shards=2))
    manifest = read_manifest(folder, FILES)
    assert read_ceiling(folder, manifest, FILES) is None
    ceiling = measure_ceiling(folder, manifest, COCO_17, FILES)
    assert read_ceiling(folder, manifest, FILES) == ceiling
    assert ceiling.basis == ceiling_basis(manifest)
    assert ceiling.kept["AP"] > 0.9


def test_a_ground_truth_of_another_build_is_named(tmp_path):
    folder = build_people(tmp_path, images=4, shards=2)
    truth = json.loads((folder / GROUND_TRUTH).read_bytes())
    truth["annotations"] = [annotation for annotation in truth["annotations"] if annotation["id"] != 102]
    (folder / GROUND_TRUTH).write_text(json.dumps(truth))
    with pytest.raises(RecordError, match=r"expected annotation 102 of cocoprep-train2017.*in ground_truth\.json"):
        measure_ceiling(str(folder), read_manifest(str(folder), FILES), COCO_17, FILES)


def test_other_figures_than_these_are_refused(tmp_path):
    folder = build_people(tmp_path, images=4, shards=2)
    manifest = read_manifest(str(folder), FILES)
    ceiling = measure_ceiling(str(folder), manifest, COCO_17, FILES)
    del ceiling.full["AP"]
    (folder / CEILING).write_bytes(seal(ceiling))
    with pytest.raises(RecordError, match=r"expected AP, AP50, .*found other figures"):
        read_ceiling(str(folder), manifest, FILES)


def test_people_without_scale_are_counted(tmp_path):
    folder = build_people(tmp_path, images=4, shards=2)
    truth = json.loads((folder / GROUND_TRUTH).read_bytes())
    counting = [annotation for annotation in truth["annotations"] if annotation["num_keypoints"]]
    for annotation in counting[:3]:
        annotation["area"] = 1
    (folder / GROUND_TRUTH).write_text(json.dumps(truth))
    manifest = read_manifest(str(folder), FILES)
    assert measure_ceiling(str(folder), manifest, COCO_17, FILES).without_scale == 3
