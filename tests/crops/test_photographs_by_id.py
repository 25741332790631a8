"""Which photograph an id stands for where no file says."""

from __future__ import annotations

import pytest

from cocoprep.crops.photographs_by_id import PhotographsById
from cocoprep.errors import ConfigError

NAMES = (
    "val/000000000785.jpg", "COCO_val2014_000000000139.jpg", "x/7.JPG", "y/007.png", "dog.jpg", "a/cat.jpg",
    "b/cat.jpg", "notes.txt", "0.webp",
)  # fmt: skip


@pytest.mark.parametrize(
    ("own", "name"),
    [
        (785, 0), (785.0, 0), ("785", 0), ("000000000785", 0), ("000000000785.jpg", 0), ("val/000000000785.jpg", 0),
        ("/data/val/000000000785.jpg", 0), ("train/000000000785.jpg", None), (139, 1), (0, 8), (7, None), ("7", None),
        ("x/7.JPG", 2), ("007", 3), ("dog", 4), ("dog.jpg", 4), ("cat", None), ("a/cat.jpg", 5), ("b\\cat", 6),
        (8, None), ("notes.txt", None), (None, None), ([785], None), (True, None), ("", None), (10**30, None),
    ],
)  # fmt: skip
def test_by_hand(own, name):
    photographs = PhotographsById(NAMES, "photos")
    found = photographs.find(own)
    assert isinstance(found, str) == (name is None)
    if name is not None:
        assert photographs.names == {found: NAMES[name]}


def test_numbers_are_those_that_names_bear_or_follow_from_the_name():
    photographs = PhotographsById(NAMES, "photos")
    assert [photographs.find(one) for one in (785, "000000000785.jpg", 139, 0)] == [785, 785, 139, 0]
    seven, other = photographs.find("x/7.JPG"), photographs.find("y/007.png")
    assert len({7, seven, other}) == 3
    assert [photographs.source_id(one) for one in (785, 139, seven)] == [None, None, "x/7.JPG"]
    assert photographs.notes == (
        "3 lines of the detections name a photograph by its file: taken for the one of this name",
    )


def test_where_two_fit_both_are_named():
    assert PhotographsById(NAMES, "photos").find(7).startswith("both 'x/7.JPG' and 'y/007.png' fit")


def test_a_place_without_photographs():
    with pytest.raises(ConfigError, match=r"--images: expected photographs .* at photos, found none"):
        PhotographsById(["a.txt"], "photos")
