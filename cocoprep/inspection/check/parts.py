"""Which joints are exchanged together: all of both sides, those of the arms, those of the legs."""

from __future__ import annotations

from cocoprep.inspection.check.suspect import SuspectKind
from cocoprep.pose.keypoints import KeypointTable


def exchanged_together(table: KeypointTable) -> dict[SuspectKind, tuple[int, ...]]:
    """Return the joints (with a mirror partner) of each part that may be exchanged; none where there are no pairs.

    Arms are what hangs on the upper ends of the torso, legs on the lower, by the table's limbs, those ends among them;
    of a table without a torso there is the whole alone.
    """
    paired = tuple(k for k, partner in enumerate(table.flip_index) if k != partner)
    if not paired:
        return {}
    found = {SuspectKind.SIDES: paired}
    if all(_is_diagonal(table, one, other) for one, other in table.torso) and table.torso:
        for kind, end in ((SuspectKind.ARMS, 0), (SuspectKind.LEGS, 1)):
            part = _hanging_on({table.names.index(pair[end]) for pair in table.torso}, table)
            joints = tuple(k for k in paired if k in part)
            if len(joints) > 2 and joints != paired:
                found[kind] = joints
    return found


def _is_diagonal(table: KeypointTable, one: str, other: str) -> bool:
    """Tell whether a pair of the torso joins one side above with the other below."""
    sides = {table.sides[table.names.index(one)], table.sides[table.names.index(other)]}
    return sides == {"left", "right"}


def _hanging_on(ends: set[int], table: KeypointTable) -> set[int]:
    """Return the joints that limbs lead to from ends of the torso, by none of the torso's own or the head's."""
    stop = {table.names.index(name) for pair in table.torso for name in pair}
    stop |= {table.names.index(name) for name in table.head}
    found, new = set(ends), set(ends)
    while new:
        near = {b for a, b in table.limb_index if a in new} | {a for a, b in table.limb_index if b in new}
        new = near - found - stop
        found |= new
    return found
