"""Weight averages, moved as a step of training moves them."""

from __future__ import annotations

from typing import Any


def move_average(average: Any, step: int) -> None:
    """Move a `WeightAverage` by a step, counted from 1."""
    moved = average.moved(step, [v.value for v in average.variables], [v.value for v in average.own])
    for variable, value in zip(average.variables, moved, strict=True):
        variable.assign(value)
