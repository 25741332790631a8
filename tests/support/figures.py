"""Stick figures of COCO's joints, whose labels are right: what checks of labels are tried on."""

from __future__ import annotations

import numpy as np

from cocoprep.coco.annotations import ImageInfo
from cocoprep.inspection.data_set import DataSet, EntryCounts, People
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17

SIDE = 600
# Of somebody who faces the viewer: the left is on the right of the picture. Height is 1.
_BODY = {
    "nose": (0, 0.08), "eye": (0.02, 0.06), "ear": (0.045, 0.07), "shoulder": (0.12, 0.18), "hip": (0.07, 0.5),
}  # fmt: skip
_ARM, _FOREARM, _THIGH, _SHANK = 0.17, 0.15, 0.24, 0.24


def figure(rng: np.random.Generator, table: KeypointTable = COCO_17) -> np.ndarray:
    """Return (17, 3): a standing person of height 1 around x = 0, seen from the front or the back."""
    front = rng.random() < 0.7
    places = {"nose": (0.0, 0.08)}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        at = {name: (sign * x, y) for name, (x, y) in _BODY.items() if name != "nose"}
        for first, second, third, lengths, spread in (
            ("shoulder", "elbow", "wrist", (_ARM, _FOREARM), 0.8), ("hip", "knee", "ankle", (_THIGH, _SHANK), 0.25),
        ):  # fmt: skip
            turn = sign * abs(rng.normal(0.1, spread))
            for upper, lower, length in ((first, second, lengths[0]), (second, third, lengths[1])):
                x, y = at[upper]
                at[lower] = x + length * np.sin(turn), y + length * np.cos(turn)
                turn += sign * rng.normal(0, spread / 2)
        places |= {f"{side}_{name}": where for name, where in at.items()}
    joints = np.zeros((len(table), 3))
    for k, name in enumerate(table.names):
        x, y = places[name]
        hidden = not front and ("eye" in name or name == "nose")
        joints[k] = (x if front else -x), y, 1 if hidden else 2
    joints[:, :2] += rng.normal(0, 0.006, (len(table), 2))
    return joints


def figures(count: int, *, seed: int = 0, of_image: int = 2) -> DataSet:
    """Return a data set of so many people, some of them on each photograph."""
    rng = np.random.default_rng(seed)
    joints = np.stack([figure(rng) for _ in range(count)])
    size = rng.uniform(120, 200, count)
    joints[..., :2] *= size[:, None, None]
    joints[..., 0] += 150 + 300 * (np.arange(count) % of_image)[:, None]
    joints[..., 1] += rng.uniform(50, 300, count)[:, None]
    low, high = joints[..., :2].min(axis=1) - 5, joints[..., :2].max(axis=1) + 5
    images = -(-count // of_image)
    sizes = np.full((images, 2), SIDE)
    of = np.arange(count) // of_image
    people = People(
        annotation_ids=np.arange(1, count + 1), images=of, sizes=sizes[of],
        bbox=np.concatenate([low, high - low], axis=1), area=0.5 * (high - low).prod(axis=1),
        crowd=np.zeros(count, bool), joints=joints.astype(np.float32),
    )  # fmt: skip
    infos = tuple(ImageInfo(n + 1, f"{n + 1:012}.jpg", SIDE, SIDE) for n in range(images))
    return DataSet(
        "figures", "figures.json", "figures.json", COCO_17, EntryCounts(count, 0, 0, 0), infos, sizes, people
    )
