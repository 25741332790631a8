"""What the page of a dropped annotation says, and that nothing of it is cut off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cocoprep.builder.config import SelectConfig
from cocoprep.draw import dropped
from cocoprep.draw.dropped import draw_dropped, other_keys
from cocoprep.draw.palette import BACKGROUND, DROPPED, OTHER, SIDE_COLOURS
from cocoprep.draw.subject import find_subject
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.ledger import DropReason
from tests.support.building import build_folder, keypoints, write_coco

JOINTS = keypoints(nose=(30, 20, 2), left_wrist=(50, 40, 2), right_wrist=(14, 40, 1))
ANNOTATIONS = [
    {"id": 1, "image_id": 1, "bbox": [10, 10, 40, 50], "keypoints": JOINTS},
    {"id": 2, "image_id": 1, "bbox": [10, 5, 50, 50], "keypoints": JOINTS, "iscrowd": 1},
    {"id": 3, "image_id": 1, "bbox": [5, 5, 30, 40]},
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("dropped")
    path, images = write_coco(root / "data", {1: Image.new("RGB", (80, 60), (90, 90, 90))}, ANNOTATIONS)
    build_folder(
        root / "out", annotations=path, images=images, crop=CropConfig(input_size=(32, 32)),
        select=SelectConfig(shards=1),
    )  # fmt: skip
    return open_dataset(root / "out")


def has(picture: Image.Image, colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(np.asarray(picture, int) - colour) <= 4).all(axis=-1).any())


def test_every_reason_is_explained():
    assert set(dropped.MEANINGS) == {reason.value for reason in DropReason}
    assert all(dropped.MEANINGS.values())


def test_the_facts_are_those_of_the_entry(dataset):
    assert dropped._facts(find_subject(dataset, 2)) == [
        "box: 50.0 x 50.0 px at (10.0, 5.0)",
        "labelled joints: 3 of 17",
        "at least 1 labelled needed (--min-keypoints)",
        "marked as a crowd",
    ]
    assert dropped._facts(find_subject(dataset, 3))[1:] == [
        "labelled joints: 0 of 17",
        "at least 1 labelled needed (--min-keypoints)",
    ]
    (unknown,) = dropped._facts(replace(find_subject(dataset, 3), annotation=None))
    assert "not known" in unknown


@pytest.mark.parametrize(
    ("kept", "rows"),
    [
        ([], []),
        ([True], [("other boxes, kept:  1", OTHER, "thin")]),
        ([False, False], [("other boxes, dropped:  2", OTHER, "dotted")]),
        (
            [False, True, True],
            [("other boxes, kept:  2", OTHER, "thin"), ("other boxes, dropped:  1", OTHER, "dotted")],
        ),
    ],
)
def test_the_key_names_only_boxes_that_are_there(dataset, kept, rows):
    subject = find_subject(dataset, 3)
    subject = replace(subject, others=tuple((subject.annotation, one) for one in kept))
    assert [(key.text, key.colour, key.stroke) for key in other_keys(subject)] == rows


@pytest.mark.parametrize(("others", "words"), [(0, "1 annotated person"), (1, "2 annotated people")])
def test_people_are_counted_with_the_one_it_is_about(dataset, others, words):
    subject = find_subject(dataset, 3)
    assert dropped._boxes_in_words(replace(subject, others=subject.others[:others])) == words


def test_joints_and_their_key_are_drawn_where_there_are_any(dataset):
    assert has(draw_dropped(find_subject(dataset, 2)), SIDE_COLOURS["left"])
    assert not has(draw_dropped(find_subject(dataset, 3)), SIDE_COLOURS["left"])


def test_without_a_photograph_the_fault_and_the_reason_are_there(dataset):
    subject = replace(find_subject(dataset, 2), photograph=None, fault="It is gone.")
    page = draw_dropped(subject)
    assert has(page, DROPPED)
    assert not has(page, OTHER)
    other = draw_dropped(replace(subject, fault="It was never there, wherever one looks."))
    assert page.tobytes() != other.tobytes()


def test_the_page_grows_with_what_it_has_to_say_but_not_without_end(dataset):
    subject = replace(find_subject(dataset, 3), photograph=None, fault="It is gone.")
    short, long, endless = (
        draw_dropped(replace(subject, detail="W" * length))
        for length in (0, dropped.LONGEST_DETAIL, 50 * dropped.LONGEST_DETAIL)
    )
    assert short.height < long.height == endless.height
    for page in (short, long, endless):
        below = np.asarray(page)[-dropped.EDGE // 2 :]
        assert (below == BACKGROUND).all(), "the last line is not cut off"
