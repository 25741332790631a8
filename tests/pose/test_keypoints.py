from __future__ import annotations

import numpy as np
from pycocotools.cocoeval import Params

from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17


def test_sigmas_are_those_of_pycocotools():
    np.testing.assert_allclose(COCO_17.oks_sigmas, Params(iouType="keypoints").kpt_oks_sigmas)


def test_a_mirror_twice_is_no_mirror():
    flip = np.array(COCO_17.flip_index)
    assert (flip[flip] == np.arange(len(COCO_17))).all()


def test_a_mirror_swaps_sides_and_keeps_the_rest():
    for name, partner in zip(COCO_17.names, COCO_17.flip_index, strict=True):
        swapped = name.replace("left_", "?").replace("right_", "left_").replace("?", "right_")
        assert COCO_17.names[partner] == swapped


def test_table_agrees_with_coco(coco_mini):
    import json

    category = json.loads((coco_mini / "annotations" / "person_keypoints_val2017.json").read_text())["categories"][0]
    assert list(COCO_17.names) == category["keypoints"]
    assert sorted(map(sorted, COCO_17.skeleton)) == sorted(map(sorted, category["skeleton"]))


def test_sides():
    assert COCO_17.sides[:3] == ("centre", "left", "right")


def test_families_are_joints_with_their_partners():
    assert list(COCO_17.families) == ["nose", "eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
    assert COCO_17.families["hip"] == (11, 12)
    tip = Joint("right_tip", "left_tip", 0.1), Joint("left_tip", "right_tip", 0.1)  # the right one first
    assert KeypointTable("rod", (*tip, Joint("root", "root", 0.1)), ()).families == {"tip": (1, 0), "root": (2,)}
    assert KeypointTable("three", (Joint("tip", "tip", 0.1), *tip), ()).families == {"tip": (0,), "left_tip": (2, 1)}
