"""A label that looks wrong: of whom, in which way, and how much so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SuspectKind(StrEnum):
    """In which way a label looks wrong."""

    DUPLICATE = "duplicate"
    OTHER = "other person"
    LIMB = "limb"
    FAR = "far joint"
    SIDES = "sides"
    ARMS = "arms"
    LEGS = "legs"
    BOX = "box"
    VISIBILITY = "visibility"
    POSE = "pose"
    NETWORK = "network"


KIND_MEANINGS = {
    SuspectKind.DUPLICATE: "two annotations have one set of joints",
    SuspectKind.OTHER: "a joint lies where another person has it",
    SuspectKind.LIMB: "a limb is of impossible length",
    SuspectKind.FAR: "a joint is far off where the others have it",
    SuspectKind.SIDES: "left and right are exchanged throughout",
    SuspectKind.ARMS: "left and right arm are exchanged",
    SuspectKind.LEGS: "left and right leg are exchanged",
    SuspectKind.BOX: "the box does not belong to the joints",
    SuspectKind.VISIBILITY: "a joint is visible where nothing can be seen",
    SuspectKind.POSE: "the pose is like no other",
    SuspectKind.NETWORK: "the network is sure of another place",
}


@dataclass(frozen=True, slots=True)
class Suspect:
    """One label that looks wrong.

    Attributes:
        kind: in which way.
        annotation_id: the number of the annotation, as a build gives it.
        own_id: its id in the file, as text; of a folder built from several sources `NAME/ID`.
        place: of the person among those of the data set.
        image: file name of its photograph.
        joints: places of the joints that it is about, in the table's order; none where it is about the whole.
        score: how sure, from 0.5 to 1: kinds are ranked together by it.
        why: a sentence with the figures, without a full stop.
        other_id: number of the other annotation, where it is about two people.
    """

    kind: SuspectKind
    annotation_id: int
    own_id: str
    place: int
    image: str
    joints: tuple[int, ...]
    score: float
    why: str
    other_id: int | None = None
