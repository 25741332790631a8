"""Predictions of one keypoint table scored on people of another: over the joints that both have.

The rules are those of the people's data set: its order of joints, its OKS sigmas, and the lengths that PCK is a
fraction of. N people, K of their joints, S predicted joints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.stack_maps import StackMaps
from cocoprep.pose.joint_map import JointMap, map_joints, subset_table
from cocoprep.pose.keypoints import KeypointTable

MAP_OPTION = "--map"


@dataclass(frozen=True)
class Across:
    """What is scored as what, and how much of a ground truth that covers.

    Attributes:
        joint_map: from the predicted joints to the truth's.
        labelled: (K,) int64, how many counting people have each of the truth's joints labelled.
        people: whom OKS would look for with all joints.
        passed_over: of them those who have none of the shared joints labelled: no figure counts them.
    """

    joint_map: JointMap
    labelled: NDArray[np.int64]
    people: int
    passed_over: int

    @property
    def covered(self) -> int:
        """Return how many labelled joints are among the shared."""
        return int(self.labelled[list(self.joint_map.shared)].sum())

    @property
    def sentence(self) -> str:
        """Return how much of the ground truth is scored."""
        joints, total, noun = self.joint_map, int(self.labelled.sum()), self.joint_map.target.noun
        share = f", {100 * self.covered / total:.1f} %" if total else ""
        over = f". {self.passed_over} of {noun.count(self.people)} passed over, who have none of these labelled"
        return (
            f"{len(joints.shared)} of the {len(joints.target)} joints of the data ({joints.target.name}) are predicted "
            f"({joints.source.name}): {self.covered} of {total} labelled joints{share}{over * bool(self.passed_over)}"
        )

    def rows(self) -> list[tuple[str, str | None, str, int]]:
        """Return of each of the truth's joints its name, the predicted one's, how that was found, and labelled ones."""
        found = []
        for k, (name, place) in enumerate(zip(self.joint_map.target.names, self.joint_map.places, strict=True)):
            theirs = None if place is None else self.joint_map.source.names[place]
            found.append((name, theirs, self._found_by(k), int(self.labelled[k])))
        return found

    def _found_by(self, joint: int) -> str:
        if self.joint_map.target.names[joint] in self.joint_map.said:
            return MAP_OPTION
        if self.joint_map.places[joint] is None:
            return ""
        return "synonym" if self.joint_map.near[joint] else "name"

    def as_json(self) -> dict[str, Any]:
        """Return the map and the coverage as what JSON can hold."""
        joints, total = self.joint_map, int(self.labelled.sum())
        return {
            "joint_map": {
                "predicted": joints.source.name,
                "data": joints.target.name,
                "joints": {name: {"predicted": theirs, "by": by or None} for name, theirs, by, _ in self.rows()},
            },
            "coverage": {
                "joints": len(joints.target),
                "joints_shared": len(joints.shared),
                "labelled_joints": total,
                "labelled_joints_shared": self.covered,
                "people": self.people,
                "people_passed_over": self.passed_over,
            },
        }


def find_map(theirs: KeypointTable, ours: KeypointTable, said: Mapping[str, str]) -> JointMap | None:
    """Return which predicted joint is which of a ground truth's; None where both have the same, in the same order.

    Args:
        theirs: the predicted joints.
        ours: the ground truth's.
        said: names of theirs by ours, as a user says.

    Raises:
        ConfigError: as `map_joints`.
    """
    if not said and (theirs.names, theirs.flip_index) == (ours.names, ours.flip_index):
        return None
    return map_joints(theirs, ours, said, option=MAP_OPTION)


def measure_across(truth: Truth, joint_map: JointMap) -> Across:
    """Return how much of a ground truth of all joints is scored."""
    labelled = truth.visibility[truth.counts] > 0
    shared = labelled[:, list(joint_map.shared)].any(axis=1)
    return Across(joint_map, labelled.sum(axis=0), len(labelled), int((~shared).sum()))


def shared_truth(truth: Truth, joint_map: JointMap) -> Truth:
    """Return a ground truth of the shared joints alone; who has none of them labelled is ignored by every figure."""
    places = list(joint_map.shared)
    table = subset_table(truth.table, joint_map.shared, f"{truth.table.name}, {len(places)} joints")
    visibility = truth.visibility[:, places]
    return replace(
        truth,
        category={**truth.category, "keypoints": list(table.names)},
        table=table,
        keypoints=truth.keypoints[:, places],
        written=truth.written[:, places],
        visibility=visibility,
        whole=truth,
    )


def some_joints(predictions: Predictions, places: Sequence[int]) -> Predictions:
    """Return predictions of the joints at some places alone, in that order; scores stay those of all joints."""
    order = list(places)
    return replace(
        predictions,
        keypoints=predictions.keypoints[:, order],
        confidence=predictions.confidence[:, order],
        whole=predictions,
    )


def shared_maps(maps: StackMaps, joint_map: JointMap) -> StackMaps:
    """Return the heatmaps of the shared joints alone, in the truth's order."""
    return replace(
        maps,
        heatmaps=maps.heatmaps[..., list(joint_map.shared_in_source)],
        truth=maps.truth[..., list(joint_map.shared)],
    )
