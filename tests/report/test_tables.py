"""The figures of an evaluation as tables: which columns and rows there are, and what stands in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cocoprep.evaluation.error_kinds import KINDS
from cocoprep.evaluation.evaluate import evaluate
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.report.tables import confidence_table, error_table, headline, joint_table, oks_table, pck_table
from cocoprep.report.wording import NONE
from tests.support.scoring import HANDS, person, predictions_of, truth_of

TRIPLES = (50, 10, 2), (30, 30, 2), (70, 30, 1)
RIGHT = [(50.0, 10.0), (30.0, 30.0), (70.0, 30.0)]
FAR = [(50.0, 10.0), (30.0, 45.0), (70.0, 30.0)]


def evaluation_of(folder, *, thresholds=(0.1, 0.2), **fields):
    """Return two people, one right and one with a hand 15 pixels off, of boxes 100 pixels long."""
    truth = truth_of(folder, person(1, *TRIPLES), person(2, *TRIPLES, image=2))
    predictions = predictions_of((1, 0.9, RIGHT), (2, 0.8, FAR), **fields)
    return evaluate(truth, predictions, HANDS, thresholds=thresholds)


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    confidence = np.array([[0.9, 0.8, 0.7], [0.9, 0.3, 0.7]])
    return evaluation_of(tmp_path_factory.mktemp("tables"), confidence=confidence)


def rows_of(table) -> list[list[str]]:
    """Return the texts of a table's cells, the head first."""
    return [list(table.head), *([_text(cell) for cell in row] for row in table.rows)]


def _text(cell) -> str:
    return cell if isinstance(cell, str) else f"{cell.text} {cell.small}".strip()


@pytest.mark.parametrize(
    ("thresholds", "shown"),
    [((0.05, 0.1, 0.2), ["0.1", "0.2"]), ((0.2,), ["0.2"]), ((0.05, 0.5), ["0.05"])],
)
def test_the_headline_names_the_usual_thresholds_or_else_the_first(tmp_path, thresholds, shown):
    tiles = dict(headline(evaluation_of(tmp_path, thresholds=thresholds)))
    named = [f"PCK@{one} by box" for one in shown]
    assert list(tiles) == ["OKS AP", "OKS AP50", "OKS AP75", "OKS AR", *named, "median distance"]


def test_the_headline_says_the_figures(evaluation):
    tiles = dict(headline(evaluation))
    assert tiles["OKS AP"] == f"{evaluation.oks.figures['AP']:.3f}"
    assert (tiles["PCK@0.1 by box"], tiles["PCK@0.2 by box"]) == ("0.833", "1.000")
    assert tiles["median distance"] == "0.0 px"


def test_oks_stands_beside_those_who_have_some(evaluation):
    beside = {"ceiling": {"AP": 0.987, "AR": -1.0}, "guess": {"PCK@0.1": 0.5}}
    head, *rows = rows_of(oks_table(evaluation, beside))
    assert head == ["OKS", "this result", "ceiling"]
    assert [row[0] for row in rows] == list(OKS_FIGURES)
    assert rows[0] == ["AP", f"{evaluation.oks.figures['AP']:.3f}", "0.987"]
    assert [row[2] for row in rows[1:]] == [NONE] * 9


def test_pck_stands_by_unit_with_the_joints_behind_it(evaluation):
    beside = {"ceiling": {"AP": 0.987}, "guess": {"PCK@0.1": 0.25, "AUC": 0.125}}
    head, *rows = rows_of(pck_table(evaluation, beside))
    units = list(evaluation.pck)
    assert head == ["PCK", *(f"by {unit}" for unit in units), "guess, by box"]
    found = {name: dict(zip(head[1:], cells, strict=True)) for name, *cells in rows}
    assert list(found) == ["PCK@0.1", "PCK@0.2", "AUC", "joints", "people", "people left out"]
    box = {name: cells["by box"] for name, cells in found.items()}
    assert (box["PCK@0.1"], box["PCK@0.2"], box["joints"], box["people"]) == ("0.833", "1.000", "6", "2")
    guess = [cells["guess, by box"] for cells in found.values()]
    assert guess == ["0.250", NONE, "0.125", NONE, NONE, NONE]


def test_each_joint_has_a_row_and_all_of_them_the_last(evaluation):
    head, *rows = rows_of(joint_table(evaluation, HANDS))
    assert head[:5] == ["joint", "PCK@0.1", "PCK@0.2", "AUC", "joints"]
    assert [row[0] for row in rows] == ["head", "left hand", "right hand", "all"]
    assert [row[1] for row in rows] == ["1.000", "0.500", "1.000", "0.833"]
    assert [row[5] for row in rows] == ["0.0", "7.5", "0.0", "2.5"]  # mean distance
    assert [row[-1] for row in rows] == ["2", "2", "2", "6"]


def test_errors_are_shares_of_their_group(evaluation):
    tables = {"joint": {"left_hand": {"good": 3, KINDS[-1]: 1}, "head": {}}}
    counted = replace(evaluation, errors=replace(evaluation.errors, tables=tables))
    head, hand, nobody = rows_of(error_table(counted, "joint", caption="x"))
    assert head == ["joint", *KINDS, "joints"]
    cells = dict(zip(head, hand, strict=True))
    assert (cells["joint"], cells["joints"]) == ("left hand", "4")
    assert (cells[KINDS[-1]], cells["good"]) == ("25.0 % 1", "75.0 % 3")
    assert nobody[1:] == [f"{NONE} 0"] * len(KINDS) + ["0"]


def test_each_joint_has_its_threshold(evaluation):
    head, *rows = rows_of(confidence_table(evaluation, HANDS))
    assert head == ["joint", "threshold", "precision", "recall", "F1", "labelled"]
    assert [row[0] for row in rows] == ["head", "left hand", "right hand", "all"]
    assert [row[1] for row in rows] == [*(f"{one:.3f}" for one in evaluation.joints.thresholds), NONE]
    assert [row[5] for row in rows] == ["2", "2", "2", "6"]


def test_predictions_that_are_sure_of_everything_have_no_thresholds(tmp_path):
    assert confidence_table(evaluation_of(tmp_path), HANDS) is None
