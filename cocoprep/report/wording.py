"""Figures and names as pages and charts write them."""

from __future__ import annotations

import math

from cocoprep.pose.nouns import Noun

NONE = "\N{EN DASH}"  # where there is no figure


def share(value: float) -> str:
    """Return a figure from 0 to 1, or a dash where there is none: NaN, or -1 as pycocotools writes it."""
    return NONE if math.isnan(value) or value < 0 else f"{value:.3f}"


def pixels(value: float) -> str:
    """Return a length in pixels."""
    return NONE if math.isnan(value) else f"{value:.1f}"


def count(value: int) -> str:
    """Return a whole number with its thousands apart."""
    return f"{value:,}"


def people(number: int, noun: Noun) -> str:
    """Return a number of people, or of whatever is counted, in words."""
    return f"{count(number)} {noun.of(number)}"


def words(name: str) -> str:
    """Return a joint's name as it is read."""
    return name.replace("_", " ")
