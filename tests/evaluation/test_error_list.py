"""The list of joints that are not good."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from cocoprep.evaluation.error_list import ERROR_COLUMNS, error_rows, write_error_rows
from cocoprep.evaluation.evaluate import evaluate
from tests.support.scoring import HANDS, person, predictions_of, truth_of

FIRST = [(20, 20, 2), (50, 20, 2), (80, 20, 2)]
SECOND = [(20, 80, 2), (50, 80, 1), (80, 80, 2)]


@pytest.fixture
def rows(tmp_path):
    truth = truth_of(tmp_path, person(1, *FIRST), person(2, *SECOND), images=2)
    predictions = predictions_of((1, 0.9, [(20, 20), (50, 80), (84, 20)]), annotation_ids=np.array([1]))
    return list(error_rows(evaluate(truth, predictions, HANDS), HANDS))


def test_rows_link_to_annotation_and_picture(rows):
    assert [(row["annotation_id"], row["joint"], row["kind"]) for row in rows] == [
        (1, "left_hand", "swap"), (1, "right_hand", "jitter"),
        (2, "head", "undetected"), (2, "left_hand", "undetected"), (2, "right_hand", "undetected"),
    ]  # fmt: skip
    swap = rows[0]
    assert tuple(swap) == ERROR_COLUMNS
    assert (swap["file_name"], swap["image_id"], swap["other_annotation_id"]) == ("1.jpg", 1, 2)
    assert (swap["x"], swap["y"], swap["true_x"], swap["true_y"]) == (50, 80, 50, 20)
    assert swap["distance_px"] == 60
    assert rows[1]["similarity"] == pytest.approx(np.exp(-16 / 80))
    assert rows[2]["distance_px"] is rows[2]["x"] is rows[2]["confidence"] is None


def test_as_csv_a_name_that_is_no_utf_8_costs_nothing(rows):
    stream = io.BytesIO()
    write_error_rows([{**rows[0], "file_name": "a\udc80.jpg"}, *rows[1:]], stream)
    lines = list(csv.DictReader(io.StringIO(stream.getvalue().decode())))
    assert tuple(lines[0]) == ERROR_COLUMNS
    assert [line["file_name"] for line in lines] == ["a\\udc80.jpg"] + ["1.jpg"] * 4
    assert lines[2]["x"] == ""


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_name_is_a_formula_and_numbers_stay_numbers(rows, name):
    stream = io.BytesIO()
    write_error_rows([{**rows[0], "file_name": name, "joint": name, "x": -3.5}], stream)
    (line,) = csv.DictReader(io.StringIO(stream.getvalue().decode(), newline=""))
    assert line["file_name"] == line["joint"] == f"'{name}"
    assert line["x"] == "-3.5"


def test_a_line_stays_a_line(rows):
    stream = io.BytesIO()
    write_error_rows([{**rows[0], "file_name": "\r=1", "joint": "=a\nb\rc"}], stream)
    (line,) = csv.DictReader(io.StringIO(stream.getvalue().decode(), newline=""))
    assert (line["file_name"], line["joint"]) == ("\\r=1", "'=a\nb\\rc")


def test_no_name_is_a_command_to_a_terminal(rows):
    stream = io.BytesIO()
    write_error_rows([{**rows[0], "file_name": "\x1b[2J\x9b1m\x07.jpg", "joint": "caf\u00e9 \u624b"}], stream)
    (line,) = csv.DictReader(io.StringIO(stream.getvalue().decode(), newline=""))
    assert (line["file_name"], line["joint"]) == ("\\x1b[2J\\x9b1m\\x07.jpg", "caf\u00e9 \u624b")
