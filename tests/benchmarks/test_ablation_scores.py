"""Figures and the table of them, by heatmaps of which the joints are known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.ablation_scores import COLUMNS, result_table, score
from cocoprep.pose.heatmaps import encode_heatmaps


def maps_of(people, shift=0.0):
    """Return heatmaps (N, 16, 16, K) with every joint `shift` pixels of the crop too far to the right."""
    at = (people.keypoints + np.array([shift, 0])) / 4
    drawn = [encode_heatmaps(points, np.ones(len(points), bool), size=(16, 16), sigma_px=1.5) for points in at]
    return np.stack(drawn).astype(np.float32)


def test_right_joints_have_all_and_shifted_ones_what_lies_within(sample):
    people = sample.people["score"]
    right, shifted = maps_of(people), maps_of(people, shift=6.0)
    figures = score([(right[:2], shifted[:2]), (right[2:], shifted[2:])], people)
    assert list(figures) == COLUMNS
    inside = ((people.keypoints > 4) & (people.keypoints < 54)).all(axis=-1)[people.visibility > 0].mean()
    assert figures["box@0.2"] >= inside > 0.7
    assert figures["flip box@0.2"] >= 0.7  # 6 of some 50 pixels
    assert figures["flip box@0.1"] < 0.2


def result(variant, seed, figure, steps=10):
    return {
        "variant": variant, "seed": seed, "epochs": 3.0, "steps": steps, "of": 10, "pck": dict.fromkeys(COLUMNS, figure)
    }  # fmt: skip


def test_a_table_compares_with_the_plain_one_of_the_same_seed():
    results = [result("plain", 0, 0.7), result("mse", 0, 0.69), result("plain", 1, 0.5), result("mse", 1, 0.52)]
    _, *lines = result_table(results).splitlines()
    assert lines[1].split()[:5] == ["mse", "0", "3.0", "69.0", "-1.0"]
    assert lines[3].split()[:5] == ["mse", "1", "3.0", "52.0", "+2.0"]


def test_a_training_that_was_cut_short_is_marked_and_not_compared():
    results = [
        result("plain", 0, 0.7),
        result("mse", 0, 0.69, steps=4),
        result("plain", 1, 0.5, steps=3),
        result("x", 1, 1),
    ]
    _, _, mse, plain, other = result_table(results).splitlines()
    assert mse.endswith("unfinished: 4 of 10 steps")
    assert plain.endswith("unfinished: 3 of 10 steps")
    assert "+" not in mse + other
    assert "-" not in mse + other


@pytest.mark.parametrize("results", [[], [result("mse", 0, 0.5)]])
def test_a_table_needs_no_plain_one(results):
    assert len(result_table(results).splitlines()) == 1 + len(results)
