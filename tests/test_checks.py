"""What a user sets is checked alike everywhere: what passes, and what is said of the rest."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cocoprep.checks import MOST_SHOWN, is_int, require, require_choice, require_number, require_share, shown
from cocoprep.errors import ConfigError


def test_a_condition_that_holds_says_nothing_and_another_says_all():
    require(True, "--size", "something", 3)
    with pytest.raises(ConfigError, match=r"^--size: expected an even number, found '3'\.$"):
        require(False, "--size", "an even number", "3")


@pytest.mark.parametrize("value", ["x" * 10_000, [0] * 10_000, 16**9_000, {"a": "\x1b" * 5_000}], ids=type)
def test_what_is_shown_of_a_value_is_no_page(value):
    assert len(shown(value)) <= MOST_SHOWN + 3
    with pytest.raises(ConfigError, match=r"^--size: expected a size, found .{1,203}\.$"):
        require(False, "--size", "a size", value)


def test_a_value_that_is_nested_without_end_is_shown_by_its_kind():
    value = []
    for _ in range(100_000):
        value = [value]
    assert shown(value) == "one list that is too large to show"


@pytest.mark.parametrize(
    ("value", "whole"), [(3, True), (-3, True), (True, False), (3.0, False), ("3", False), (None, False)]
)
def test_whole_numbers(value, whole):
    assert is_int(value) == whole


@pytest.mark.parametrize("value", [0, 0.0, 0.5, 1, 1.0, np.float64(0.25)])
def test_a_number_within_the_bounds_passes(value):
    require_number("--share", value, 0, 1)


@pytest.mark.parametrize(
    "value", [-1e-9, 1.0001, 2, math.nan, math.inf, -math.inf, True, False, "0.5", None, [0.5], 10**400]
)
def test_no_number_or_one_beyond_the_bounds_is_refused(value):
    with pytest.raises(ConfigError, match=r"^--share: expected a number from 0 to 1, found "):
        require_number("--share", value, 0, 1)


@pytest.mark.parametrize("value", [1, 7, 2**63])
def test_a_whole_number_passes(value):
    require_number("--count", value, 1, whole=True)


@pytest.mark.parametrize("value", [0, 1.0, 2.5, math.inf, math.nan, True, "3", 10**400])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(ConfigError, match=r"^--count: expected a whole number from 1 up, found "):
        require_number("--count", value, 1, whole=True)


def test_what_a_number_is_of_is_said():
    with pytest.raises(ConfigError, match=r"^--sigma: expected a number from 0\.1 to 100 heatmap pixels, found 0\.$"):
        require_number("--sigma", 0, 0.1, 100, unit="heatmap pixels")
    with pytest.raises(ConfigError, match=r"^--seed: expected a whole number, found 0\.5\.$"):
        require_number("--seed", 0.5, whole=True)


@pytest.mark.parametrize(
    ("value", "good"),
    [(1, True), (0.01, True), (0, False), (1.01, False), (True, False), ("1", False), (math.nan, False)],
)
def test_a_share_leaves_something(value, good):
    if good:
        require_share("--subset", value)
    else:
        with pytest.raises(ConfigError, match=r"^--subset: expected a share above 0 and up to 1, found "):
            require_share("--subset", value)


def test_a_choice_is_one_of_those_there_are():
    require_choice("--decoder", "taylor", ["taylor", "argmax"])
    require_choice("--decoder", "b", iter("abc"))
    with pytest.raises(ConfigError, match=r"^--decoder: expected one of taylor, argmax, found 'soft'\. Try taylor\.$"):
        require_choice("--decoder", "soft", iter(["taylor", "argmax"]), " Try taylor.")
