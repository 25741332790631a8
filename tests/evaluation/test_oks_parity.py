"""OKS, precision and recall against pycocotools, to the bit, on drawn cases.

The seed is fixed; another is given by COCOPREP_FUZZ_SEED. `python -m tests.evaluation.test_oks_parity SECONDS` looks at
as many cases as there is time for.
"""

from __future__ import annotations

import itertools
import os
import sys
import time

import numpy as np
import pytest

from cocoprep.evaluation.average_precision import RECALLS, measure_precision
from cocoprep.evaluation.oks import OKS_FIGURES, score_lines
from cocoprep.evaluation.people_found import RANGES, THRESHOLDS
from tests.support.oks_cases import JOINTS, draw_case, plain_run

SEED = int(os.environ.get("COCOPREP_FUZZ_SEED", "1"))
FEW, MANY = 200, 10_000


def difference(number, seed=SEED):
    """Return what differs in a case; empty where nothing does."""
    case = draw_case(seed, number)
    plain, ours = plain_run(case), score_lines(case.truth, case.lines, case.table, images=case.images)
    measured = measure_precision(ours.found)
    pairs = {
        "figures": (np.array(list(ours.figures.values())), plain.stats),
        "precision": (measured.precision[0], plain.eval["precision"][:, :, 0, :, 0].transpose(2, 0, 1)),
        "recall": (measured.recall[0], plain.eval["recall"][:, 0, :, 0].T),
    }
    return [
        f"seed {seed}, case {number}: {name}"
        for name, (mine, other) in pairs.items()
        if not np.array_equal(mine, other)
    ]


def test_thresholds_recalls_and_sizes_are_those_of_pycocotools():
    params = plain_run(draw_case(SEED, 0)).params
    assert np.array_equal(THRESHOLDS, params.iouThrs)
    assert np.array_equal(RECALLS, params.recThrs)
    assert [list(bounds) for bounds in RANGES.values()] == params.areaRng
    assert list(RANGES) == params.areaRngLbl


def test_a_few_cases_are_equal_to_the_bit():
    assert [line for number in range(FEW) for line in difference(number)] == []


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_ten_thousand_cases_are_equal_to_the_bit():
    assert [line for number in range(FEW, FEW + MANY) for line in difference(number)] == []


def test_the_cases_have_all_that_there_are_rules_for():
    """So that equality says something: every kind of person, tie and size is among the few."""
    cases = [draw_case(SEED, number) for number in range(FEW)]
    people = [one for case in cases for one in case.truth["annotations"]]
    assert {len(case.table) for case in cases} == set(JOINTS)
    assert any(one["iscrowd"] and one["num_keypoints"] for one in people)
    assert any(one["iscrowd"] and not any(one["keypoints"]) for one in people)
    assert any(not one["num_keypoints"] and any(one["keypoints"]) for one in people)
    assert {32.0**2, 96.0**2, 1e5**2} <= {one["area"] for one in people}
    assert any("bbox" in case.lines[0] for case in cases)
    assert any(case.images is not None for case in cases)
    of_images = [np.unique([line["image_id"] for line in case.lines], return_counts=True) for case in cases]
    assert max(counts.max() for _, counts in of_images) > 20
    assert any(len(ids) < len(case.truth["images"]) for (ids, _), case in zip(of_images, cases, strict=True))
    scores = [[line["score"] for line in case.lines] for case in cases]
    assert any(len(set(one)) < len(one) for one in scores)
    figures = np.array([list(score_lines(c.truth, c.lines, c.table, images=c.images).figures.values()) for c in cases])
    for column, name in zip(figures.T, OKS_FIGURES, strict=True):
        assert (column == -1).any(), name
        assert len(np.unique(column)) > FEW / 10, name


def main():
    """Look at cases until the time is over."""
    ends, bad = time.monotonic() + float(sys.argv[1]), 0
    for number in itertools.count():
        if time.monotonic() > ends:
            break
        for line in difference(number):
            print(line, flush=True)
            bad += 1
    print(f"seed {SEED}: {number} cases, {bad} differences")


if __name__ == "__main__":
    main()
