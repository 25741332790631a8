"""What exporters leave away or write otherwise is taken for what it means, and counted."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from cocoprep.coco.entries import Entry, guess_notes, plain_file_name, settle
from tests.support.scoring import HANDS

GOOD = {
    "id": 5,
    "image_id": 1,
    "category_id": 1,
    "bbox": [1, 2, 10, 20],
    "area": 50,
    "keypoints": [1, 2, 2, 5, 10, 1, 0, 0, 0],
}


def settled(**fields):
    entry = msgspec.convert({k: v for k, v in {**GOOD, **fields}.items() if v is not ...}, Entry)
    guesses: Counter[str] = Counter()
    fault = settle(entry, HANDS, guesses)
    return entry, fault, guess_notes(guesses)


def test_a_whole_entry_stays_as_it_is():
    entry, fault, notes = settled()
    assert (fault, notes) == (None, ())
    assert (entry.bbox, entry.area, entry.iscrowd, entry.keypoints) == ((1, 2, 10, 20), 50, 0, GOOD["keypoints"])


@pytest.mark.parametrize("fields", [{"iscrowd": ...}, {"iscrowd": None}, {"iscrowd": False}])
def test_no_crowd(fields):
    assert settled(**fields)[0].iscrowd == 0


def test_a_crowd_may_be_true():
    assert settled(iscrowd=True)[0].iscrowd == 1


@pytest.mark.parametrize("found", [..., None, []])
def test_no_keypoints_are_none_labelled(found):
    entry, fault, notes = settled(keypoints=found)
    assert (entry.keypoints, fault, notes) == ([0] * 9, None, ())


def raw(value):
    return msgspec.Raw(msgspec.json.encode(value))


@pytest.mark.parametrize(
    ("segmentation", "area"),
    [
        (None, 0.53 * 200),
        ([[0, 0, 4, 0, 4, 3, 0, 3], [10, 10, 12, 10, 12, 12]], 14),
        ({"counts": [1, 2], "size": [3, 4]}, 0.53 * 200),
        ([[0, 0, 4]], 0.53 * 200),
        ([["x"]], 0.53 * 200),
        ([], 0.53 * 200),
    ],
)
def test_an_area_is_the_segments_or_a_share_of_the_box(segmentation, area):
    entry = msgspec.convert({k: v for k, v in GOOD.items() if k != "area"}, Entry)
    entry.segmentation = raw(segmentation)
    guesses: Counter[str] = Counter()
    assert settle(entry, HANDS, guesses) is None
    assert entry.area == pytest.approx(area)
    (note,) = guess_notes(guesses)
    assert note.startswith("1 annotation has no area: that of the segment, or else 0.53 of the box's, is taken")


@pytest.mark.parametrize("box", [..., None, [], [0, 0, 0, 0]])
def test_a_box_is_the_extent_of_the_joints(box):
    entry, fault, notes = settled(bbox=box)
    assert fault is None
    assert entry.bbox == (0, 0, 6, 12)  # of 1 to 5 and 2 to 10, and a quarter more on each side
    assert notes[0].startswith("1 annotation has no box: the extent of the labelled joints and 25%")


def test_one_joint_spans_no_box():
    entry, fault, notes = settled(bbox=None, keypoints=[1, 2, 2] + [0] * 6)
    assert (entry.bbox, fault, notes) == ((0, 0, 0, 0), None, ())


def test_visibilities():
    entry, fault, notes = settled(keypoints=[1, 2, -1, 5, 10, 0.7, 3, 4, 1])
    assert fault is None
    assert entry.keypoints[2::3] == [0, 2, 1]
    assert notes == (
        "1 annotation has joints of a negative visibility: not labelled",
        "1 annotation has joints of a visibility between 0 and 2 that is not whole: labelled",
    )
    assert settled(keypoints=[1, 2, 3] * 3)[1] == (
        "keypoints: expected visibilities 0, 1 or 2, found 3; say what it means, such as --visibility 3=1 for hidden"
    )
    assert settled(keypoints=[1, 2, 2.5] * 3)[1] == (
        "keypoints: expected visibilities 0, 1 or 2, found 2.5; say what it means, such as --visibility 2.5=1 for "
        "hidden"
    )
    assert settled(keypoints=[1, 2, -2] * 3)[1] == (
        "keypoints: expected visibilities 0, 1 or 2, found -2; say what it means, such as --visibility -2=0 for not "
        "labelled"
    )
    for odd in (1e300, -1e300, 2 + 1e-12):
        assert settled(keypoints=[1, 2, odd] * 3)[1].endswith(f"found {odd:g}")


def test_what_a_visibility_means_can_be_said():
    entry = msgspec.convert({**GOOD, "keypoints": [1, 2, 3.0, 5, 10, 1, 3, 4, 4]}, Entry)
    guesses: Counter[str] = Counter()
    assert settle(entry, HANDS, guesses, {3: 1, 1: 2, 4: 0}) is None
    assert entry.keypoints[2::3] == [1, 2, 0]
    assert guess_notes(guesses) == (
        "1 annotation has joints of a visibility that is taken for another, as --visibility says",
    )
    entry = msgspec.convert({**GOOD, "keypoints": [1, 2, 2.5, 5, 10, -2, 3, 4, 1]}, Entry)
    assert settle(entry, HANDS, Counter(), {2.5: 2, -2.0: 0}) is None
    assert entry.keypoints[2::3] == [2, 0, 1]
    entry = msgspec.convert(GOOD, Entry)
    assert settle(entry, HANDS, Counter(), {3: 1}) is None
    assert entry.keypoints == GOOD["keypoints"]


def test_backslashes_are_slashes():
    guesses: Counter[str] = Counter()
    assert [plain_file_name(name, guesses) for name in ("a/b.jpg", "images\\a.jpg", "x\\y\\z.jpg")] == [
        "a/b.jpg",
        "images/a.jpg",
        "x/y/z.jpg",
    ]
    assert guess_notes(guesses) == ("2 file names have backslashes: read as slashes",)


@pytest.mark.parametrize("odd", ["20", 0, -1, True, 1e12, [20]])
def test_a_head_size_is_a_number_of_pixels_or_passed_over(odd):
    assert settled(head_size=20)[0].head_size == 20
    assert settled(head_size=None)[::2] == (settled()[0], ())
    entry, fault, notes = settled(head_size=odd)
    assert (entry.head_size, fault) == (None, None)
    assert notes == ("1 annotation has a head_size that is no number of pixels above 0: passed over",)


def test_human_arts_21_joints_are_taken_where_the_category_lists_them():
    entry, fault, notes = settled(keypoints=[1, 2, 2], keypoints_21=raw(GOOD["keypoints"]))
    assert (entry.keypoints, fault) == (GOOD["keypoints"], None)
    assert notes == (
        "1 annotation has as many joints as the category lists in keypoints_21 alone: taken for keypoints",
    )


@pytest.mark.parametrize("beside", [[1, 2, 2], "odd", None, {"a": 1}, [["x"]]])
def test_what_stands_beside_whole_keypoints_does_not_matter(beside):
    entry, fault, notes = settled(keypoints_21=raw(beside))
    assert (entry.keypoints, fault, notes) == (GOOD["keypoints"], None, ())
    assert settled(keypoints=[1, 2, 2], keypoints_21=raw(beside))[1] == "keypoints: expected 9 numbers, found 3"
