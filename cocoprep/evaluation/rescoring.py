"""How sure of a person who was found in a detector's box: of the box, of the joints, or of both."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Rescoring = Literal["product", "joints", "box"]
RESCORINGS: tuple[Rescoring, ...] = get_args(Rescoring)


def rescore(
    joint_scores: NDArray[np.float64], box_scores: NDArray[np.float64] | None, how: Rescoring = "product"
) -> NDArray[np.float64]:
    """Return (N,) the scores of people.

    The `product` is that of Xiao, Wu and Wei 2018, "Simple Baselines", and of all tables that follow it.

    Args:
        joint_scores: (N,) how sure of each person's joints: the mean confidence of those that are above 0.2.
        box_scores: (N,) how sure a detector was of each box; None where none has said, which counts as 1.
        how: the product of both, or one of them alone.
    """
    if box_scores is None or how == "joints":
        return joint_scores
    return box_scores if how == "box" else box_scores * joint_scores
