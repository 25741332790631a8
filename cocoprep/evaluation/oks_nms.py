"""Non-maximum suppression by OKS: of people found twice in one photograph, the surest.

N people of one photograph, K joints; points are (x, y).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocoprep.evaluation.oks import joint_similarity
from cocoprep.pose.affine import distances

MOST_SOFT = 20  # people of a photograph: as many as COCO counts, and as HRNet's code keeps

Floats = NDArray[np.float64]


def suppress(
    keypoints: ArrayLike, scores: ArrayLike, areas: ArrayLike, sigmas: ArrayLike, threshold: float
) -> NDArray[np.int64]:
    """Keep, in order of score, each person who is not too similar to one who is kept.

    Source: Papandreou et al. 2017, "Towards Accurate Multi-person Pose Estimation in the Wild", as the code of Xiao, Wu
    and Wei 2018, "Simple Baselines", does it.

    Args:
        keypoints: (N, K, 2) of one photograph.
        scores: (N,) of the people; of equal ones the earlier goes first.
        areas: (N,) of the people, in square pixels.
        sigmas: (K,) of the joints.
        threshold: the OKS up to which two people may be similar.

    Returns:
        Places of those that are kept, the surest first.
    """
    points, sizes = np.asarray(keypoints, np.float64), np.asarray(areas, np.float64)
    left = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    kept: list[int] = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[similarity(points[best], points[left], sizes[best], sizes[left], sigmas) <= threshold]
    return np.array(kept, np.int64)


def soften(
    keypoints: ArrayLike, scores: ArrayLike, areas: ArrayLike, sigmas: ArrayLike, threshold: float
) -> tuple[NDArray[np.int64], Floats]:
    """Lower, in order of score, the scores of all that are similar to a person who is kept.

    By exp(-OKS^2 / threshold): Bodla et al. 2017, "Soft-NMS", with OKS for the overlap. The code of HRNet and of MMPose
    chooses the same people, but leaves them the scores that they had.

    Args:
        keypoints: (N, K, 2) of one photograph.
        scores: (N,) of the people, not below 0; of equal ones the earlier goes first.
        areas: (N,) of the people, in square pixels.
        sigmas: (K,) of the joints.
        threshold: the smaller, the less is left of who is similar.

    Returns:
        Places of those that are kept, no more than `MOST_SOFT`, the surest first; and (N,) the scores of all.
    """
    points, sizes = np.asarray(keypoints, np.float64), np.asarray(areas, np.float64)
    lowered = np.array(scores, np.float64)
    left = np.arange(len(lowered))
    kept: list[int] = []
    while len(left) and len(kept) < MOST_SOFT:
        place = lowered[left].argmax()
        best, left = left[place], np.delete(left, place)
        kept.append(int(best))
        alike = similarity(points[best], points[left], sizes[best], sizes[left], sigmas)
        lowered[left] *= np.exp(-np.square(alike) / threshold)
    return np.array(kept, np.int64), lowered


def similarity(one: ArrayLike, others: ArrayLike, area: float, areas: ArrayLike, sigmas: ArrayLike) -> Floats:
    """Return (N,) the OKS of a person and each of others, over all joints, by the mean of the two areas.

    Args:
        one: (K, 2) points.
        others: (N, K, 2) points of the same frame.
        area: of the one, in square pixels.
        areas: (N,) of the others.
        sigmas: (K,) of the joints.
    """
    both = (np.asarray(areas, np.float64) + area) / 2
    alike: Floats = joint_similarity(distances(others, one), both[:, None], sigmas).mean(axis=1)
    return alike
