"""Panels, keys and empty panels lie where pages expect them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cocoprep.draw.layout import (
    KEY_ROW,
    PANEL_HEAD,
    Key,
    Panel,
    joint_key_width,
    message_picture,
    new_page,
    place_joint_key,
    place_key,
    place_panel,
)
from cocoprep.draw.palette import BACKGROUND, DIM_TEXT, PANEL, RULE, SIDE_COLOURS, TEXT

RED = (255, 0, 0)


def where(page: Image.Image, colour: tuple[int, int, int], tolerance: int = 0) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what has a colour."""
    rows, columns = np.nonzero((np.abs(np.asarray(page, int) - colour) <= tolerance).all(axis=-1))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize(("width", "left"), [(30, 20), (50, 30), (51, 30)])
def test_a_panels_picture_is_centred_and_framed_under_its_title(width, left):
    page = new_page(200, 200)
    place_panel(page, Panel("Crop", "64 x 64", Image.new("RGB", (30, 40), RED)), 20, 15, width)
    top = 15 + PANEL_HEAD
    assert where(page, RED) == (left, top, left + 30, top + 40)
    assert where(page, RULE) == (left - 1, top - 1, left + 31, top + 41)
    assert where(page, DIM_TEXT, 40)[1] > 15


def test_a_number_stands_before_the_title():
    pages = [new_page(200, 100) for _ in range(2)]
    for page, number in zip(pages, (None, 3), strict=True):
        place_panel(page, Panel("", "", Image.new("RGB", (1, 1)), number), 10, 10, 150)
    assert not (np.asarray(pages[0]) == TEXT).all(axis=-1).any()
    left, top, right, bottom = where(pages[1], TEXT)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((22, 21), abs=1)


def test_a_keys_rows_stand_under_each_other():
    page, colours = new_page(200, 120), [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    rows = [Key(f"row {n}", colour, "thick") for n, colour in enumerate(colours)]
    assert place_key(page, rows, 10, 5, 150) == 5 + 3 * KEY_ROW
    assert place_key(page, [], 10, 5, 150) == 5
    for n, colour in enumerate(colours):
        _, top, _, bottom = where(page, colour)
        assert 5 + n * KEY_ROW <= top < bottom <= 5 + (n + 1) * KEY_ROW


def test_strokes_can_be_told_apart():
    painted = {}
    for stroke in ("thick", "plain", "thin", "dashed", "dotted"):
        page = new_page(100, 40)
        place_key(page, [Key("", RED, stroke)], 0, 0, 60)
        painted[stroke] = (np.asarray(page, int) - BACKGROUND)[..., 0].clip(0).sum()
    assert painted["thick"] > painted["plain"] > painted["thin"] > painted["dotted"]
    assert painted["plain"] > painted["dashed"]


@pytest.mark.parametrize("small", [False, True])
def test_the_joint_key_shows_every_side_and_says_how_wide_it_is(small):
    page = new_page(700, 60)
    width = joint_key_width(small=small)
    assert place_joint_key(page, 40, 10, small=small) == 40 + width
    for colour in SIDE_COLOURS.values():
        assert where(page, colour)[0] >= 40
    assert (np.asarray(page)[:, 40 + width + 8 :] == BACKGROUND).all()
    assert joint_key_width(small=True) < joint_key_width()
    assert 0 < joint_key_width(small=small, sides=False) < joint_key_width(small=small) / 2


@pytest.mark.parametrize("size", [(10, 100), (60, 100), (300, 400)])
def test_an_empty_panel_says_no_more_than_it_has_room_for(size):
    picture = message_picture("there is nothing here to be seen " * 50, size)
    assert (picture.height, picture.width) == size
    written = (np.asarray(picture) != PANEL).any(axis=-1)
    assert written.any() == (size[0] > 12)
    assert not written[:, -8:].any()
    assert size[0] < 60 or not written[-8:].any()
