"""Which step of a run its best network is of: the log tells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from cocoprep.checks import is_int

Score = tuple[float, float, float]  # OKS AP, then PCK@0.2 by box, then skill: each breaks ties of those before
NO_SCORE: Score = (-2.0, -math.inf, -math.inf)  # below every one: an AP of -1 is that of ground truth without people


@dataclass(frozen=True)
class BestStep:
    """Where in a run its best network was.

    Attributes:
        step: counted from 1.
        epoch: counted from 1.
        ap: its OKS AP on validation.
    """

    step: int
    epoch: int
    ap: float


def best_step(log: Sequence[Mapping[str, Any]]) -> BestStep | None:
    """Return where the last validation of the highest score was, of which `best.keras` is kept.

    None where the log has no AP: then the network is the last that was saved, and no line says when that was.
    """
    scored = [(score, line) for line in log if (score := score_of(line)) is not None]
    best = max((score for score, _ in scored), default=None)
    found = [BestStep(line["step"], line["epoch"], float(line["AP"])) for score, line in scored if score == best]
    return found[-1] if found else None  # the last of equals, as training keeps it


def score_of(line: Mapping[str, Any]) -> Score | None:
    """Return what the networks of a run are compared by; None where a line is of no validation with an AP.

    AP alone does not tell the networks of a small run apart: it is 0 until joints lie within pixels.
    """
    ap = line.get("AP")
    if line.get("phase") != "val" or not is_int(line.get("epoch")) or not _is_number(ap) or not -1 <= ap <= 1:
        return None  # a log may have been edited
    return float(ap), _or_worst(line.get("pck@0.2")), _or_worst(line.get("skill"))


def _or_worst(value: Any) -> float:
    return float(value) if _is_number(value) and math.isfinite(value) else -math.inf


def _is_number(value: Any) -> TypeGuard[float | int]:
    return isinstance(value, float | int) and not isinstance(value, bool)
