"""Annotations of a finished scene, as COCO's annotators would have written them."""

from __future__ import annotations

from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from cocoprep.sample.joints import COCO_JOINTS, FigureJoints
from cocoprep.sample.layer import Layer
from cocoprep.sample.outline import trace_outline
from cocoprep.sample.rle import Rle, encode_rle

MIN_VISIBLE_PX2 = 30
"""A silhouette of fewer visible pixels is not annotated."""

MIN_LABELLED_STATURE_PX = 25.0
"""The joints of people smaller than this are not labelled."""

_NO_JOINTS_SHARE = 0.13
_MIN_VISIBLE_JOINTS = 3
_MISSED_SHARE = 0.03


class Annotation(TypedDict):
    """One entry of "annotations", without the ids, which its image gives it."""

    id: NotRequired[int]
    image_id: NotRequired[int]
    category_id: int
    iscrowd: int
    bbox: list[float]
    area: float
    segmentation: list[list[float]] | Rle
    keypoints: list[int]
    num_keypoints: int


def _annotation(mask: NDArray[np.bool_], keypoints: NDArray[np.int64], *, crowd: bool) -> Annotation:
    """Describe a visible silhouette, a bool mask of the image, and its joints (K, 3)."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    left, top, right, bottom = (int(v) for v in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    outline = None if crowd else trace_outline(mask[top:bottom, left:right], left, top)
    return Annotation(
        category_id=1,
        iscrowd=int(crowd),
        bbox=[float(v) for v in (left, top, right - left, bottom - top)],
        area=float(np.count_nonzero(mask)),
        segmentation=encode_rle(mask) if outline is None else outline,
        keypoints=keypoints.ravel().tolist(),
        num_keypoints=int(np.count_nonzero(keypoints[:, 2])),
    )


def annotate_crowd(owner: NDArray[np.int16], number: int, joints: FigureJoints = COCO_JOINTS) -> Annotation | None:
    """Annotate a crowd as one region, without joints; None if hardly any of it shows."""
    mask = owner == number
    if np.count_nonzero(mask) < MIN_VISIBLE_PX2:
        return None
    return _annotation(mask, np.zeros((len(joints), 3), np.int64), crowd=True)


def annotate_person(
    rng: np.random.Generator,
    owner: NDArray[np.int16],
    number: int,
    layer: Layer,
    stature_px: float,
    *,
    joints: FigureJoints = COCO_JOINTS,
) -> Annotation | None:
    """Annotate a person; None if hardly any of it shows.

    Args:
        rng: decides what an annotator would skip.
        owner: int16 (H, W), the number of the topmost thing at each pixel, counted from the back.
        number: the person's.
        layer: the person's, with its joints.
        stature_px: the person's height, were it to stand upright.
        joints: the layer's.
    """
    mask = owner == number
    if np.count_nonzero(mask) < MIN_VISIBLE_PX2:
        return None
    keypoints = _label_joints(rng, owner, number, layer, joints=joints)
    overlooked = rng.random() < _NO_JOINTS_SHARE or stature_px < MIN_LABELLED_STATURE_PX
    if overlooked or np.count_nonzero(keypoints[:, 2] == 2) < _MIN_VISIBLE_JOINTS:
        keypoints[:] = 0
    return _annotation(mask, keypoints, crowd=False)


def _label_joints(
    rng: np.random.Generator, owner: NDArray[np.int16], number: int, layer: Layer, *, joints: FigureJoints
) -> NDArray[np.int64]:
    """Return (K, 3) int64 pixel column, pixel row and visibility."""
    keypoints = np.zeros((len(joints), 3), np.int64)
    if layer.points is None or layer.shown is None:
        return keypoints
    height, width = owner.shape
    for k, (joint, (x, y)) in enumerate(zip(joints, np.floor(layer.points).astype(int).tolist(), strict=True)):
        missed, skipped = rng.random(2)
        if not (0 <= x < width and 0 <= y < height):
            continue
        visible = bool(layer.shown[k]) and int(owner[y, x]) <= number
        limit = _MISSED_SHARE if visible else joint.skipped
        if (missed if visible else skipped) >= limit:
            keypoints[k] = x, y, 2 if visible else 1
    return keypoints
