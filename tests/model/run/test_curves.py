"""The curves of a run: which points of the log they pass through."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from cocoprep.model.run.curves import CURVES, _points, draw_curves
from cocoprep.storage.local import LocalFiles

LINES = [
    {"phase": "train", "step": 1, "loss": 2.0},
    {"phase": "val", "step": 1, "loss": 3.0, "AP": 0.0},
    {"phase": "train", "step": 2, "loss": None},  # was not finite
    {"phase": "train", "step": 3, "loss": 1.0, "skill": 0.5},
]


@pytest.mark.parametrize(
    ("phase", "name", "points"),
    [
        ("train", "loss", ([1, 3], [2.0, 1.0])),
        ("val", "loss", ([1], [3.0])),
        ("val", "AP", ([1], [0.0])),
        ("train", "skill", ([3], [0.5])),
        ("val", "swapped", ([], [])),
    ],
)
def test_a_curve_passes_through_the_lines_that_have_its_figure(phase, name, points):
    assert _points(LINES, phase, name) == points


def test_a_run_that_has_logged_nothing_can_be_drawn(tmp_path):
    draw_curves(str(tmp_path), LocalFiles())
    with Image.open(tmp_path / CURVES) as picture:
        assert picture.format == "PNG"
        picture.load()


@pytest.mark.parametrize("source", ["mpii", "$\\frac{", "_hidden", "a/b", "\x1b[31m", "n" * 5000, "\u4eba"])
def test_sources_of_any_name_are_drawn(tmp_path, source):
    line = {"phase": "val", "step": 1, "pck@0.2": 0.5, f"{source}/pck@0.2": 0.25, f"{source}/loss": "none"}
    (tmp_path / "log.jsonl").write_text(json.dumps(line) + "\n")
    draw_curves(str(tmp_path), LocalFiles())
    with Image.open(tmp_path / CURVES) as picture:
        picture.load()


def test_there_is_a_panel_of_what_is_logged_and_no_other(tmp_path):
    sizes = []
    for figures in ({"loss": 0.5}, {"loss": 0.5, "pck@0.2": 0.1, "pck@0.2_guess": 0.3}):
        (tmp_path / "log.jsonl").write_text(json.dumps({"phase": "val", "step": 1, "epoch": 1, **figures}) + "\n")
        draw_curves(str(tmp_path), LocalFiles())
        with Image.open(tmp_path / CURVES) as picture:
            sizes.append(picture.size)
    assert sizes[1][0] > 1.8 * sizes[0][0]
    assert sizes[1][1] == sizes[0][1]
