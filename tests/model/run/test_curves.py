"""The curves of a run: which points of the log they pass through."""

from __future__ import annotations

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
