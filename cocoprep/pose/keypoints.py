"""Keypoint tables: the joints of a person, a hand or an animal as data, everything else derived from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cocoprep.pose.joint_names import Side, read_pair
from cocoprep.pose.nouns import Noun, noun_of

SIGMA_NOTE = "OKS by one sigma for all joints"
VISIBLE = 2  # a joint's visibility: 0 not labelled, 1 labelled but hidden


@dataclass(frozen=True, slots=True)
class Joint:
    """One joint: its name, the joint it becomes in a mirror, its OKS sigma (no unit), and other names of the same."""

    name: str
    partner: str
    oks_sigma: float
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeypointTable:
    """The K joints of a data set, in the order of its arrays, and what is known of them.

    Attributes:
        name: of the table.
        joints: the K joints.
        limbs: pairs of joints that a line joins.
        head: joints whose longest distance is the size of the head; none where it has no size.
        torso: pairs of joints whose mean distance is the length of the torso; none where it has none.
        category: what one of those that have these joints is called, such as person or hand.
    """

    name: str
    joints: tuple[Joint, ...]
    limbs: tuple[tuple[str, str], ...]
    head: tuple[str, ...] = ()
    torso: tuple[tuple[str, str], ...] = ()
    category: str = "person"

    def __len__(self) -> int:
        """Return K, the number of joints."""
        return len(self.joints)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the K joint names."""
        return tuple(joint.name for joint in self.joints)

    @cached_property
    def flip_index(self) -> tuple[int, ...]:
        """Return (K,) indices: joint k of a mirrored person is joint `flip_index[k]` of the person."""
        places = {name: k for k, name in enumerate(self.names)}
        return tuple(places[joint.partner] for joint in self.joints)

    @cached_property
    def noun(self) -> Noun:
        """Return what those that have these joints are called in sentences."""
        return noun_of(self.category)

    @property
    def has_pairs(self) -> bool:
        """Tell whether a mirror exchanges any joints: where it does not, nothing says what a mirrored picture shows."""
        return self.flip_index != tuple(range(len(self)))

    @property
    def uniform_sigma(self) -> float | None:
        """Return the one OKS sigma of all joints; None where they differ."""
        return self.joints[0].oks_sigma if len({joint.oks_sigma for joint in self.joints}) == 1 else None

    @cached_property
    def sides(self) -> tuple[Side, ...]:
        """Return (K,) the person's own side of each joint; of a pair whose names say none, the first is left."""
        sides: list[Side] = ["centre"] * len(self)
        for k, partner in enumerate(self.flip_index):
            if k < partner:
                first, _ = read_pair(self.names[k], self.names[partner])
                sides[k], sides[partner] = ("right", "left") if first == "right" else ("left", "right")
        return tuple(sides)

    @cached_property
    def families(self) -> dict[str, tuple[int, ...]]:
        """Return the joints by what they are called without a side, in the table's order: a pair left before right."""
        families: dict[str, tuple[int, ...]] = {}
        for k, partner in enumerate(self.flip_index):
            if k == partner:
                families[self.names[k]] = (k,)
            elif k < partner:
                left, right = (k, partner) if self.sides[k] == "left" else (partner, k)
                _, shared = read_pair(self.names[left], self.names[right])
                alone = shared not in self.names and shared not in families
                families[shared if alone else self.names[left]] = left, right
        return families

    @cached_property
    def oks_sigmas(self) -> NDArray[np.float64]:
        """Return (K,) float64 OKS sigmas."""
        return np.array([joint.oks_sigma for joint in self.joints])

    @cached_property
    def limb_index(self) -> tuple[tuple[int, int], ...]:
        """Return the limbs as pairs of joint indices, from 0."""
        return tuple((self.names.index(a), self.names.index(b)) for a, b in self.limbs)

    @cached_property
    def skeleton(self) -> list[list[int]]:
        """Return the limbs as COCO writes them: pairs of joint numbers, from 1."""
        return [[a + 1, b + 1] for a, b in self.limb_index]
