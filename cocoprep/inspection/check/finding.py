"""What a check has found, before it is told of whom."""

from __future__ import annotations

from dataclasses import dataclass

from cocoprep.inspection.check.suspect import SuspectKind


@dataclass(frozen=True, slots=True)
class Finding:
    """One label that looks wrong.

    Attributes:
        kind: in which way.
        person: place among those checked.
        joints: places of the joints that it is about.
        excess: by how much what was measured exceeds what is taken for sound: 1 and more.
        why: a sentence with the figures.
        other: place of the other person, where it is about two.
    """

    kind: SuspectKind
    person: int
    joints: tuple[int, ...]
    excess: float
    why: str
    other: int | None = None

    @property
    def score(self) -> float:
        """Return from 0.5 to 1 how sure it is, by which kinds are ranked together."""
        return float(1 - 0.5 ** min(max(self.excess, 1.0), 20.0))
