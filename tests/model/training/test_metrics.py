"""What a batch says of the network, against cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.errors import RecordError
from cocoprep.model.network.config import LossConfig
from cocoprep.model.training.metrics import Guess, Measure, add_sums, figures
from cocoprep.pose.heatmaps import encode_heatmaps, quantise_heatmaps
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17

FACE = KeypointTable("face", COCO_17.joints[:3], ())
FLIP = FACE.flip_index
STRIDE, SIZE = 4, (16, 16)
POINTS = np.array([[30.0, 10.0], [40.0, 20.0], [20.0, 20.0]])


def draw(points, labelled=(True, True, True)):
    """Return (1, h, w, 3) float32 heatmaps of joints in crop pixels."""
    maps = encode_heatmaps(np.asarray(points) / STRIDE, labelled, size=SIZE, sigma_px=1.0)
    return maps.astype(np.float32)[None]


def batch(points=POINTS, visibility=(2, 2, 2), *, box_side=40.0, valid=True):
    visibility = np.array([visibility], np.int32)
    maps = quantise_heatmaps(draw(points, visibility[0] > 0)[0].astype(np.float64))[None]
    return {
        "heatmaps": maps,
        "keypoints": np.array([points], np.float32),
        "visibility": visibility,
        "weights": (visibility > 0).astype(np.float32),
        "looked_for": np.ones((1, 3), np.bool_),
        "source": np.zeros(1, np.int32),
        "box_side": np.array([box_side], np.float32),
        "valid": np.array([valid]),
    }


def measure(loss=None, guess_points=POINTS, guess_maps=None):
    maps = draw(POINTS)[0] if guess_maps is None else guess_maps
    guess = Guess(maps.astype(np.float32), np.asarray(guess_points, np.float32))
    return Measure(loss or LossConfig(kind="mse"), guess, FLIP, STRIDE)


def sums_of(predictions, given, **options):
    return add_sums([measure(**options).sums(predictions, given)])


def test_a_perfect_network_has_skill_1_and_every_joint():
    found = figures(sums_of([draw(POINTS)], batch(), guess_maps=np.zeros((*SIZE, 3))), FACE)
    assert found["skill"] == pytest.approx(1, abs=1e-3)
    assert found["pck@0.2"] == found["pck@0.1"] == 1
    assert found["swapped"] == 0
    assert found["people"] == 1


def test_guessing_the_mean_has_skill_0_and_nothing_less():
    mean = draw(POINTS + 4)[0] * 0.3
    answers = {"mean": mean[None], "zero": np.zeros_like(mean)[None], "worse": 1 - mean[None]}
    skills = {k: figures(sums_of([v], batch(), guess_maps=mean), FACE)["skill"] for k, v in answers.items()}
    assert max(skills["mean"], skills["zero"]) == pytest.approx(0, abs=1e-6)
    assert min(skills["mean"], skills["zero"]) <= 0
    assert skills["worse"] < 0


@pytest.mark.parametrize("kind", ["mse", "weighted_mse", "adaptive_wing"])
def test_the_guess_is_judged_by_the_runs_own_loss(kind):
    loss = LossConfig(kind=kind)
    mean = draw(POINTS + 4)[0] * 0.3
    sums = sums_of([mean[None]], batch(), loss=loss, guess_maps=mean)
    np.testing.assert_allclose(sums["loss"], [sums["mean_map_loss"]], rtol=1e-6)


def test_the_thresholds_are_shares_of_the_box():
    """Off by 1, 7 and 9 pixels with a box of 40: within 0.1 of it (4), 0.2 (8), and neither."""
    off = POINTS + np.array([[1, 0], [7, 0], [0, 9]])
    # Peaks lie at the centres of pixels of 4: measure what was drawn, not what was meant.
    given = batch(POINTS, box_side=40.0)
    peaks = np.floor(off / STRIDE) * STRIDE + 2
    expected = np.linalg.norm(peaks - POINTS, axis=1)[None] <= np.array([[4], [8]])
    sums = sums_of([draw(peaks)], given)
    np.testing.assert_array_equal(sums["right"][0], expected)
    assert 0 < expected.sum() < expected.size


def test_each_stack_is_measured_and_the_last_is_the_prediction():
    given = batch()
    found = figures(sums_of([draw(POINTS + 30), draw(POINTS)], given, guess_maps=np.zeros((*SIZE, 3))), FACE)
    assert found["pck@0.2_stack1"] < found["pck@0.2_stack2"] == found["pck@0.2"] == 1
    assert found["skill1"] < found["skill2"] == found["skill"]
    assert found["loss"] == pytest.approx(found["loss1"] + found["loss2"])


def test_swapped_joints_are_those_nearer_to_their_partners_place():
    found = figures(sums_of([draw(POINTS[list(FLIP)])], batch()), FACE)
    assert found["swapped"] == 1
    assert found["pck@0.2_nose"] == 1
    assert found["pck@0.2_eye"] == 0


def test_a_joint_without_a_labelled_partner_cannot_be_swapped():
    sums = sums_of([draw(POINTS[list(FLIP)])], batch(visibility=(2, 2, 0)))
    assert sums["paired"].sum() == 0
    assert "swapped" not in figures(sums, FACE)


def test_joints_that_lie_together_cannot_be_told_apart():
    near = POINTS.copy()
    near[2] = near[1] + 3  # 4.2 pixels apart, a tenth of a box of 40 is 4
    assert sums_of([draw(near)], batch(near, box_side=40.0))["paired"].sum() == 2
    assert sums_of([draw(near)], batch(near, box_side=44.0))["paired"].sum() == 0


def test_unlabelled_joints_and_filled_up_places_do_not_count():
    whole = sums_of([draw(POINTS)], batch(visibility=(2, 0, 1)))
    np.testing.assert_array_equal(whole["joints"], [1, 0, 1])
    nobody = sums_of([draw(POINTS)], batch(valid=False))
    assert nobody["people"] == nobody["weight"] == nobody["joints"].sum() == 0
    assert figures(nobody, FACE) == {"people": 0}


def test_sums_add_up_to_the_figures_of_all():
    one, other = sums_of([draw(POINTS)], batch()), sums_of([draw(POINTS + 30)], batch())
    found = figures(add_sums([one, other, other]), FACE)
    assert found["pck@0.2"] == pytest.approx(1 / 3)
    assert found["people"] == 3


@pytest.mark.parametrize("value", [np.zeros(2, "f4"), np.array(["a", "b", "c"]), np.zeros(3, "c8"), np.zeros(3, bool)])
def test_sums_of_another_kind_are_refused(value):
    now = {"loss": np.ones(3, np.float32)}
    assert add_sums([{"loss": np.ones(3)}, now])["loss"].tolist() == [2, 2, 2]
    for kept in ({"loss": value}, {}, {**now, "more": value}):
        with pytest.raises(RecordError, match="not those of this run"):
            add_sums([kept, now])


def test_the_sums_of_sources_are_those_of_all():
    ones = [batch(), batch(POINTS + 3, (2, 0, 1)), batch(POINTS - 5)]
    together = {name: np.concatenate([one[name] for one in ones]) for name in ones[0]}
    together["source"] = np.array([0, 2, 0], np.int32)
    said = draw(POINTS + 1).repeat(3, axis=0)
    whole = add_sums([measure().sums([said], together)])
    parts = [add_sums([one]) for one in measure().by_source([said], together, 3)]
    assert [part["people"] for part in parts] == [2, 0, 1]
    for name, value in add_sums(parts).items():
        np.testing.assert_allclose(value, whole[name], rtol=1e-6, err_msg=name)
    alone = add_sums([measure().sums([said[1:2]], ones[1])])
    np.testing.assert_allclose(parts[2]["loss"], alone["loss"], rtol=1e-6)
