"""People whose left and right are exchanged: the whole, the arms or the legs."""

from __future__ import annotations

import numpy as np

from cocoprep.inspection.check.exchange import log_odds
from cocoprep.inspection.check.finding import Finding
from cocoprep.inspection.check.parts import exchanged_together
from cocoprep.inspection.check.people import Checked
from cocoprep.inspection.check.suspect import SuspectKind
from cocoprep.inspection.data_set import Floats

_SHARES = np.geomspace(0.005, 0.1, 16)  # of people who may be exchanged: where nobody seems to be, somebody may
_TIMES = np.geomspace(0.1, 3.0, 21)  # by which the odds of a fit are to be taken: ridge makes them modest, chance bold
_WORDS = {SuspectKind.SIDES: "the whole person", SuspectKind.ARMS: "the arms", SuspectKind.LEGS: "the legs"}


def find_sides(checked: Checked) -> list[Finding]:
    """Find people who are likelier with left and right exchanged; of each the likeliest exchange."""
    parts = exchanged_together(checked.table)
    odds = {
        kind: _exchanged(log_odds(checked.frame, checked.visible, checked.table.flip_index, joints))
        for kind, joints in parts.items()
    }
    if not odds:
        return []
    kinds = list(odds)
    table = np.stack([odds[kind] for kind in kinds])
    best = table.argmax(axis=0)
    found = []
    for n in np.flatnonzero(table.max(axis=0) >= 0).tolist():
        kind = kinds[best[n]]
        joints = tuple(k for k in parts[kind] if checked.labelled[n, k])
        value = float(table[best[n], n])
        times = f"{np.exp(min(value, 30)):.0f}"
        why = f"{_WORDS[kind]}: left and right exchanged would be {times} times as likely, by all others"
        found.append(Finding(kind, n, joints, 1 + value / 3, why))
    return found


def _exchanged(usual: Floats) -> Floats:
    """Return (N,) log odds that people are exchanged, given those that either labelling is the usual one.

    How many are exchanged at all, and by how much the fit is too modest, is what makes all that was found likeliest.
    """
    told = usual != 0
    best, found = -np.inf, np.full(len(usual), -np.inf)
    for times in _TIMES:
        right = _logistic(times * usual[told])
        for share in _SHARES:
            likelihood = float(np.log((1 - share) * right + share * (1 - right)).sum())
            if likelihood > best:
                best, found = likelihood, np.where(told, -times * usual + np.log(share / (1 - share)), -np.inf)
    return found


def _logistic(value: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(value, -30, 30)))
