"""Which step of a run its best network is of: the log tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cocoprep.checks import is_int


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
    """Return where the first validation with the highest AP was, of which `best.keras` is kept.

    None where the log has no AP: then the network is the last that was saved, and no line says when that was.
    """
    found = [BestStep(line["step"], line["epoch"], float(line["AP"])) for line in log if _is_scored(line)]
    return max(found, key=lambda one: one.ap, default=None)  # the first of equals, as training keeps it


def _is_scored(line: Mapping[str, Any]) -> bool:
    """Tell whether a line is of a validation with an AP; a log may have been edited."""
    ap = line.get("AP")
    return (
        line["phase"] == "val"
        and is_int(line.get("epoch"))
        and isinstance(ap, float | int)
        and not isinstance(ap, bool)
        and -1 <= ap <= 1
    )
