from __future__ import annotations

import pytest

from cocoprep.coco.result_images import ResultImages

NAMES = {1: "train/a.jpg", 2: "train/b.c.png", 3: "val/a.jpg", 7: "9.jpg", 9: "8.jpg", 10: "000000000012.jpg", 11: ""}


def images(names=NAMES, own=None):
    return ResultImages("x.json", names, own or {})


@pytest.mark.parametrize(
    ("own", "number", "named"),
    [
        (1, 1, 0), (1.0, 1, 0), ("1", 1, 0), ("train/a.jpg", 1, 1), ("train\\a.jpg", 1, 1), ("train/a", 1, 1),
        ("b.c.png", 2, 1), ("b.c", 2, 1), ("/me/train/b.c.png", 2, 1), ("C:\\train\\b.c.png", 2, 1),
        ("/me/9.jpg", 7, 1), ("./train/b.c", 2, 1), ("val/b.c.png", None, 0), ("train/a/b.c", None, 0),
        ("/me/val/a.jpg", 3, 1), ("x/a", None, 0), ("a.jpg", None, 0), ("a", None, 0),
        (9, 9, 0), ("9", None, 0), (8, 9, 1), ("8", 9, 1), ("000000000012", 10, 1), (12, None, 0),
        ("", None, 0), (None, None, 0), ([1], None, 0), (True, None, 0), ("x" * 10_000, None, 0),
    ],
)  # fmt: skip
def test_by_hand(own, number, named):
    one = images()
    found = one.find(own)
    assert (found if isinstance(found, int) else None) == number
    assert len(one.notes) == named


def test_where_two_fit_neither_is_taken():
    assert images().find("a") == "could be 2 images of x.json. Give the numbers that are their ids there"
    assert "could be 2 images" in images().find("9")  # the id of one, the stem of another


def test_ids_of_their_own_come_before_names():
    one = images({5: "a.jpg", 6: "b.jpg"}, {5: "x-1", 6: "a"})
    assert (one.find("x-1"), one.notes) == (5, ())
    assert "could be 2 images" in one.find("a")
