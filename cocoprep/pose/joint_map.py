"""Which joint of one keypoint table is which of another: by name, by the tables' synonyms, or as a user says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cocoprep.errors import ConfigError
from cocoprep.pose.joint_names import name_key
from cocoprep.pose.keypoints import Joint, KeypointTable

_SHOWN = 20
T = TypeVar("T", bound=np.generic)
NO_JOINT = ""  # in a user's map: a joint that the source has under no name


@dataclass(frozen=True)
class JointMap:
    """Where each of a target's K joints lies among a source's S.

    Attributes:
        source: whose joints are read.
        target: whose joints they become.
        places: (K,) the place in the source of each of the target's joints; None where the source has none.
        near: (K,) true where the two names are alike by a synonym or a user's word only.
        said: names of the target's joints of which a user has said what they are.
    """

    source: KeypointTable
    target: KeypointTable
    places: tuple[int | None, ...]
    near: tuple[bool, ...]
    said: frozenset[str] = frozenset()

    @cached_property
    def shared(self) -> tuple[int, ...]:
        """Return the places in the target of the joints that both have."""
        return tuple(k for k, place in enumerate(self.places) if place is not None)

    @cached_property
    def shared_in_source(self) -> tuple[int, ...]:
        """Return the places in the source of the joints that both have, in the order of the target."""
        return tuple(place for place in self.places if place is not None)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Return the target's joints that the source has none of."""
        return tuple(name for name, place in zip(self.target.names, self.places, strict=True) if place is None)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Return the source's joints that become none of the target's."""
        used = set(self.shared_in_source)
        return tuple(name for k, name in enumerate(self.source.names) if k not in used)

    @property
    def is_identity(self) -> bool:
        """Tell whether both have the same joints in the same order, by whatever names."""
        return self.places == tuple(range(len(self.source))) and len(self.source) == len(self.target)

    @property
    def sentence(self) -> str:
        """Return what becomes what: where the names differ, what the source lacks, and what is left out."""
        parts = [f"{len(self.shared)} of the {len(self.target)} joints of {self.target.name} are in {self.source.name}"]
        renamed = [
            f"{self.source.names[place]} as {name}"
            for name, place, near in zip(self.target.names, self.places, self.near, strict=True)
            if near and place is not None
        ]
        for what, names in (("", renamed), ("without ", self.lacking), ("left out: ", self.left_out)):
            if names:
                more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                parts.append(what + ", ".join(names[:_SHOWN]) + more)
        return "; ".join(parts)

    def narrowed(self, places: tuple[int, ...], table: KeypointTable) -> JointMap:
        """Return the map onto some of the target's joints, those at `places`, which `table` has in that order."""
        found = tuple(self.places[k] for k in places)
        near = tuple(self.near[k] for k in places)
        return JointMap(self.source, table, found, near, self.said & set(table.names))

    def apply(self, values: NDArray[T]) -> NDArray[T]:
        """Return (..., K, D) values of the target's joints from (..., S, D) of the source's; 0 where it has none."""
        mapped = np.zeros((*values.shape[:-2], len(self.target), values.shape[-1]), values.dtype)
        mapped[..., list(self.shared), :] = values[..., list(self.shared_in_source), :]
        return mapped


def map_joints(
    source: KeypointTable, target: KeypointTable, said: Mapping[str, str] | None = None, *, option: str = "joints"
) -> JointMap:
    """Find each of the target's joints in the source.

    What a user says comes first; then names that are the same but for spelling; then those that are alike by a
    synonym of either table, where only one pair is.

    Args:
        source: whose joints are read.
        target: whose joints they become.
        said: names of the source's joints by the target's; `NO_JOINT` where the source is to give none.
        option: named in messages.

    Raises:
        ConfigError: a name of `said` is in no table, one joint is to be two, or no joint is in both.
    """
    places: dict[int, int] = {}
    said = said or {}
    silent = _take_said(source, target, said, places, option=option)
    for keys in (_own_key, _all_keys):
        _take_alike(source, target, places, silent, keys)
    if not places:
        raise ConfigError(
            f"{option}: {source.name} and {target.name} have no joint in common. Expected some of "
            f"{list(target.names)!r:.400}, found {list(source.names)!r:.400}. Say which is which: `joints` in a "
            ".toml file of sources does, or --map of `cocoprep evaluate`."
        )
    found = tuple(map(places.get, range(len(target))))
    near = tuple(
        place is not None and name_key(source.names[place]) != name_key(name)
        for name, place in zip(target.names, found, strict=True)
    )
    return JointMap(source, target, found, near, frozenset(said))


def subset_table(table: KeypointTable, places: tuple[int, ...], name: str) -> KeypointTable:
    """Return the table of some of a table's joints, in the order of `places`.

    A joint whose mirror partner is not among them is its own; limbs, head and torso are those whose joints all are.
    """
    kept = {table.names[k] for k in places}
    joints = [table.joints[k] for k in places]
    return replace(
        table,
        name=name,
        joints=tuple(joint if joint.partner in kept else replace(joint, partner=joint.name) for joint in joints),
        limbs=tuple(limb for limb in table.limbs if kept.issuperset(limb)),
        head=table.head if kept.issuperset(table.head) else (),
        torso=tuple(pair for pair in table.torso if kept.issuperset(pair)),
    )


def _take_said(
    source: KeypointTable, target: KeypointTable, said: Mapping[str, str], places: dict[int, int], *, option: str
) -> set[int]:
    """Put what a user says into `places`; return the target's joints that are to have none."""
    silent: set[int] = set()
    for own, theirs in said.items():
        k = _place_of(own, target, option)
        if theirs == NO_JOINT:
            silent.add(k)
            continue
        place = _place_of(theirs, source, option)
        if place in places.values():
            raise ConfigError(f"{option}: {theirs!r:.100} is to be two joints of {target.name}. Name it once.")
        places[k] = place
    return silent


def _place_of(name: str, table: KeypointTable, option: str) -> int:
    if name not in table.names:
        raise ConfigError(
            f"{option}: expected a joint of {table.name}, {list(table.names)!r:.700}, found {name!r:.100}."
        )
    return table.names.index(name)


def _own_key(joint: Joint) -> set[tuple[str, str]]:
    return {name_key(joint.name)}


def _all_keys(joint: Joint) -> set[tuple[str, str]]:
    return {name_key(name) for name in (joint.name, *joint.synonyms)}


def _take_alike(
    source: KeypointTable,
    target: KeypointTable,
    places: dict[int, int],
    silent: set[int],
    keys: Callable[[Joint], set[tuple[str, str]]],
) -> None:
    """Put pairs of joints without a partner yet into `places`, each where it is the only one of both."""
    open_source = [s for s in range(len(source)) if s not in places.values()]
    open_target = [k for k in range(len(target)) if k not in places and k not in silent]
    pairs = [(k, s) for k in open_target for s in open_source if keys(target.joints[k]) & keys(source.joints[s])]
    places.update(
        (k, s) for k, s in pairs if sum(k == one for one, _ in pairs) == sum(s == one for _, one in pairs) == 1
    )
