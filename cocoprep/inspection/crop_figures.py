"""Where joints lie: outside of their box, outside of the crop at several scales, and in the crop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cocoprep.inspection.data_set import Bools, Floats, Ints, People
from cocoprep.pose.affine import index_to_point
from cocoprep.pose.boxes import canonical_windows
from cocoprep.pose.crop_config import CropConfig

SCALES = (1.0, 1.1, 1.2, 1.25, 1.3, 1.4, 1.5)  # of the box, that crops are made at


@dataclass(frozen=True)
class CropFigures:
    """Where labelled joints lie, of people who are no crowd and have a box in a photograph of known size.

    Attributes:
        people: how many.
        joints: (K,) int64, how many of each joint are labelled.
        outside_box: of all of them, how many lie outside of the box as annotated.
        outside_crop: (7,) int64, how many lie outside of the crop at each of `SCALES`.
        mean: (K, 2) float64, mean place of each joint in the crop: x and y as shares of its width and height, from the
            left upper corner; NaN where none is labelled.
        deviation: (K, 2) float64, its standard deviation.
        left_out: people with labels whose photograph's size is not known, or whose box has no part in it.
    """

    people: int
    joints: Ints
    outside_box: int
    outside_crop: Ints
    mean: Floats
    deviation: Floats
    left_out: int


def crop_figures(people: People, crop: CropConfig) -> CropFigures:
    """Return where the joints lie. `crop` has the input's aspect, and the scale of the crop that places are in."""
    count = people.joints.shape[1]
    training = (people.labelled > 0) & ~people.crowd
    chosen = training & people.sized & _inside(people)
    outside_box, outside_crop = 0, np.zeros(len(SCALES), np.int64)
    sums, squares, joints = np.zeros((count, 2)), np.zeros((count, 2)), np.zeros(count, np.int64)
    for part in people.parts(chosen):
        whose, which = np.nonzero(part.joints[..., 2])
        points = index_to_point(part.joints[whose, which, :2]).T.copy()
        outside_box += len(whose) - _count_within(points, part.bbox[whose], end_counts=True)
        for n, scale in enumerate(SCALES):
            windows = canonical_windows(part.bbox, part.sizes, replace(crop, bbox_scale=scale))
            outside_crop[n] += len(whose) - _count_within(points, windows[whose])
        windows = canonical_windows(part.bbox, part.sizes, crop)[whose]
        joints += np.bincount(which, minlength=count)
        for axis in range(2):
            places = (points[axis] - windows[:, axis]) / windows[:, 2 + axis]
            sums[:, axis] += np.bincount(which, places, minlength=count)
            squares[:, axis] += np.bincount(which, places**2, minlength=count)
    mean, deviation = _moments(sums, squares, joints)
    return CropFigures(
        people=int(chosen.sum()),
        joints=joints,
        outside_box=outside_box,
        outside_crop=outside_crop,
        mean=mean,
        deviation=deviation,
        left_out=int((training & ~chosen).sum()),
    )


def _inside(people: People) -> Bools:
    """Return (N,) whose box has a part in the photograph, so that it has a crop."""
    start = np.clip(people.bbox[:, :2], 0, people.sizes)
    end = np.clip(people.bbox[:, :2] + people.bbox[:, 2:], 0, people.sizes)
    return np.asarray((end > start).all(axis=1))


def _count_within(points: Floats, windows: Floats, *, end_counts: bool = False) -> int:
    """Count the points (2, M), x and y, that lie in their rectangle (M, 4): x, y, width, height."""
    within = np.ones(points.shape[1], bool)
    for axis in range(2):
        at, side = points[axis] - windows[:, axis], windows[:, 2 + axis]
        within &= at >= 0
        within &= (at <= side) if end_counts else (at < side)
    return int(np.count_nonzero(within))


def _moments(sums: Floats, squares: Floats, joints: Ints) -> tuple[Floats, Floats]:
    """Return mean and standard deviation (K, 2) by sums of numbers and of their squares."""
    many = np.where(joints > 0, joints, np.nan)[:, None]
    mean = sums / many
    deviation: Floats = np.sqrt(np.maximum(squares / many - mean**2, 0))
    return mean, deviation
