"""What kind of error each predicted joint is, and whose: the analysis of Ronchi and Perona.

Source: Ronchi and Perona 2017, "Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation", section 3. A
joint's similarity (ks) to a true place is what OKS is the mean of. A labelled joint of a person who was predicted is

    good       similarity to its own place at least 0.85;
    jitter     at least 0.5: near, but off;
    inversion  nearest to the place of its mirror partner, left and right exchanged, with a similarity of at least 0.5;
    swap       nearest to this joint, or its mirror partner, of another person of the image, with at least 0.5;
    miss       none of these.

Of an inversion and a swap the more similar one it is, of equal ones the inversion. A place of another person is
measured by that person's size. Joints of people whom nobody predicted are `undetected`. N people, K joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.oks import joint_similarity
from cocoprep.evaluation.pairs import pairs_of
from cocoprep.pose.affine import distances
from cocoprep.pose.keypoints import KeypointTable

KINDS = ("good", "jitter", "inversion", "swap", "miss", "undetected")
GOOD, JITTER, INVERSION, SWAP, MISS, UNDETECTED = range(len(KINDS))
GOOD_FROM = 0.85
NEAR_FROM = 0.5
MEDIUM_FROM_PX2, LARGE_FROM_PX2 = 32.0**2, 96.0**2  # COCO's area ranges
SIZES = ("small", "medium", "large")
CROWDED_FROM_IOU = 0.1
CROWDING = ("0", "1-2", "3+")  # other people whose boxes overlap
OCCLUSION = ("visible", "hidden")
LABELLED_STEP = 5

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class ErrorAnalysis:
    """What each joint is.

    Attributes:
        kind: (N, K) int8 index into `KINDS`; -1 where the joint does not count.
        similarity: (N, K) to the joint's own place; NaN where nothing was predicted.
        distance_px: (N, K) from the joint's own place, in image pixels; NaN where nothing was predicted.
        other: (N, K) int64 annotation id of the person a swap is with; -1 where it is none.
        tables: "joint", "size", "crowding", "occlusion" and "labelled joints", by group and kind: how many joints.
    """

    kind: NDArray[np.int8]
    similarity: Floats
    distance_px: Floats
    other: Indices
    tables: dict[str, dict[str, dict[str, int]]]


def analyse_errors(
    truth: Truth, predictions: Predictions, matches: NDArray[np.int64], table: KeypointTable
) -> ErrorAnalysis:
    """Tell what each labelled joint of each counting person is; `matches` is of `match_people`."""
    labelled = truth.counts[:, None] & (truth.visibility > 0)
    predicted = labelled & (matches >= 0)[:, None]
    person, joint = np.nonzero(predicted)
    at = predictions.keypoints[matches[person], joint]
    distance_px, similarity = (np.full(labelled.shape, np.nan) for _ in range(2))
    distance_px[person, joint] = distances(at, truth.keypoints[person, joint])
    own = joint_similarity(distance_px[person, joint], truth.scale_area[person], table.oks_sigmas[joint])
    similarity[person, joint] = own

    kind = np.full(labelled.shape, -1, np.int8)
    kind[labelled] = UNDETECTED
    kind[person, joint] = np.select([own >= GOOD_FROM, own >= NEAR_FROM], [GOOD, JITTER], MISS)
    other = np.full(labelled.shape, -1, np.int64)
    wrong = own < NEAR_FROM
    person, joint, at = person[wrong], joint[wrong], at[wrong]
    inverted = _to_partner(at, person, joint, truth, table)
    swapped, whose = _to_others(at, person, joint, truth, table)
    is_inversion = (inverted >= NEAR_FROM) & (inverted >= swapped)
    is_swap = (swapped >= NEAR_FROM) & (swapped > inverted)
    kind[person[is_inversion], joint[is_inversion]] = INVERSION
    kind[person[is_swap], joint[is_swap]] = SWAP
    other[person[is_swap], joint[is_swap]] = truth.annotation_ids[whose[is_swap]]
    return ErrorAnalysis(kind, similarity, distance_px, other, _tables(kind, truth, table))


def _similarity_to(at: Floats, person: Indices, joint: Indices, truth: Truth, table: KeypointTable) -> Floats:
    """Return (E,) how similar points (E, 2) are to joints of people; 0 where those are not labelled."""
    distance = distances(at, truth.keypoints[person, joint])
    found = joint_similarity(distance, truth.scale_area[person], table.oks_sigmas[joint])
    return np.where(truth.visibility[person, joint] > 0, found, 0.0)


def _to_partner(at: Floats, person: Indices, joint: Indices, truth: Truth, table: KeypointTable) -> Floats:
    partner = np.array(table.flip_index)[joint]
    return np.where(partner != joint, _similarity_to(at, person, partner, truth, table), 0.0)


def _to_others(
    at: Floats, person: Indices, joint: Indices, truth: Truth, table: KeypointTable
) -> tuple[Floats, Indices]:
    """Return (E,) the highest similarity to the same joint or its partner of another person of the image, and whom."""
    flip = np.array(table.flip_index)
    best, whose = np.zeros(len(at)), np.full(len(at), -1, np.int64)
    people = np.flatnonzero(truth.counts)
    for left, right in pairs_of(truth.image_ids[person], truth.image_ids[people]):
        another = people[right] != person[left]
        error, them = left[another], people[right[another]]
        found = np.maximum(
            _similarity_to(at[error], them, joint[error], truth, table),
            _similarity_to(at[error], them, flip[joint[error]], truth, table),
        )
        np.maximum.at(best, error, found)
        highest = np.flatnonzero((found == best[error]) & (found > 0))[::-1]  # of equal ones the first stays
        whose[error[highest]] = them[highest]
    return best, whose


def crowding(truth: Truth) -> Indices:
    """Return (N,) how many other counting people's boxes overlap with each person's by an IoU of at least 0.1."""
    people = np.flatnonzero(truth.counts)
    counts = np.zeros(len(truth.annotation_ids), np.int64)
    for left, right in pairs_of(truth.image_ids[people], truth.image_ids[people]):
        a, b = people[left], people[right]
        overlaps = (a != b) & (box_iou(truth.bbox[a], truth.bbox[b]) >= CROWDED_FROM_IOU)
        np.add.at(counts, a[overlaps], 1)
    return counts


def box_iou(first_xywh: ArrayLike, second_xywh: ArrayLike) -> Floats:
    """Return (P,) intersection over union of boxes (P, 4), x, y, width, height; 0 where neither has a size."""
    a, b = np.asarray(first_xywh, np.float64), np.asarray(second_xywh, np.float64)
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    shared = (high - low).clip(min=0).prod(axis=1)
    union = a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - shared
    share: Floats = np.divide(shared, union, out=np.zeros(len(a)), where=union > 0)
    return share


def labelled_groups(joints: int) -> tuple[str, ...]:
    """Return the groups of people by labelled joints, for a table of `joints`: in fives, the last one open."""
    starts = range(1, joints + 1, LABELLED_STEP)
    closed = (f"{start}-{start + LABELLED_STEP - 1}" for start in starts[:-1])
    return (*closed, f"{starts[-1]}+")


def _tables(kind: NDArray[np.int8], truth: Truth, table: KeypointTable) -> dict[str, dict[str, dict[str, int]]]:
    labelled = (truth.visibility > 0).sum(axis=1)
    of_person = {
        "size": (SIZES, np.digitize(truth.area, [MEDIUM_FROM_PX2, LARGE_FROM_PX2])),
        "crowding": (CROWDING, np.digitize(crowding(truth), [1, 3])),
        "labelled joints": (labelled_groups(len(table)), np.maximum(labelled - 1, 0) // LABELLED_STEP),
    }
    tables = {"joint": _count(kind, np.broadcast_to(np.arange(len(table)), kind.shape), table.names)}
    tables |= {name: _count(kind, np.broadcast_to(n[:, None], kind.shape), g) for name, (g, n) in of_person.items()}
    tables["occlusion"] = _count(kind, (truth.visibility == 1).astype(np.int64), OCCLUSION)
    return tables


def _count(kind: NDArray[np.int8], group: Indices, names: tuple[str, ...]) -> dict[str, dict[str, int]]:
    counts = np.zeros((len(names), len(KINDS)), np.int64)
    np.add.at(counts, (group[kind >= 0], kind[kind >= 0]), 1)
    return {name: dict(zip(KINDS, row, strict=True)) for name, row in zip(names, counts.tolist(), strict=True)}
