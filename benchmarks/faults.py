"""Faults of each kind, planted into the annotations of a COCO keypoints file: what `bench_check` looks for.

A fault is one that can be told from a sound label at all: a joint that another person has nearly in the same place is
not exchanged with theirs, and of somebody seen from the side left and right are not.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.inspection.check.parts import exchanged_together
from cocoprep.inspection.check.suspect import SuspectKind
from cocoprep.pose.keypoints import KeypointTable

Annotation = dict[str, Any]
Document = dict[str, Any]
Floats = NDArray[np.float64]

LABEL_NOISE = 0.25  # of two OKS sigmas: how far from each other two people click
_TRIES = 10


class Faults:
    """Plants faults into people with the joints of a table."""

    def __init__(self, table: KeypointTable, rng: np.random.Generator) -> None:
        self._table, self._rng = table, rng
        self._flip = np.array(table.flip_index)
        parts = exchanged_together(table)
        self.kinds: dict[str, Callable[[Annotation, Sequence[Annotation], tuple[int, int]], Annotation | None]] = {
            "duplicate": self._duplicate, "other person": self._other, "limb": self._limb, "far joint": self._far,
        }  # fmt: skip
        for kind, joints in parts.items():
            self.kinds[kind.value] = partial(self._exchange, part=joints)
        self.kinds |= {"box": self._box, "visibility": self._visibility, "pose": self._pose}

    def plant(self, document: Document, kind: str, share: float) -> tuple[Document, set[int]]:
        """Return a document with a fault in a share of its people, and the ids of those that have it."""
        annotations = [dict(one) for one in document["annotations"]]
        people = [one for one in annotations if one["num_keypoints"] and not one.get("iscrowd")]
        of_image: dict[int, list[Annotation]] = {}
        for one in people:
            of_image.setdefault(one["image_id"], []).append(one)
        sizes = {image["id"]: (image["width"], image["height"]) for image in document["images"]}
        faulty: set[int] = set()
        free = max(one["id"] for one in annotations) + 1
        for place in self._rng.permutation(len(people)).tolist():
            if len(faulty) >= round(share * len(people)):
                break
            one = people[place]
            others = [b for b in of_image[one["image_id"]] if b is not one and b["id"] not in faulty]
            made = self.kinds[kind](one, others, sizes[one["image_id"]])
            if made is None:
                continue
            if kind == "duplicate":
                made["id"], free = free, free + 1
                annotations.append(made)
                faulty.add(made["id"])
            else:
                one.update(made)
                faulty.add(one["id"])
            made["num_keypoints"] = int(np.count_nonzero(made.get("keypoints", one["keypoints"])[2::3]))
        return {**document, "annotations": annotations}, faulty

    def _tolerance(self, one: Annotation) -> Floats:
        """Return (K,) pixels: two OKS sigmas."""
        return np.asarray(2 * self._table.oks_sigmas * np.sqrt(max(one["area"], 1)))

    def _duplicate(self, one: Annotation, _: Sequence[Annotation], size: tuple[int, int]) -> Annotation | None:
        """Label somebody again: a little beside, a tenth of the joints left away."""
        joints, there = _joints(one)
        if there.sum() < 3:
            return None
        beside = self._rng.normal(0, LABEL_NOISE, (len(joints), 2)) * self._tolerance(one)[:, None]
        joints[:, :2] += np.where(there[:, None], beside, 0)
        left = there & (self._rng.random(len(joints)) < 0.1)
        if (there & ~left).sum() >= 3:
            joints[left] = 0
        x, y, w, h = one["bbox"]
        dx, dy, dw, dh = self._rng.normal(0, 0.03, 4) * [w, h, w, h]
        box = [x + dx, y + dy, max(w + dw, 2), max(h + dh, 2)]
        return copy.deepcopy({**one, "keypoints": joints.ravel().tolist(), "bbox": box})

    def _other(self, one: Annotation, others: Sequence[Annotation], _: tuple[int, int]) -> Annotation | None:
        """Put a joint where another person on the photograph has it."""
        joints, there = _joints(one)
        found = []
        for other in others if there.sum() >= 4 else ():
            theirs, labelled = _joints(other)
            apart = np.hypot(*(joints - theirs)[:, :2].T)
            far = apart > 2 * np.maximum(self._tolerance(one), self._tolerance(other))
            found += [(theirs[k, :2], k) for k in np.flatnonzero(there & labelled & far).tolist()]
        if not found:
            return None
        at, k = found[self._rng.integers(len(found))]
        joints[k, :2] = at + self._rng.normal(0, LABEL_NOISE, 2) * self._tolerance(one)[k]
        return _moved(joints)

    def _limb(self, one: Annotation, _: Sequence[Annotation], size: tuple[int, int]) -> Annotation | None:
        """Make a limb as long as 0.7 to 1.5 times the person's whole extent."""
        joints, there = _joints(one)
        if there.sum() < 6:
            return None
        extent = np.ptp(joints[there, :2], axis=0).max()
        pairs = np.array([(a, b) for x, y in self._table.limb_index for a, b in ((x, y), (y, x))])
        pairs = pairs[there[pairs].all(axis=1)]
        for a, b in self._rng.permutation(pairs)[:_TRIES].tolist():
            along = joints[b, :2] - joints[a, :2]
            length = float(np.hypot(*along))
            to = joints[a, :2] + along / max(length, 1) * extent * self._rng.uniform(0.7, 1.5)
            if length >= 1 and _holds(size, to) and np.hypot(*(to - joints[b, :2])) > 0.3 * extent:
                joints[b, :2] = to
                return _moved(joints)
        return None

    def _far(self, one: Annotation, _: Sequence[Annotation], size: tuple[int, int]) -> Annotation | None:
        """Move a joint by one to two of the person's extents, in any direction."""
        joints, there = _joints(one)
        if there.sum() < 4:
            return None
        k = int(self._rng.choice(np.flatnonzero(there)))
        extent = np.ptp(joints[there, :2], axis=0).max()
        for _try in range(_TRIES):
            turn, length = self._rng.uniform(0, 2 * np.pi), extent * self._rng.uniform(1, 2)
            to = joints[k, :2] + length * np.array([np.cos(turn), np.sin(turn)])
            if _holds(size, to):
                joints[k, :2] = to
                return _moved(joints)
        return None

    def _exchange(
        self, one: Annotation, others: Sequence[Annotation], size: tuple[int, int], *, part: Sequence[int]
    ) -> Annotation | None:
        """Exchange left and right of the joints of a part, where they are not in the same place anyway."""
        del others, size  # as all others take
        joints, there = _joints(one)
        places = np.array([k for k in part if there[k] and there[self._flip[k]]], np.int64)
        if len(places) < 4:
            return None
        apart = np.hypot(*(joints - joints[self._flip])[places, :2].T)
        if np.mean(apart > 2 * self._tolerance(one)[places]) < 0.5:
            return None
        exchanged = joints.copy()
        exchanged[list(part)] = joints[self._flip[list(part)]]
        return _moved(exchanged)

    def _box(self, one: Annotation, others: Sequence[Annotation], size: tuple[int, int]) -> Annotation | None:
        """Give somebody the box of another, or where there is none apart, move it by most of its size."""
        x, y, w, h = one["bbox"]
        for other in others:
            if _apart(one["bbox"], other["bbox"]):
                return {"bbox": list(other["bbox"])}
        dx, dy = self._rng.choice([-1, 1], 2) * self._rng.uniform(0.6, 1, 2) * [w, h]
        left = min(max(x + dx, 0), max(size[0] - w, 0))
        top = min(max(y + dy, 0), max(size[1] - h, 0))
        if min(w, h) < 4 or (abs(left - x) < 0.5 * w and abs(top - y) < 0.5 * h):
            return None
        return {"bbox": [left, top, w, h]}

    def _visibility(self, one: Annotation, _: Sequence[Annotation], size: tuple[int, int]) -> Annotation | None:
        """Move a visible joint out of the photograph."""
        joints, _there = _joints(one)
        seen = np.flatnonzero(joints[:, 2] == 2)
        if not len(seen):
            return None
        k, axis, beyond = int(self._rng.choice(seen)), int(self._rng.integers(2)), self._rng.uniform(3, 30)
        joints[k, axis] = -beyond if self._rng.random() < 0.5 else size[axis] + beyond
        return _moved(joints)

    def _pose(self, one: Annotation, _: Sequence[Annotation], size: tuple[int, int]) -> Annotation | None:
        """Deal a person's joints out anew, as where a file's order of joints is another."""
        joints, there = _joints(one)
        places = np.flatnonzero(there)
        if len(places) < 6:
            return None
        joints[places] = joints[self._rng.permutation(places)]
        return _moved(joints)


def _joints(one: Mapping[str, Any]) -> tuple[Floats, NDArray[np.bool_]]:
    joints = np.array(one["keypoints"], np.float64).reshape(-1, 3)
    return joints, joints[:, 2] > 0


def _moved(joints: Floats) -> Annotation:
    return {"keypoints": joints.ravel().tolist()}


def _holds(size: tuple[int, int], at: Floats) -> bool:
    return bool(0 <= at[0] < size[0] and 0 <= at[1] < size[1])


def _apart(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]


# What tells of a fault too, besides its own kind.
ALSO: Mapping[str, frozenset[str]] = {
    "far joint": frozenset({SuspectKind.LIMB.value}),
    "limb": frozenset({SuspectKind.FAR.value}),
}
