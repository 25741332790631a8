"""What the people of a shard add up to, against sums made one person at a time."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.builder.tally import TALLY_BATCH, Tally
from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.person import PersonCrop
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import encode_heatmaps, quantise_heatmaps
from cocoprep.shards.sidecar import unpack_array

CROP = CropConfig(input_size=(48, 64))
JOINTS = 3


def person(number: int) -> PersonCrop:
    """Return a person whose joints lie anywhere in the crop; every seventh has one outside it."""
    rng = np.random.default_rng(number)
    visibility = rng.integers(0, 3, JOINTS)
    points = rng.uniform(8, [56, 40], (JOINTS, 2))
    if number % 7 == 0:
        points[1], visibility[1] = (70.0, 20.0), 1
    points[visibility == 0] = 0
    maps = encode_heatmaps(points / 4, visibility > 0, size=CROP.heatmap_size, sigma_px=2.0)
    x, y, width = rng.uniform(0, 300, 3)
    return PersonCrop(
        ImageInfo(1, "1.jpg", 600, 600), number, b"", quantise_heatmaps(maps), points.astype(np.float32), visibility,
        CropWindow(x, y, width + 64, 0.75 * (width + 64)), (x, y, 20.0 + number % 60, 50.0), 100.0,
    )  # fmt: skip


def tally_of(people):
    tally = Tally(CROP, JOINTS)
    for one in people:
        tally.add(one)
    return tally


def unpacked(summary, people: int):
    kinds = {
        "decoded": (np.int32, (people, JOINTS, 2)),
        "keypoints": (np.float32, (people, JOINTS, 2)),
        "labelled_joints": (bool, (people, JOINTS)),
        "box_sides": (np.float32, (people,)),
        "heatmap_sums": (np.uint32, (*CROP.heatmap_size, JOINTS)),
    }
    assert set(summary) == {*kinds, "joints_outside_crop"}
    return {name: unpack_array(summary[name], *form) for name, form in kinds.items()}


@pytest.mark.parametrize("count", [0, 1, TALLY_BATCH - 1, TALLY_BATCH, TALLY_BATCH + 1, 2 * TALLY_BATCH + 5])
def test_any_number_of_people_in_any_order(count):
    people = [person(1000 + n) for n in range(count)]
    order = np.random.default_rng(0).permutation(count)
    summary = tally_of(people).summary([people[n].annotation_id for n in order])
    found, ordered = unpacked(summary, count), [people[n] for n in order]
    sums = np.zeros((*CROP.heatmap_size, JOINTS), int)
    outside = 0
    for n, one in enumerate(ordered):
        sums += one.heatmaps
        labelled = one.visibility > 0
        outside += int((labelled & (one.keypoints[:, 0] >= 64)).sum())
        np.testing.assert_array_equal(found["keypoints"][n], one.keypoints)
        np.testing.assert_array_equal(found["labelled_joints"][n], labelled)
        side = max(one.bbox[2], one.bbox[3]) * 64 / one.window.width
        assert found["box_sides"][n] == pytest.approx(side, rel=1e-6)
    np.testing.assert_array_equal(found["heatmap_sums"], sums)
    assert summary["joints_outside_crop"] == outside


def test_what_is_decoded_lies_where_the_joint_was_in_the_photograph():
    people = [person(n) for n in range(1, 7)]
    found = unpacked(tally_of(people).summary([one.annotation_id for one in people]), len(people))
    for decoded, one in zip(found["decoded"] * 0.001, people, strict=True):
        scale = one.window.width / 64
        expected = one.keypoints * scale + (one.window.x0, one.window.y0) - 0.5
        labelled = one.visibility > 0
        np.testing.assert_allclose(decoded[labelled], expected[labelled], atol=0.1 * scale)


def test_the_brightest_maps_of_a_whole_batch_add_up():
    bright = np.full((*CROP.heatmap_size, JOINTS), 255, np.uint8)
    people = [person(n) for n in range(1, 2 * TALLY_BATCH + 1)]
    tally = Tally(CROP, JOINTS)
    for one in people:
        object.__setattr__(one, "heatmaps", bright)
        tally.add(one)
    found = unpacked(tally.summary([one.annotation_id for one in people]), len(people))
    assert (found["heatmap_sums"] == 255 * 2 * TALLY_BATCH).all()
