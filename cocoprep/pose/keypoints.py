"""Keypoint tables: the joints of a person as data, everything else derived from it.

Source: the COCO 2017 person category (names, order, skeleton) and pycocotools' `kpt_oks_sigmas`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Side = Literal["left", "right", "centre"]
VISIBLE = 2  # a joint's visibility: 0 not labelled, 1 labelled but hidden


@dataclass(frozen=True, slots=True)
class Joint:
    """One joint: its name, the joint it becomes in a mirror, and its OKS sigma (no unit)."""

    name: str
    partner: str
    oks_sigma: float

    @property
    def side(self) -> Side:
        """Tell the person's own side this joint is on."""
        if self.name == self.partner:
            return "centre"
        return "left" if self.name.startswith("left_") else "right"


@dataclass(frozen=True)
class KeypointTable:
    """The K joints of a data set, in the order of its arrays, and the limbs that join them."""

    name: str
    joints: tuple[Joint, ...]
    limbs: tuple[tuple[str, str], ...]

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
        return tuple(self.names.index(joint.partner) for joint in self.joints)

    @cached_property
    def families(self) -> dict[str, tuple[int, ...]]:
        """Return the joints by what they are called without a side, in the table's order: a pair left before right."""
        families: dict[str, tuple[int, ...]] = {}
        for k, partner in enumerate(self.flip_index):
            if k == partner:
                families[self.names[k]] = (k,)
            elif k < partner:
                left, right = (k, partner) if self.joints[k].side == "left" else (partner, k)
                shared = self.names[left].removeprefix("left_")
                families[self.names[left] if shared in self.names else shared] = left, right
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
