"""People whose left and right are exchanged: the whole, the arms or the legs."""

from __future__ import annotations

import numpy as np

from cocoprep.inspection.check.exchange import log_odds
from cocoprep.inspection.check.finding import Finding
from cocoprep.inspection.check.network import Said
from cocoprep.inspection.check.parts import exchanged_together
from cocoprep.inspection.check.people import Checked
from cocoprep.inspection.check.suspect import SuspectKind
from cocoprep.inspection.data_set import Floats

_SHARES = np.geomspace(0.005, 0.1, 16)  # of people who may be exchanged: where nobody seems to be, somebody may
_TIMES = np.geomspace(0.1, 3.0, 21)  # by which the odds of a fit are to be taken: ridge makes them modest, chance bold
_WORDS = {SuspectKind.SIDES: "the whole person", SuspectKind.ARMS: "the arms", SuspectKind.LEGS: "the legs"}


def find_sides(checked: Checked, said: Said | None = None) -> list[Finding]:
    """Find people who are likelier with left and right exchanged; of each the likeliest exchange.

    What a network says is a second witness, heard together with the data set's poses.
    """
    parts = exchanged_together(checked.table)
    odds = {}
    for kind, joints in parts.items():
        witnesses = [log_odds(checked.frame, checked.visible, checked.table.flip_index, joints)]
        if said is not None:
            witnesses.append(said.log_odds(checked, joints))
        odds[kind] = _exchanged(witnesses)
    if not odds:
        return []
    kinds = list(odds)
    table = np.stack([odds[kind] for kind in kinds])
    best = table.argmax(axis=0)
    by = "by all others" if said is None else "by all others and the network"
    found = []
    for n in np.flatnonzero(table.max(axis=0) >= 0).tolist():
        kind = kinds[best[n]]
        joints = tuple(k for k in parts[kind] if checked.labelled[n, k])
        value = float(table[best[n], n])
        times = f"{np.exp(min(value, 30)):.0f}"
        why = f"{_WORDS[kind]}: left and right exchanged would be {times} times as likely, {by}"
        found.append(Finding(kind, n, joints, 1 + value / 3, why))
    return found


def _exchanged(witnesses: list[Floats]) -> Floats:
    """Return (N,) log odds that people are exchanged, by what each witness says: that they are labelled as usual.

    How many are exchanged at all, and by how much each is too modest, is what makes all that was found likeliest: first
    of the first witness alone, then of each more with what those before it say.
    """
    said = np.zeros(len(witnesses[0]))
    share = 0.0
    for usual in witnesses:
        said, share = _likeliest(said, usual)
    return np.where(said != 0, np.log(share / (1 - share)) - said, -np.inf)


def _likeliest(before: Floats, usual: Floats) -> tuple[Floats, float]:
    """Return (N,) log odds with those of one more witness taken so often, and the share exchanged, as are likeliest."""
    best, found, of_all = -np.inf, before, float(_SHARES[0])
    for times in _TIMES:
        said = before + times * usual
        right = _logistic(said[said != 0])
        for share in _SHARES:
            likelihood = float(np.log((1 - share) * right + share * (1 - right)).sum())
            if likelihood > best:
                best, found, of_all = likelihood, said, float(share)
    return found, of_all


def _logistic(value: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(value, -30, 30)))
