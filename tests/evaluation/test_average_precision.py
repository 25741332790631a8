"""Figures over photographs that are drawn several times, against pycocotools on files that hold them so many times."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.evaluation.average_precision import RECALLS, measure_precision
from cocoprep.evaluation.bootstrap import draw_copies
from cocoprep.evaluation.oks import OKS_FIGURES, score_lines
from tests.support.oks_cases import Case, draw_case, plain_run


def drawn_as_files(case, copies):
    """Return a case whose photographs are there as often as `copies` (I,) says, each copy with an id of its own."""
    images, people, lines = [], [], []
    ids = sorted(image["id"] for image in case.truth["images"])
    for image, count in zip(ids, copies.tolist(), strict=True):
        for _ in range(count):
            number = len(images) + 1
            images.append({"id": number, "file_name": f"{number}.jpg", "width": 500, "height": 400})
            mine = [one for one in case.truth["annotations"] if one["image_id"] == image]
            people += [{**one, "image_id": number, "id": len(people) + n + 1} for n, one in enumerate(mine)]
            lines += [{**line, "image_id": number} for line in case.lines if line["image_id"] == image]
    return Case({**case.truth, "images": images, "annotations": people}, lines, case.table, None)


@pytest.mark.parametrize("number", range(12))
def test_a_draw_is_scored_as_a_file_of_its_photographs(number):
    case = draw_case(7, number, ties=False)
    found = score_lines(case.truth, case.lines, case.table).found
    copies = np.random.default_rng(number).integers(0, 4, (5, len(found.images)))
    measured = measure_precision(found, copies)
    compared = 0
    for row, of_each in enumerate(copies):
        drawn = drawn_as_files(case, of_each)
        if not drawn.lines:
            continue
        plain = plain_run(drawn)
        assert [measured.figures[name][row] for name in OKS_FIGURES] == plain.stats.tolist()
        assert np.array_equal(measured.precision[row], plain.eval["precision"][:, :, 0, :, 0].transpose(2, 0, 1))
        assert np.array_equal(measured.recall[row], plain.eval["recall"][:, 0, :, 0].T)
        compared += 1
    assert compared


def test_each_photograph_once_is_no_draw_at_all():
    case = draw_case(7, 3)
    found = score_lines(case.truth, case.lines, case.table).found
    once = measure_precision(found, np.ones((3, len(found.images)), np.int64)).figures
    for name, values in measure_precision(found).figures.items():
        assert once[name].tolist() == [values[0]] * 3


def test_the_least_number_of_people_is_found_for_every_recall():
    """Whatever the number of people: 0.29 of 100 is 28.999999999999996, of which 29 are needed."""
    from cocoprep.evaluation.average_precision import _needed

    people = np.arange(1, 3000)
    for count, needed in zip(people.tolist(), _needed(people), strict=True):
        assert np.array_equal(np.searchsorted(np.arange(count + 1) / count, RECALLS, side="left"), needed)


def test_draws_are_of_as_many_photographs_and_the_same_by_seed():
    copies = draw_copies(37, draws=100, seed=3)
    assert copies.shape == (100, 37)
    assert (copies.sum(axis=1) == 37).all()
    assert np.array_equal(copies, draw_copies(37, draws=100, seed=3))
    assert not np.array_equal(copies, draw_copies(37, draws=100, seed=4))
