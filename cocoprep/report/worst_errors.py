"""The list of the worst errors: which joint of whom is how far off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cocoprep.evaluation.error_kinds import KINDS
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose.boxes import longer_side

ERRORS = 30  # listed
LISTED = ("inversion", "swap", "miss")


@dataclass(frozen=True)
class ListedError:
    """One joint in a wrong place; places are among the N annotations and the K joints."""

    row: int
    joint: int
    annotation_id: int
    file_name: str
    kind: str
    distance_px: float
    distance_of_box: float
    confidence: float
    other: int


def worst_errors(evaluation: Evaluation, errors: int = ERRORS) -> tuple[list[ListedError], int]:
    """Return the worst errors, worst first, and how many there are in all.

    The worst are farthest off, measured by the person's own box: a pixel is more on a small person. Joints that only
    jitter, and people whom nobody predicted, are not listed.
    """
    found = evaluation.errors
    row, joint = np.nonzero(np.isin(found.kind, [KINDS.index(kind) for kind in LISTED]))
    side = longer_side(evaluation.truth.bbox)[row]
    distance = found.distance_px[row, joint]
    of_box = np.divide(distance, side, out=np.full(len(row), np.nan), where=side > 0)  # NaN is sorted last
    order = np.lexsort((joint, evaluation.truth.annotation_ids[row], -of_box))[:errors]
    listed = [_listed(evaluation, int(row[n]), int(joint[n]), float(of_box[n])) for n in order]
    return listed, len(row)


def _listed(evaluation: Evaluation, row: int, joint: int, of_box: float) -> ListedError:
    truth, found = evaluation.truth, evaluation.errors
    return ListedError(
        row=row,
        joint=joint,
        annotation_id=int(truth.annotation_ids[row]),
        file_name=str(truth.file_names.get(int(truth.image_ids[row]), "")),
        kind=KINDS[found.kind[row, joint]],
        distance_px=float(found.distance_px[row, joint]),
        distance_of_box=of_box,
        confidence=float(evaluation.predictions.confidence[evaluation.matches[row], joint]),
        other=int(found.other[row, joint]),
    )
