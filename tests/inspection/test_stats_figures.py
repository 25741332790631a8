"""Figures of data sets that are small enough to count them by hand, and others beside a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.builder.selection import skip_reason
from cocoprep.coco.annotations import ImageInfo, Person
from cocoprep.coco.people import ParsedEntry
from cocoprep.inspection import crowding
from cocoprep.inspection.box_figures import box_figures
from cocoprep.inspection.crop_figures import SCALES, crop_figures
from cocoprep.inspection.crowding import crowding_figures, largest_overlaps, overlaps_of
from cocoprep.inspection.label_figures import kept_by_minimum, label_figures
from cocoprep.inspection.spread import QUANTILES, spread_of, spread_of_counts
from cocoprep.inspection.statistics import measure
from cocoprep.inspection.unlabelled import WHYS, choose_unlabelled, count_whys
from cocoprep.pose.affine import image_to_crop, index_to_point, inside
from cocoprep.pose.boxes import canonical_window
from cocoprep.pose.crop_config import CropConfig
from tests.support.any_joints import TABLES, write
from tests.support.building import keypoints, write_coco
from tests.support.stats import changed, read, some_people

CROP = CropConfig()


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """Return the figures of six annotations on three photographs of 100 x 80, the third without any."""
    annotations = [
        {"id": 1, "image_id": 1, "bbox": [10, 10, 20, 40], "area": 400,
         "keypoints": keypoints(nose=(20, 12, 2), left_ankle=(15, 45, 1), right_ankle=(40, 45, 2))},
        {"id": 2, "image_id": 1, "bbox": [20, 10, 20, 40], "area": 2000, "keypoints": keypoints(nose=(30, 12, 2))},
        {"id": 3, "image_id": 1, "bbox": [60, 20, 40, 20], "area": 9999},
        {"id": 4, "image_id": 1, "bbox": [0, 0, 100, 80], "area": 8000, "iscrowd": 1},
        {"id": 5, "image_id": 2, "bbox": [40, 30, 8, 8], "area": 30},
        {"id": 6, "image_id": 2, "bbox": [40, 30, "x", 8], "area": 30},
        {"id": 7, "image_id": 2, "category_id": 3},
        {"id": 5, "image_id": 2, "bbox": [40, 30, 8, 8], "area": 30},
    ]  # fmt: skip
    path, _ = write_coco(tmp_path_factory.mktemp("hand"), {1: (100, 80), 2: (100, 80), 3: (100, 80)}, annotations)
    return measure(read(path), CROP)


def test_entries_and_photographs(by_hand):
    entries, images, crowded = by_hand.entries, by_hand.images, by_hand.crowding
    assert (entries.read, entries.malformed, entries.other_categories, entries.twice) == (8, 1, 1, 1)
    assert (images.listed, images.sized, images.common) == (3, 3, (((100, 80), 3),))
    assert (images.width.median, images.height.median) == (100, 80)
    assert crowded.by_count.tolist() == [1, 1, 0, 0, 1]
    assert (crowded.with_people, crowded.with_several) == (2, 1)


def test_labels(by_hand):
    labels = by_hand.labels
    assert (labels.annotations, labels.crowds, labels.people, labels.unlabelled) == (5, 1, 2, 3)
    assert labels.by_labelled[:4].tolist() == [3, 1, 0, 1]
    names = by_hand.table.names
    assert labels.visibility[names.index("nose")].tolist() == [0, 0, 2]
    assert labels.visibility[names.index("left_ankle")].tolist() == [1, 1, 0]
    assert labels.joints.tolist() == [2 * 17 - 4, 1, 3]
    assert labels.kept[:4].tolist() == [[2, 1, 4], [1, 1, 3], [1, 1, 3], [0, 0, 0]]
    assert by_hand.unlabelled == {"crowd": 1, "small": 1, "cut": 1, "overlapped": 0, "other": 0}


def test_boxes(by_hand):
    boxes = by_hand.boxes
    assert boxes.people == 4
    assert (boxes.sizes.tolist(), boxes.unlabelled.tolist()) == ([2, 1, 1], [1, 0, 1])
    assert (boxes.cut, boxes.cut_unlabelled, boxes.touching.tolist()) == (1, 1, [0, 0, 1, 0])
    assert boxes.aspect.count == 4
    assert boxes.aspect.mean == pytest.approx((-1 - 1 + 1 + 0) / 4)
    assert boxes.side.most == pytest.approx(math.log2(800) / 2)


def test_overlap(by_hand):
    # The first two share half of each: 400 of 1,200 square pixels. The crowd is left out.
    found = by_hand.crowding
    assert found.overlap.count == 4
    assert found.overlap.most == pytest.approx(1 / 3)
    assert found.over.tolist() == [2, 2, 0]


def test_joints_in_box_and_crop(by_hand):
    crops = by_hand.crops
    assert (crops.people, crops.joints.sum(), crops.left_out) == (2, 4, 0)
    # Of the first, the right ankle lies at 40.5, where the box ends at 30 and the crop at 1.0 at 40.
    assert crops.outside_box == 1
    assert dict(zip(SCALES, crops.outside_crop.tolist(), strict=True))[1.0] == 1
    assert crops.outside_crop[1:].tolist() == [0] * 6
    nose = by_hand.table.names.index("nose")
    # Both noses lie 0.5 right of the box's middle, and 2.5 below its top: of a crop of 50 x 50.
    assert crops.mean[nose].tolist() == pytest.approx([0.51, (2.5 + 5) / 50])
    assert crops.deviation[nose].tolist() == pytest.approx([0, 0])
    assert np.isnan(crops.mean[by_hand.table.names.index("left_ear")]).all()


def test_photographs_without_a_size_are_left_out_where_it_counts(tmp_path):
    path, _ = write_coco(tmp_path, {1: (100, 80)}, [{"id": 1, "image_id": 1, "keypoints": keypoints(nose=(3, 3, 2))}])

    def without(document):
        del document["images"][0]["width"]

    found = measure(read(changed(path, without)), CROP)
    assert (found.images.sized, found.boxes.sized, found.crops.people, found.crops.left_out) == (0, 0, 0, 1)
    assert found.labels.kept[0].tolist() == [1, 1, 1]
    assert [note for note in found.notes if "unknown size" in note]
    assert [note for note in found.notes if "where joints lie" in note]


@given(some_people())
def test_labels_are_those_of_a_loop(people):
    found = label_figures(people, CROP)
    visibility = people.joints[..., 2]
    counts = [0] * (people.joints.shape[1] + 1)
    by_joint = np.zeros((people.joints.shape[1], 3), int)
    for n in range(len(people)):
        labelled = sum(v > 0 for v in visibility[n])
        counts[labelled] += 1
        for k, v in enumerate(visibility[n]):
            by_joint[k, int(v)] += labelled > 0 and not people.crowd[n]
    assert found.by_labelled.tolist() == counts
    assert found.visibility.tolist() == by_joint.tolist()


@given(some_people())
def test_what_min_keypoints_keeps_is_what_a_build_keeps(people):
    found = kept_by_minimum(people, CROP)
    for least in range(1, people.joints.shape[1] + 1):
        kept = [n for n in range(len(people)) if _is_kept(people, n, least)]
        expected = [len(kept), len({people.images[n] for n in kept}), sum(people.labelled[n] for n in kept)]
        assert found[least - 1].tolist() == expected


def _is_kept(people, n: int, least: int) -> bool:
    bbox = tuple(people.bbox[n].tolist())
    person = Person(1, bbox, 1.0, bool(people.crowd[n]), int(people.labelled[n]), people.joints[n].tobytes())
    width, height = people.sizes[n].tolist()
    image = ImageInfo(1, "x.jpg", width, height)
    return skip_reason(ParsedEntry(0, 1, 1, person, None), image, CROP, least) is None


@given(some_people())
def test_overlaps_are_those_of_all_pairs(people):
    overlaps, not_compared = overlaps_of(people)
    good = [n for n in range(len(people)) if not people.crowd[n] and min(people.bbox[n, 2:]) > 0]
    assert not_compared == 0
    for n in range(len(people)):
        others = [m for m in good if m != n and people.images[m] == people.images[n]]
        best = max((_iou(people.bbox[n], people.bbox[m]) for m in others), default=0.0)
        assert overlaps[n] == pytest.approx(best) if n in good else np.isnan(overlaps[n])
    figures = crowding_figures(people, 4, overlaps, 0)
    assert figures.overlap.count == len(good)
    assert figures.by_count.sum() == 4


def _iou(a, b) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def test_boxes_of_a_photograph_with_too_many_are_not_compared(monkeypatch):
    monkeypatch.setattr(crowding, "MOST_COMPARED", 2)
    people = some_people_on([0, 0, 0, 1, 1])
    overlaps, not_compared = overlaps_of(people)
    assert not_compared == 3
    assert np.isnan(overlaps).tolist() == [True, True, True, False, False]


def test_a_photograph_with_many_boxes_is_compared_in_time():
    boxes = np.column_stack([np.arange(2000.0), np.zeros(2000), np.full((2000, 2), 2.0)])
    found = largest_overlaps(boxes, np.zeros(2000, np.int64))
    assert found == pytest.approx(np.full(2000, 1 / 3))


def some_people_on(images):
    from cocoprep.inspection.data_set import People

    count = len(images)
    return People(
        np.arange(count), np.array(images), np.full((count, 2), 100), np.tile([10.0, 10, 5, 5], (count, 1)),
        np.full(count, 25.0), np.zeros(count, bool), np.zeros((count, 1, 3), np.float32),
    )  # fmt: skip


@given(some_people(), st.sampled_from([(256, 256), (256, 192), (64, 96)]))
def test_joints_outside_are_those_of_a_loop(people, input_size):
    crop = CropConfig(input_size=input_size)
    found = crop_figures(people, crop)
    outside_box, outside, places = 0, [0] * len(SCALES), []
    counting = 0
    for n in range(len(people)):
        x, y, w, h = people.bbox[n].tolist()
        width, height = people.sizes[n].tolist()
        in_picture = min(x + w, width) > max(x, 0) and min(y + h, height) > max(y, 0)
        if people.crowd[n] or not people.labelled[n] or not width or not in_picture:
            continue
        counting += 1
        seen = people.joints[n, :, 2] > 0
        points = index_to_point(people.joints[n, seen, :2])
        outside_box += sum(not (x <= px <= x + w and y <= py <= y + h) for px, py in points)
        for s, scale in enumerate(SCALES):
            at = CropConfig(input_size=input_size, bbox_scale=scale)
            window = canonical_window((x, y, w, h), (height, width), at)
            outside[s] += int((~inside(image_to_crop(points, window, input_size), input_size)).sum())
        window = canonical_window((x, y, w, h), (height, width), crop)
        places += [p / np.array(input_size[::-1]) for p in image_to_crop(points, window, input_size)]
    assert (found.people, found.outside_box, found.joints.sum()) == (counting, outside_box, len(places))
    assert found.outside_crop.tolist() == outside
    if places:
        weights = found.joints[:, None] / len(places)
        assert np.nansum(found.mean * weights, axis=0) == pytest.approx(np.mean(places, axis=0), abs=1e-6)


@given(some_people())
def test_boxes_are_those_of_a_loop(people):
    found = box_figures(people)
    kinds, cut = [0, 0, 0], 0
    for n in np.flatnonzero(~people.crowd):
        kinds[int(people.area[n] >= 32**2) + int(people.area[n] >= 96**2)] += 1
        x, y, w, h = people.bbox[n]
        width, height = people.sizes[n]
        cut += bool(width) and (x <= 1 or y <= 1 or x + w >= width - 1 or y + h >= height - 1)
    assert found.sizes.tolist() == kinds
    assert found.cut == cut


@given(some_people(), st.integers(0, 9))
def test_examples_without_labels_are_of_all_kinds(people, most):
    overlaps, _ = overlaps_of(people)
    counts = count_whys(people, overlaps)
    chosen = choose_unlabelled(people, overlaps, most)
    unlabelled = int((people.labelled == 0).sum())
    assert sum(counts.values()) == unlabelled
    assert len(set(chosen.tolist())) == len(chosen) == min(most, unlabelled)
    assert not people.labelled[chosen].any()
    if most >= len(WHYS):
        found = count_whys(people.take(chosen), overlaps[chosen])
        assert [why for why in WHYS if found[why]] == [why for why in WHYS if counts[why]]


@given(st.lists(st.floats(-50, 50), max_size=30))
def test_a_spread_counts_every_number(values):
    found = spread_of(values, np.linspace(-10, 10, 5))
    assert found.bins.sum() == found.count == len(values)
    if values:
        assert found.mean == pytest.approx(np.mean(values))
        assert found.deviation == pytest.approx(np.std(values))
        assert found.quantiles == pytest.approx(np.quantile(values, QUANTILES))
    else:
        assert math.isnan(found.mean)


def test_a_spread_of_counts_is_that_of_the_numbers():
    assert spread_of_counts([1, 0, 2]).mean == pytest.approx((0 + 2 + 2) / 3)
    assert spread_of_counts([0, 0]).count == 0


@pytest.mark.parametrize("table", [TABLES["tip-1"], TABLES["bird-5"], max(TABLES.values(), key=len)], ids=len)
def test_any_number_of_joints(tmp_path, table):
    count = len(table)
    found = measure(read(write(tmp_path, table)["annotations"]), CROP)
    assert (found.labels.annotations, found.entries.other_categories) == (8, 1)
    assert found.labels.by_labelled[count] == 8
    assert found.labels.kept.tolist() == [[8, 4, 8 * count]] * count
    assert found.crops.joints.tolist() == [8] * count
