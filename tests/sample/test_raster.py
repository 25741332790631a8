"""Tubes on a canvas: where they lie, what hides what, and the averaging down."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.sample.raster import STEPS, Canvas, Tube, draw_tube, shrink_canvas

LIGHT = (0.0, 0.0, 1.0)


def tube(start, end, radius: float, ink: int, **options) -> Tube:
    widths, inks = np.full(STEPS, radius, np.float32), np.full(STEPS, ink, np.uint8)
    return Tube(np.array(start, float), np.array(end, float), widths, widths, np.eye(3), inks, inks, **options)


def drawn(*tubes: Tube, size=(60, 80)) -> Canvas:
    canvas = Canvas(*size, LIGHT)
    for one in tubes:
        draw_tube(canvas, one)
    return canvas


@pytest.mark.parametrize("at", [(30.0, 20.0), (40.5, 30.25), (70.0, 50.0)])
def test_a_tube_of_no_length_is_a_disc_about_its_point(at):
    rows, columns = np.nonzero(drawn(tube((*at, 0), (*at, 0), 8, 1)).ink)
    assert len(rows) == pytest.approx(np.pi * 64, rel=0.05)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(at, abs=0.1)


@pytest.mark.parametrize(("flat", "length"), [(False, 40 + 2 * 5), (True, 40 + 5)])
def test_a_tubes_ends_are_round_but_the_far_one_where_it_is_cut_off(flat, length):
    columns = np.flatnonzero(drawn(tube((20, 30, 0), (60, 30, 0), 5, 1, flat_end=flat)).ink.any(axis=0))
    assert columns[0] == pytest.approx(15, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(length, abs=1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_of_two_hides_the_other_in_any_order(order):
    tubes = tube((30, 30, 0), (30, 30, 0), 8, 1), tube((36, 30, 20), (36, 30, 20), 8, 2)
    canvas = drawn(*(tubes[n] for n in order))
    assert canvas.ink[30, 34] == 2
    assert canvas.ink[30, 24] == 1
    assert canvas.depth[30, 35] == pytest.approx(20 + 8, abs=0.5)


def test_tubes_outside_leave_the_canvas_empty():
    canvas = drawn(tube((-50, 30, 0), (-20, 30, 0), 8, 1), tube((30, 200, 0), (30, 300, 0), 8, 1))
    assert not canvas.ink.any()
    assert (canvas.depth == -np.inf).all()


def test_what_faces_the_light_is_brighter():
    side = Canvas(60, 80, (1.0, 0.0, 0.0))
    draw_tube(side, tube((40, 10, 0), (40, 50, 0), 12, 1))
    assert side.shade[30, 49] > side.shade[30, 31]


def test_pixels_are_averaged_with_their_coverage():
    canvas = Canvas(4, 4, LIGHT)
    canvas.depth[0, 0] = canvas.depth[2:, 2:] = 0
    canvas.shade[:] = 0.5
    canvas.ink[0, 0], canvas.ink[2:, 2:] = 1, 2
    palette = np.array([(9, 9, 9), (200, 100, 40), (255, 0, 80)], np.float32)
    colours, coverage = shrink_canvas(canvas, palette, 2)
    np.testing.assert_allclose(coverage, [[0.25, 0], [0, 1]], atol=1 / 255)
    np.testing.assert_allclose(colours[0, 0], np.array([200, 100, 40]) * 0.5 * 0.25, atol=1)
    np.testing.assert_allclose(colours[1, 1], np.array([255, 0, 80]) * 0.5, atol=1)
    assert not colours[0, 1].any()


def test_colours_that_are_lit_beyond_white_are_white():
    canvas = Canvas(2, 2, LIGHT)
    canvas.depth[:], canvas.shade[:] = 0, 1.5
    colours, _ = shrink_canvas(canvas, np.full((1, 3), 250, np.float32), 2)
    assert (colours == 255).all()
