from __future__ import annotations

import dataclasses

import pytest

from cocoprep.errors import ConfigError
from cocoprep.model.augment.config import STRENGTHS, AugmentConfig
from cocoprep.model.input.config import ReadConfig


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_min": 1.1},
        {"window_max": 1.1},
        {"window_min": 1.5, "window_max": 1.1},
        {"window_max": 1.1, "window_min": 0.0},
        {"window_min": 1.0, "window_max": float("inf")},
        {"shift": -0.1},
        {"shift": 1.1},
        {"shift": "much"},
        {"rotation_degrees": 181},
        {"rotation_degrees": float("nan")},
        {"rotation_probability": 1.5},
        {"flip_probability": -0.5},
        {"flip_probability": True},
        {"brightness": 2},
        {"contrast": -1},
        {"saturation": None},
        {"noise": 101},
    ],
    ids=str,
)
def test_a_number_that_cannot_work_is_refused(wrong):
    with pytest.raises(ConfigError, match=rf"{next(reversed(wrong))}.*: expected .*, found"):
        AugmentConfig(**wrong)


def test_the_strengths_grow():
    assert list(STRENGTHS) == ["none", "light", "medium", "heavy"]
    for field in ("shift", "rotation_degrees", "brightness", "contrast", "saturation", "noise"):
        numbers = [getattr(config, field) for config in STRENGTHS.values()]
        assert numbers == sorted(numbers), field


@pytest.mark.parametrize(
    ("config", "changes", "recolours"),
    [
        ({}, False, False),
        ({"rotation_degrees": 30, "rotation_probability": 0}, False, False),
        ({"window_min": 1.25, "window_max": 1.25}, True, False),
        ({"shift": 0.1}, True, False),
        ({"rotation_degrees": 30}, True, False),
        ({"flip_probability": 0.5}, True, False),
        ({"noise": 1}, True, False),
        ({"brightness": 0.1}, True, True),
        ({"contrast": 0.1}, True, True),
        ({"saturation": 0.1}, True, True),
    ],
    ids=str,
)
def test_what_a_config_changes(config, changes, recolours):
    assert AugmentConfig(**config).changes == changes
    assert AugmentConfig(**config).recolours == recolours


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        STRENGTHS["none"].shift = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0},
        {"batch_size": 2.5},
        {"batch_size": True},
        {"seed": -1},
        {"seed": 1 << 63},
        {"subset": 0},
        {"subset": 1.5},
        {"subset": "half"},
        {"cache": "yes"},
        {"cache": 1},
        {"on_bad_record": "ignore"},
        {"shuffle_records": 0},
    ],
    ids=str,
)
def test_reading_that_cannot_work_is_refused(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}: expected .*, found"):
        ReadConfig(**wrong)
