"""Heatmaps as pictures: scales, grids and the enlarged part."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.draw.heat import CROP_LIGHT, ZOOM_CELLS, heatmaps_overlay, joint_heatmap, unit_values, zoomed_heatmap
from cocoprep.draw.palette import TEXT, heat_colours

GREY = np.full((64, 48, 3), 100, np.uint8)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.array([0, 51, 255], np.uint8), [0, 0.2, 1]),
        (np.array([0, 51, 255], np.int64), [0, 0.2, 1]),
        (np.array([0, 0.2, 1], np.float32), [0, 0.2, 1]),
        (np.array([0, 0.2, 1], np.float64), [0, 0.2, 1]),
    ],
)
def test_values_are_from_0_to_1_quantised_or_not(given, expected):
    found = unit_values(given)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_without_maps_the_overlay_is_the_crop_dimmed():
    overlay = np.asarray(heatmaps_overlay(GREY, np.zeros((16, 12, 17), np.uint8)))
    np.testing.assert_array_equal(overlay, np.full_like(GREY, round(100 * CROP_LIGHT)))


@pytest.mark.parametrize(("cell", "has_grid"), [(3, False), (4, True), (9, True)])
def test_grid_lines_stand_between_cells_where_there_is_room(cell, has_grid):
    picture = np.asarray(joint_heatmap(np.zeros((5, 6), np.float32), (5 * cell, 6 * cell)), int)
    inner = picture[cell + 1, cell + 1]
    assert (picture[cell + 1, 2 * cell].sum() > inner.sum()) == has_grid
    assert (picture[3 * cell, cell + 1].sum() > inner.sum()) == has_grid
    assert (picture[0, 1] == inner).all(), "there is none along the edge"


def test_the_crop_shines_through_only_where_the_map_is_low():
    heatmap = np.zeros((2, 2), np.float32)
    heatmap[0, 0] = 0.25
    picture = np.asarray(joint_heatmap(heatmap, (6, 6), under=np.full((6, 6, 3), 100, np.uint8)), int)
    np.testing.assert_allclose(picture[1, 1], heat_colours(np.array(0.25)), atol=1)
    cold = heat_colours(np.array(0.0))
    np.testing.assert_allclose(picture[5, 5], cold + 0.7 * (100 * CROP_LIGHT - cold), atol=1)


def test_a_mark_lies_on_its_point():
    plain, marked = (
        np.asarray(joint_heatmap(np.zeros((20, 10), np.float32), (200, 100), mark=mark), int)
        for mark in (None, (2.5, 15.5))
    )
    rows, columns = np.nonzero((plain != marked).any(axis=-1))
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((25, 155), abs=0.3)


@pytest.mark.parametrize(
    ("point", "corner"),
    [
        ((3, 3), np.s_[320:, 320:]),
        ((28, 3), np.s_[320:, :320]),
        ((3, 28), np.s_[:320, 320:]),
        ((28, 28), np.s_[:320, :320]),
    ],
)
def test_the_enlarged_part_lies_in_the_corner_far_from_its_joint(point, corner):
    heatmap = np.zeros((32, 32), np.float32)
    heatmap[point[1], point[0]] = 1
    under, at = np.zeros((640, 640, 3), np.uint8), np.array(point) + 0.5
    picture = np.asarray(zoomed_heatmap(heatmap, (640, 640), under=under, point=at), int)
    hot = (np.abs(picture - heat_colours(np.array(1.0))) <= 3).all(axis=-1)
    assert hot[corner].sum() > 50, "the peak is there a second time"
    joint = np.s_[20 * point[1] : 20 * point[1] + 20, 20 * point[0] : 20 * point[0] + 20]
    assert hot[joint].mean() > 0.7, "and the first time where it was"
    assert hot.sum() == hot[corner].sum() + hot[joint].sum()


def test_a_map_smaller_than_the_enlarged_part_is_enlarged_as_a_whole():
    heatmap = np.eye(ZOOM_CELLS - 5, dtype=np.float32)
    picture = zoomed_heatmap(heatmap, (200, 200), under=np.zeros((200, 200, 3), np.uint8), point=(2.5, 2.5))
    frame = (np.abs(np.asarray(picture, int) - TEXT) <= 12).all(axis=-1)
    assert frame[0].mean() > 0.9, "the framed part is all of the map"
