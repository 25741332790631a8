"""The learning rate, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.model.run.config import OptimizerConfig
from cocoprep.model.training.schedule import WarmedUp, build_optimizer


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_it_rises_in_a_line_and_falls_to_nothing_along_a_cosine():
    schedule = WarmedUp(peak=2.0, steps=104, warmup=4, kind="cosine")
    np.testing.assert_allclose(rates(schedule, range(5)), [0.5, 1.0, 1.5, 2.0, 2.0], rtol=1e-6)
    assert float(schedule(54)) == pytest.approx(1.0, rel=1e-5)
    assert float(schedule(104)) == pytest.approx(0, abs=1e-6)
    assert float(schedule(1000)) == pytest.approx(0, abs=1e-6)


def test_steps_multiply():
    schedule = WarmedUp(peak=1.0, steps=100, warmup=0, kind="steps", decay=0.1, decay_at=(0.5, 0.8))
    np.testing.assert_allclose(rates(schedule, (0, 49, 50, 79, 80, 99)), [1, 1, 0.1, 0.1, 0.01, 0.01], rtol=1e-5)


def test_constant_stays():
    assert rates(WarmedUp(peak=0.5, steps=10, warmup=0, kind="constant"), (0, 5, 50)) == [0.5] * 3


def test_a_schedule_survives_being_written_down():
    schedule = WarmedUp(peak=1.0, steps=100, warmup=3, kind="steps", decay=0.5, decay_at=(0.5,))
    again = WarmedUp.from_config(schedule.get_config())
    assert rates(again, range(0, 100, 7)) == rates(schedule, range(0, 100, 7))


@pytest.mark.parametrize("kind", ["adam", "adamw", "rmsprop", "sgd"])
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_every_optimizer_can_be_built(kind, precision):
    build_optimizer(OptimizerConfig(kind=kind), 10, 3, precision)
    optimizer = build_optimizer(OptimizerConfig(kind=kind, weight_decay=1e-4), 10, 3, precision)
    assert hasattr(optimizer, "inner_optimizer") == (precision == "mixed_float16")
